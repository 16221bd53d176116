"""Resumable uploads by tus 1.0: begun, continued after an interruption, and removed."""

from collections.abc import Mapping
from datetime import timedelta

from litestar import Controller, HttpMethod, Response, delete, head, patch, post, route
from litestar.params import FromPath

from catalog.dialects.http import guards
from catalog.dialects.http.failures import respond
from catalog.dialects.http.headers import http_date
from catalog.dialects.v1 import tus
from catalog.dialects.v1.http import AnyRequest, Given, error_response
from catalog.domain.access import Caller
from catalog.domain.files import resumable, uploads
from catalog.domain.items.references import Reference
from catalog.domain.limits import Limits
from catalog.errors import REQUEST, TUS_VERSION, Refused


def tus_error(request: AnyRequest, exception: Exception) -> Response[bytes]:
    """An error of this dialect, with the headers by which tus clients recognise it."""
    response = respond(request, exception, error_response)
    response.headers["Tus-Resumable"] = tus.VERSION
    if response.status_code == TUS_VERSION.status:
        response.headers["Tus-Version"] = tus.VERSION
    return response


class UploadAbilities(Controller):
    """What this server can do, for everybody who asks."""

    path = "/uploads"
    opt = {"public": True}  # noqa: RUF012  Litestar's way

    @route(["/", "/{name:str}"], http_method=HttpMethod.OPTIONS, status_code=204)
    async def show(self, max_upload_size: Given[int]) -> Response[None]:
        return _response(204, tus.abilities(max_upload_size))


class ResumableUploads(Controller):
    path = "/uploads"
    guards = (guards.signed_in,)
    exception_handlers = {Exception: tus_error}  # noqa: RUF012  Litestar's way

    @post(status_code=201, request_max_body_size=None)
    async def begin(
        self,
        request: AnyRequest,
        caller: Given[Caller],
        max_upload_size: Given[int],
        upload_life: Given[timedelta],
        limits: Given[Limits],
        native_prefix: Given[str],
    ) -> Response[None]:
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

    @head("/{name:str}")
    async def show(
        self, name: FromPath[str], request: AnyRequest, caller: Given[Caller], native_prefix: Given[str]
    ) -> Response[None]:
        tus.refuse_other_version(request)
        upload = await uploads.find(caller, name)
        reached = await resumable.progress_of(caller, upload)
        headers = tus.description(upload) | tus.progress(upload, reached, native_prefix)
        return _response(200, {"Cache-Control": "no-store", **headers})

    @patch("/{name:str}", status_code=204, request_max_body_size=None)
    async def append(
        self,
        name: FromPath[str],
        request: AnyRequest,
        caller: Given[Caller],
        max_upload_size: Given[int],
        native_prefix: Given[str],
    ) -> Response[None]:
        tus.refuse_other_version(request)
        if request.content_type[0] != tus.OCTETS:
            raise Refused(REQUEST, f"Content-Type: {tus.OCTETS} is needed")
        offset = tus.number(request, "Upload-Offset")
        if offset is None:
            raise Refused(REQUEST, "Upload-Offset: where these bytes begin is needed")
        upload = await uploads.find(caller, name)
        reached = await resumable.append(
            caller,
            upload,
            offset,
            await tus.content(request),
            size=tus.length(request, max_upload_size),
            most=max_upload_size or None,
            coming=request.content_length or 0,
        )
        return _response(204, tus.progress(upload, reached, native_prefix))

    @delete("/{name:str}", status_code=204)
    async def terminate(self, name: FromPath[str], request: AnyRequest, caller: Given[Caller]) -> Response[None]:
        tus.refuse_other_version(request)
        await resumable.terminate(caller, await uploads.find(caller, name))
        return _response(204, {})


def _response(status: int, headers: Mapping[str, str]) -> Response[None]:
    return Response(None, status_code=status, headers={"Tus-Resumable": tus.VERSION, **headers})
