"""Faults as MLflow words them: a status, a code and one sentence.

A client repeats a request for minutes after 408, 429, 500, 502, 503 and 504. So no mistake of a caller has one of
these, unless a later attempt may succeed.
"""

from typing import NamedTuple

import msgspec
from litestar import Response

from catalog import errors
from catalog.dialects.http.failures import refusal_headers
from catalog.dialects.http.field_names import in_words_of
from catalog.dialects.http.requests.injection import AnyRequest
from catalog.dialects.mlflow.models import MlflowError
from catalog.errors import Fault, Refused

JSON = "application/json"

INVALID = "INVALID_PARAMETER_VALUE"
TRACKING = (
    "this server has the model registry and the artifact service of MLflow, and no experiments, runs or traces: "
    "set MLFLOW_TRACKING_URI to your tracking server or to a local folder, and MLFLOW_REGISTRY_URI to this server"
)


class Wording(NamedTuple):
    status: int
    code: str


BY_STATUS: dict[int, Wording] = {
    400: Wording(400, INVALID),
    401: Wording(401, "UNAUTHENTICATED"),
    403: Wording(403, "PERMISSION_DENIED"),
    404: Wording(404, "RESOURCE_DOES_NOT_EXIST"),
    405: Wording(405, "ENDPOINT_NOT_FOUND"),
    408: Wording(408, "DEADLINE_EXCEEDED"),
    409: Wording(409, "RESOURCE_CONFLICT"),
    410: Wording(404, "RESOURCE_DOES_NOT_EXIST"),
    412: Wording(412, "ABORTED"),
    413: Wording(413, INVALID),
    415: Wording(415, "BAD_REQUEST"),
    416: Wording(416, INVALID),
    422: Wording(400, INVALID),
    423: Wording(409, "ABORTED"),
    429: Wording(429, "REQUEST_LIMIT_EXCEEDED"),
    431: Wording(431, "BAD_REQUEST"),
    460: Wording(400, INVALID),
    499: Wording(499, "CANCELLED"),
    500: Wording(500, "INTERNAL_ERROR"),
    501: Wording(400, "BAD_REQUEST"),
    503: Wording(503, "TEMPORARILY_UNAVAILABLE"),
    507: Wording(507, "INTERNAL_ERROR"),
}
"""How a fault is worded that is not in BY_FAULT."""

BY_FAULT: dict[Fault, Wording] = {
    errors.MALFORMED_BODY: Wording(400, "BAD_REQUEST"),
    errors.REQUEST: Wording(400, "BAD_REQUEST"),
    errors.UNKNOWN_ROUTE: Wording(404, "ENDPOINT_NOT_FOUND"),
    errors.NAME_TAKEN: Wording(400, "RESOURCE_ALREADY_EXISTS"),
    errors.AMBIGUOUS: Wording(400, INVALID),
    errors.EMPTY_BODY: Wording(400, INVALID),
    errors.NO_VALID_FIELDS: Wording(400, INVALID),
    errors.MISSING_EMAIL: Wording(400, INVALID),
    errors.QUOTA_EXCEEDED: Wording(413, "RESOURCE_EXHAUSTED"),
    errors.TOO_MANY_UPLOADS: Wording(400, "RESOURCE_EXHAUSTED"),
    errors.DOWNLOAD: Wording(500, "DATA_LOSS"),
}

FIELDS = {
    "metadata": "tag '{}'",
    "tags": "tag '{}'",
    "run.id": "run_id",
    "run.link": "run_link",
    "uri": "source",
    "origin": "source",
    "after": "page_token",
    "$regex": "the pattern of LIKE",
    "users": "tag 'catalog.users'",
    "visibility": "tag 'catalog.visibility'",
    "status": "tag 'catalog.status'",
}
"""The fields of clients, by those of the domain, where they differ."""

PLAIN = frozenset(
    {
        errors.NOT_FOUND,
        errors.NAME_TAKEN,
        errors.INVALID_FIELD,
        errors.INVALID_QUERY,
        errors.NOT_CREATED,
        errors.NOT_CHANGED,
        errors.NOT_DELETED,
        errors.NOT_SEARCHED,
    }
)
"""Faults whose details are a whole sentence, which is the message then."""


def wording(fault: Fault) -> Wording:
    return BY_FAULT.get(fault) or BY_STATUS[fault.status]


def message_of(refused: Refused) -> str:
    fault, details = refused.fault, in_words_of(FIELDS, refused)
    if fault is errors.UNKNOWN_ROUTE:
        return f"{fault.message} ({details}); {TRACKING}"
    if not details:
        return fault.message
    return details if fault in PLAIN else f"{fault.message} ({details})"


def error_response(request: AnyRequest, refused: Refused) -> Response[bytes]:
    """The one shape of errors of this dialect."""
    status, code = wording(refused.fault)
    headers = refusal_headers(request, refused, 'Bearer, Basic realm="catalog"')
    content = msgspec.json.encode(MlflowError(code, message_of(refused)))
    return Response(content, status_code=status, media_type=JSON, headers=headers)
