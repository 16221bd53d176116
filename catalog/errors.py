"""The error catalogue: every reason for which the catalog refuses a request.

A fault says what is wrong. Its number is in `dialects/http/fault_numbers.py`; each dialect words it in its own way.
"""

from collections.abc import Mapping
from typing import NamedTuple


class Fault(NamedTuple):
    name: str
    status: int  # HTTP status code
    message: str

    def __deepcopy__(self, _: object) -> "Fault":
        """Itself: faults are compared by identity, and the web framework copies the options of routes."""
        return self


INTERNAL = Fault("internal_server_error", 500, "Internal server error")
UPLOAD = Fault("generic_upload_error", 500, "Upload error")
DOWNLOAD = Fault("generic_download_error", 500, "Download error")
AUTHENTICATION = Fault("authentication_error", 401, "Authentication error")
REQUEST = Fault("generic_request_error", 400, "The request has errors")
NOT_CREATED = Fault("post_request_error", 400, "Resource not created")
NOT_SEARCHED = Fault("get_request_error", 400, "Search request error")
NOT_DELETED = Fault("delete_request_error", 400, "Delete request error")
NOT_CHANGED = Fault("put_request_error", 400, "Modify request error")
NOT_FOUND = Fault("resource_not_found", 404, "Resource Not found")
CANNOT_READ = Fault("restricted_access_read", 403, "You cannot read this resource")
CANNOT_CREATE = Fault("restricted_access_create", 403, "You cannot create a new resource")
CANNOT_MODIFY = Fault("restricted_access_modify", 403, "You cannot modify this resource")
CANNOT_DELETE = Fault("restricted_access_delete", 403, "You cannot delete this resource")
ADMINISTRATORS_ONLY = Fault("only_administrator", 403, "Only administrators can do this operation")
NO_VALID_FIELDS = Fault("incorrect_info", 401, "Please, the body information is missing valid fields")
DEMO_TENANT_ONLY = Fault("demo_tenant_required", 403, "Demo routes only work in the demo tenant")
EMPTY_BODY = Fault("missing_info", 401, "Please, the request body is empty")
RESET_INVALID = Fault("reset_invalid", 403, "The reset password request is not valid")
MISSING_EMAIL = Fault("missing_email", 401, "Please, specify the user email")

INVALID_FIELD = Fault("invalid_field", 400, "A field of the request is not valid")
REQUIRED_FIELD = Fault("required_field", 422, "A required field is missing")
DEPLOYED = Fault("deployed", 409, "The model or version is deployed")
INVALID_QUERY = Fault("invalid_query", 400, "A parameter of the query string is not valid")
NAME_TAKEN = Fault("name_taken", 409, "Another resource has this name")
LIMIT_REACHED = Fault("limit_reached", 409, "No more of these resources are allowed")
IN_USE = Fault("in_use", 409, "The resource is in use")
LAST_ADMIN = Fault("last_admin", 409, "The tenant would be left without an administrator")
PROTECTED = Fault("protected", 409, "This resource cannot be removed")
OTHER_USER = Fault("other_user", 403, "Only administrators change other users")
INVALID_TRANSFER = Fault("invalid_transfer", 409, "The resources cannot be transferred to this user")
UNKNOWN_ROUTE = Fault("unknown_route", 404, "There is no such route")
METHOD_NOT_ALLOWED = Fault("method_not_allowed", 405, "The route does not answer this method")
MALFORMED_BODY = Fault("malformed_body", 400, "The request body cannot be understood")
BODY_TOO_LARGE = Fault("body_too_large", 413, "The request body is too large")
DATABASE_AWAY = Fault("database_away", 503, "The database does not answer, please try again")
STORAGE_FULL = Fault("storage_full", 507, "There is no space left to store the file")
DIGEST_MISMATCH = Fault("digest_mismatch", 400, "The bytes received are not the bytes announced")
UPLOAD_CUT_OFF = Fault("upload_cut_off", 400, "The upload ended before it was complete")
RANGE_NOT_SATISFIABLE = Fault("range_not_satisfiable", 416, "The file has no such range of bytes")
STALE = Fault("stale_revision", 412, "This resource has changed since you read it")
BUSY = Fault("too_many_changes", 503, "Too many changes to this resource at once, please try again")
QUOTA_EXCEEDED = Fault("quota_exceeded", 507, "The tenant's quota is used up")
UNSAFE_FILE = Fault("unsafe_file", 422, "The file was found to be unsafe")
QUARANTINED = Fault("quarantined", 403, "This version is in quarantine")
VERSION_CLOSED = Fault("version_closed", 409, "This version is closed and cannot change any more")
VERSION_DRAFT = Fault("version_draft", 409, "This version is a draft: close it first")
LINK_INVALID = Fault("link_invalid", 403, "The link is not valid, or has expired")
BYTES_NEEDED = Fault("bytes_needed", 403, "No file that you may read has these bytes, upload them")
OFFSET_CONFLICT = Fault("upload_offset_conflict", 409, "The upload continues at another offset")
UPLOAD_EXPIRED = Fault("upload_expired", 410, "The upload has expired: begin a new one")
UPLOAD_BUSY = Fault("upload_busy", 423, "Another request is adding to this upload")
TUS_VERSION = Fault("tus_version", 412, "Only tus 1.0.0 is supported")
CHECKSUM_MISMATCH = Fault("checksum_mismatch", 460, "The bytes of this chunk are not the bytes announced")
STORAGE_AWAY = Fault("storage_away", 503, "The storage of files does not answer, please try again")
TOO_MANY_ATTEMPTS = Fault("too_many_attempts", 429, "Too many attempts, please wait")
READ_ONLY_TOKEN = Fault("read_only_token", 403, "This token may only read")
BACKUP_CHANGED = Fault("backup_changed", 409, "The interrupted backup is of other tenants than these")
NOT_CONFIRMED = Fault("not_confirmed", 409, "Please confirm that this is what you want")
TOO_SLOW = Fault("request_timeout", 408, "The request did not arrive in time")
MAIL_AWAY = Fault("mail_away", 503, "The mail could not be sent, please try again later")
HEAD_TOO_LARGE = Fault("head_too_large", 431, "The headers of the request are too large")
CLIENT_GONE = Fault("client_gone", 499, "The client disconnected before the answer")
STOPPING = Fault("server_stopping", 503, "The server is stopping, please try again")
TOO_MANY_UPLOADS = Fault("too_many_uploads", 429, "Too many uploads are unfinished")
AMBIGUOUS = Fault("ambiguous_name", 409, "Several resources have this name")
EXTERNAL_ID_TAKEN = Fault("external_id_taken", 409, "Another resource has this external id")
BYTES_ELSEWHERE = Fault("bytes_elsewhere", 409, "The bytes of this version are not stored in the catalog")
CARD_NOT_RENDERED = Fault("card_not_rendered", 422, "This card takes too long to render as HTML, read its Markdown")
CONTENT_CODED = Fault("content_coded", 415, "The body has a Content-Encoding, which is not supported")
ALIAS_UNKNOWN = Fault("alias_unknown", 404, "The resource has no such alias")
ALIAS_MOVED = Fault("alias_moved", 409, "The alias points to another version")
ALIASED = Fault("version_aliased", 409, "Aliases point to this version")
TENANT_NEWER = Fault("tenant_newer", 503, "The tenant was written by a newer version of the server")
TENANT_UPGRADING = Fault("tenant_upgrading", 503, "The tenant is being upgraded, please try again")
TENANT_UPGRADE_FAILED = Fault(
    "tenant_upgrade_failed", 503, "The tenant could not be upgraded, the server's log says why"
)
TRANSFER_CODED = Fault("transfer_coded", 501, "The body has a Transfer-Encoding that is not supported")


class Refused(Exception):  # noqa: N818  the sentence it reads as matters more than the suffix
    """The catalog understood the request and will not carry it out.

    `details` is shown to the client: name the thing refused, never a secret.
    `headers` go with the answer, in every dialect (a 416 says how long the file is).
    """

    def __init__(self, fault: Fault, details: str = "", *, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(f"{fault.message} ({details})" if details else fault.message)
        self.fault = fault
        self.details = details
        self.subject = ""  # the element of a list that the details mean, by its name
        self.headers = dict(headers or {})
