"""Resumable uploads by tus 1.0: begun, continued after an interruption, and removed."""

from collections.abc import Mapping
from datetime import timedelta

from litestar import Controller, HttpMethod, Response, delete, head, patch, post, route

from catalog.dialects.http import guards
from catalog.dialects.http.docs.parameters import header, response_header
from catalog.dialects.http.docs.refusals import refuses
from catalog.dialects.http.docs.schemas import Schema
from catalog.dialects.http.failures import respond
from catalog.dialects.http.requests.headers import http_date
from catalog.dialects.http.requests.injection import AnyRequest, Injected, RouteOptions
from catalog.dialects.v1.requests.http import error_response
from catalog.dialects.v1.requests.parameters import UploadId
from catalog.dialects.v1.versions import tus
from catalog.dialects.v1.versions.transfers import UPLOAD_REFUSALS
from catalog.domain.access import Caller
from catalog.domain.files import resumable, uploads
from catalog.domain.items.references import Reference
from catalog.domain.limits import Limits
from catalog.errors import (
    AMBIGUOUS,
    BODY_TOO_LARGE,
    CHECKSUM_MISMATCH,
    NOT_FOUND,
    OFFSET_CONFLICT,
    REQUEST,
    STORAGE_AWAY,
    TUS_VERSION,
    UPLOAD_BUSY,
    UPLOAD_EXPIRED,
    VERSION_CLOSED,
    Refused,
)

TAG = "Resumable uploads"

INTEGER = {"type": "integer"}
SIZE = {"type": "integer", "minimum": 0}

TUS_RESUMABLE = header("Tus-Resumable", "The version of tus.", {"const": tus.VERSION}, required=True)
UPLOAD_LENGTH = header("Upload-Length", "The size of the file in bytes.", SIZE)
UPLOAD_DEFER_LENGTH = header("Upload-Defer-Length", "1: a later request has the size.", {"const": "1"})
UPLOAD_OFFSET = header("Upload-Offset", "Where these bytes begin.", SIZE, required=True, example=0)
UPLOAD_CHECKSUM = header("Upload-Checksum", "`sha256` or `sha1`, a space, and the chunk's digest in base64.")
UPLOAD_METADATA = header(
    "Upload-Metadata",
    "Keys, each followed by its value in base64: `item` (an id or a name) and `filename`; optionally `kind`, "
    "`filetype`, `description`, `ordinal`, `author`, `stage`, `archived`, `external_id`, `run_id`, `run_link`, "
    "`sha256`, or `version` and `path` for a file of a draft.",
    {"type": "string", "maxLength": tus.LONGEST_METADATA},
    required=True,
    example="item aXJpcw==,filename bW9kZWwub25ueA==",
)
CHUNK: dict[str, Schema] = {tus.OCTETS: {"schema": {}}}

SPOKEN_VERSION = response_header("Tus-Resumable", "The version of tus.", {"const": tus.VERSION})
ABILITIES = [
    SPOKEN_VERSION,
    response_header("Tus-Version", "The supported versions of tus."),
    response_header("Tus-Extension", "The supported extensions of tus."),
    response_header("Tus-Checksum-Algorithm", "The algorithms that `Upload-Checksum` may name."),
    response_header("Tus-Max-Size", "The largest size of a file in bytes, if there is a limit.", INTEGER),
]
PROGRESS = [
    SPOKEN_VERSION,
    response_header("Upload-Offset", "How many bytes the server has.", INTEGER),
    response_header("Upload-Expires", "When the upload expires."),
    response_header("Content-Location", "The address of the version, once all bytes are there."),
    response_header("Catalog-Ordinal", "The ordinal of that version."),
]
OPTIONS: RouteOptions = {
    "http_method": HttpMethod.OPTIONS,
    "status_code": 204,
    "response_description": "What the server can do.",
    "response_headers": ABILITIES,
}
LOCATION = response_header("Location", "The address of the upload.")
LENGTH = response_header("Upload-Length", "The size of the file in bytes.")

OF_CHUNKS = (REQUEST, OFFSET_CONFLICT, UPLOAD_BUSY, CHECKSUM_MISMATCH, BODY_TOO_LARGE, VERSION_CLOSED, *UPLOAD_REFUSALS)
OF_AN_UPLOAD = (NOT_FOUND, UPLOAD_EXPIRED, TUS_VERSION)


def tus_error(request: AnyRequest, exception: Exception) -> Response[bytes]:
    """An error of this dialect, with the headers by which tus clients recognise it."""
    response = respond(request, exception, error_response)
    response.headers["Tus-Resumable"] = tus.VERSION
    if response.status_code == TUS_VERSION.status:
        response.headers["Tus-Version"] = tus.VERSION
    return response


class UploadAbilities(Controller):
    """What this server can do."""

    path = "/uploads"
    tags = (TAG,)
    opt = {"public": True}  # noqa: RUF012  Litestar's way

    @route(operation_id="uploadOptions", **OPTIONS)
    async def show(self, max_upload_size: Injected[int]) -> Response[None]:
        """Show what the server can do."""
        return _response(204, tus.abilities(max_upload_size))

    @route("/{upload:str}", operation_id="uploadOptionsOfOne", **OPTIONS)
    async def show_for_upload(self, upload: UploadId, max_upload_size: Injected[int]) -> Response[None]:  # noqa: ARG002
        """Show what the server can do."""
        return _response(204, tus.abilities(max_upload_size))


class ResumableUploads(Controller):
    path = "/uploads"
    tags = (TAG,)
    guards = (guards.signed_in,)
    exception_handlers = {Exception: tus_error}  # noqa: RUF012  Litestar's way

    @post(
        status_code=201,
        request_max_body_size=None,
        operation_id="beginUpload",
        response_description="The upload has begun.",
        response_headers=[*PROGRESS, LOCATION],
        responses=refuses(TUS_VERSION, AMBIGUOUS, *OF_CHUNKS),
        parameters=[TUS_RESUMABLE, UPLOAD_METADATA, UPLOAD_LENGTH, UPLOAD_DEFER_LENGTH, UPLOAD_CHECKSUM],
        content=CHUNK,
        is_body_required=False,
    )
    async def begin(
        self,
        request: AnyRequest,
        caller: Injected[Caller],
        max_upload_size: Injected[int],
        upload_life: Injected[timedelta],
        limits: Injected[Limits],
        native_prefix: Injected[str],
    ) -> Response[None]:
        """Begin an upload."""
        tus.refuse_other_version(request)
        new = tus.new_upload(request, max_upload_size)
        upload = await uploads.begin(caller, new.kind, Reference(new.item), new.request, upload_life, limits.uploads)
        headers = {
            "Location": f"{native_prefix}/uploads/{upload['_id']}",
            "Upload-Expires": http_date(upload["expires"]),
        }
        if request.content_type[0] == tus.OCTETS or new.request.size == 0:
            content, most, coming = await tus.content(request), max_upload_size or None, request.content_length or 0
            reached = await resumable.append(caller, upload, 0, content, most=most, coming=coming)
            headers |= tus.progress(upload, reached, native_prefix)
        return _response(201, headers)

    @head(
        "/{upload:str}",
        operation_id="showUpload",
        response_description="How far it is.",
        response_headers=[*PROGRESS, LENGTH],
        responses=refuses(*OF_AN_UPLOAD, UPLOAD_BUSY, *UPLOAD_REFUSALS),
        parameters=[TUS_RESUMABLE],
    )
    async def show(
        self, upload: UploadId, request: AnyRequest, caller: Injected[Caller], native_prefix: Injected[str]
    ) -> Response[None]:
        """Show how far an upload is."""
        tus.refuse_other_version(request)
        record = await uploads.find(caller, upload)
        reached = await resumable.progress_of(caller, record)
        headers = tus.description(record) | tus.progress(record, reached, native_prefix)
        return _response(200, {"Cache-Control": "no-store", **headers})

    @patch(
        "/{upload:str}",
        status_code=204,
        request_max_body_size=None,
        operation_id="addToUpload",
        response_description="How far it is.",
        response_headers=PROGRESS,
        responses=refuses(*OF_AN_UPLOAD, *OF_CHUNKS),
        parameters=[TUS_RESUMABLE, UPLOAD_OFFSET, UPLOAD_LENGTH, UPLOAD_CHECKSUM],
        content=CHUNK,
    )
    async def append(
        self,
        upload: UploadId,
        request: AnyRequest,
        caller: Injected[Caller],
        max_upload_size: Injected[int],
        native_prefix: Injected[str],
    ) -> Response[None]:
        """Add bytes to an upload; the last byte makes the version.

        A POST with `X-HTTP-Method-Override: PATCH` is the same.
        """
        tus.refuse_other_version(request)
        if request.content_type[0] != tus.OCTETS:
            raise Refused(REQUEST, f"Content-Type: {tus.OCTETS} is needed")
        offset = tus.number(request, "Upload-Offset")
        if offset is None:
            raise Refused(REQUEST, "Upload-Offset: where these bytes begin is needed")
        record = await uploads.find(caller, upload)
        reached = await resumable.append(
            caller,
            record,
            offset,
            await tus.content(request),
            size=tus.length(request, max_upload_size),
            most=max_upload_size or None,
            coming=request.content_length or 0,
        )
        return _response(204, tus.progress(record, reached, native_prefix))

    @delete(
        "/{upload:str}",
        status_code=204,
        operation_id="forgetUpload",
        response_description="The upload is removed.",
        response_headers=[SPOKEN_VERSION],
        responses=refuses(*OF_AN_UPLOAD, UPLOAD_BUSY, STORAGE_AWAY),
        parameters=[TUS_RESUMABLE],
    )
    async def terminate(self, upload: UploadId, request: AnyRequest, caller: Injected[Caller]) -> Response[None]:
        """Remove an upload that is not finished."""
        tus.refuse_other_version(request)
        await resumable.terminate(caller, await uploads.find(caller, upload))
        return _response(204, {})


def _response(status: int, headers: Mapping[str, str]) -> Response[None]:
    return Response(None, status_code=status, headers={"Tus-Resumable": tus.VERSION, **headers})
