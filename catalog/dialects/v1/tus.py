"""Resumable uploads: tus 1.0 (https://tus.io/protocols/resumable-upload) with creation, creation-with-upload,
creation-defer-length, checksum, termination and expiration.
"""

import hashlib
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from hmac import compare_digest
from urllib.parse import quote

from litestar import Controller, HttpMethod, Response, delete, head, patch, post, route
from litestar.params import FromPath

from catalog.blobs.protocol import FileHead, Storage
from catalog.dialects.http import guards
from catalog.dialects.http.failures import respond
from catalog.dialects.http.headers import as_hex, http_date
from catalog.dialects.http.uploads import Body, read
from catalog.dialects.v1.http import AnyRequest, Given, error_response
from catalog.domain.access import Caller
from catalog.domain.files import resumable
from catalog.domain.files.filenames import file_name, media_type
from catalog.domain.files.resumable import Progress, Wanted
from catalog.domain.limits import LONGEST_DESCRIPTION, Limits
from catalog.errors import (
    BODY_TOO_LARGE,
    CHECKSUM_MISMATCH,
    NOT_CREATED,
    REQUEST,
    TUS_VERSION,
    Refused,
)
from catalog.store.tenant_documents import Raw
from catalog.vocabulary import Kind

VERSION = "1.0.0"
OCTETS = "application/offset+octet-stream"
EXTENSIONS = "creation,creation-with-upload,creation-defer-length,checksum,termination,expiration"
ALGORITHMS = ("sha256", "sha1")
CHECKED = 16 * 2**20
"""Bytes of a chunk with a checksum, which is held until that is known to be right."""

LONGEST_METADATA = 16 * 1024  # characters

READ_BY_BROWSERS = (
    "Location",
    "Content-Location",
    "Tus-Resumable",
    "Tus-Version",
    "Tus-Extension",
    "Tus-Max-Size",
    "Tus-Checksum-Algorithm",
    "Upload-Offset",
    "Upload-Length",
    "Upload-Defer-Length",
    "Upload-Metadata",
    "Upload-Expires",
    "Catalog-Ordinal",
)
"""Headers that a page of another origin sees only when it is told that it may."""


def refused(request: AnyRequest, exception: Exception) -> Response[bytes]:
    """A refusal as everywhere, in an answer that tus clients take for one."""
    answer = respond(request, exception, error_response)
    answer.headers["Tus-Resumable"] = VERSION
    if answer.status_code == TUS_VERSION.status:
        answer.headers["Tus-Version"] = VERSION
    return answer


class Offer(Controller):
    """What this server can do, for whoever asks."""

    path = "/uploads"
    opt = {"public": True}  # noqa: RUF012  Litestar's way

    @route(["/", "/{name:str}"], http_method=HttpMethod.OPTIONS, status_code=204)
    async def tell(self, max_upload_size: Given[int]) -> Response[None]:
        limit = {"Tus-Max-Size": str(max_upload_size)} if max_upload_size else {}
        able = {"Tus-Version": VERSION, "Tus-Extension": EXTENSIONS, "Tus-Checksum-Algorithm": ",".join(ALGORITHMS)}
        return _answer(204, able | limit)


class Uploads(Controller):
    path = "/uploads"
    guards = (guards.signed_in,)
    exception_handlers = {Exception: refused}  # noqa: RUF012  Litestar's way

    @post(status_code=201, request_max_body_size=None)
    async def begin(
        self,
        request: AnyRequest,
        caller: Given[Caller],
        storage: Given[Storage],
        max_upload_size: Given[int],
        upload_life: Given[timedelta],
        limits: Given[Limits],
        native_prefix: Given[str],
    ) -> Response[None]:
        _speaks_tus(request)
        kind, item, wanted = _wanted(request, max_upload_size)
        upload = await resumable.begin(caller.tenant, kind, item, wanted, caller, upload_life, limits.uploads)
        told = {"Location": f"{native_prefix}/uploads/{upload['_id']}", "Upload-Expires": http_date(upload["expires"])}
        if request.content_type[0] == OCTETS or wanted.size == 0:
            told |= await _appended(request, upload, 0, caller, storage, max_upload_size, native_prefix)
        return _answer(201, told)

    @head("/{name:str}")
    async def show(
        self,
        name: FromPath[str],
        request: AnyRequest,
        caller: Given[Caller],
        storage: Given[Storage],
        native_prefix: Given[str],
    ) -> Response[None]:
        _speaks_tus(request)
        upload = await resumable.find(caller.tenant, name, caller)
        there = await resumable.look(caller.tenant, upload, caller, storage.of(caller.tenant.name))
        length = {"Upload-Defer-Length": "1"} if upload["size"] is None else {"Upload-Length": str(upload["size"])}
        note = {"Upload-Metadata": upload["note"]} if upload["note"] else {}
        told = _told(upload, there, native_prefix)
        return _answer(200, {"Cache-Control": "no-store", **length, **note, **told})

    @patch("/{name:str}", status_code=204, request_max_body_size=None)
    async def append(
        self,
        name: FromPath[str],
        request: AnyRequest,
        caller: Given[Caller],
        storage: Given[Storage],
        max_upload_size: Given[int],
        native_prefix: Given[str],
    ) -> Response[None]:
        _speaks_tus(request)
        if request.content_type[0] != OCTETS:
            raise Refused(REQUEST, f"Content-Type: {OCTETS} is needed")
        offset = _number(request, "Upload-Offset")
        if offset is None:
            raise Refused(REQUEST, "Upload-Offset: where these bytes begin is needed")
        upload = await resumable.find(caller.tenant, name, caller)
        told = await _appended(request, upload, offset, caller, storage, max_upload_size, native_prefix)
        return _answer(204, told)

    @delete("/{name:str}", status_code=204)
    async def terminate(
        self, name: FromPath[str], request: AnyRequest, caller: Given[Caller], storage: Given[Storage]
    ) -> Response[None]:
        _speaks_tus(request)
        upload = await resumable.find(caller.tenant, name, caller)
        await resumable.terminate(caller.tenant, upload, storage.of(caller.tenant.name))
        return _answer(204, {})


def _answer(status: int, headers: Mapping[str, str]) -> Response[None]:
    return Response(None, status_code=status, headers={"Tus-Resumable": VERSION, **headers})


def _speaks_tus(request: AnyRequest) -> None:
    if request.headers.get("tus-resumable") != VERSION:
        raise Refused(TUS_VERSION, f"Tus-Resumable: {VERSION} is needed")


async def _appended(
    request: AnyRequest,
    upload: Raw,
    offset: int,
    caller: Caller,
    storage: Storage,
    max_upload_size: int,
    native_prefix: str,
) -> dict[str, str]:
    """Add the body of a request to an upload, and say how far that is now."""
    there = await resumable.append(
        caller.tenant,
        upload,
        offset,
        await _content(request),
        caller,
        storage.of(caller.tenant.name),
        size=None if request.method == HttpMethod.POST else _size(request, max_upload_size),
        most=max_upload_size or None,
        coming=request.content_length or 0,
    )
    return _told(upload, there, native_prefix)


def _told(upload: Raw, there: Progress, native_prefix: str) -> dict[str, str]:
    told = {"Upload-Offset": str(there.offset), "Upload-Expires": http_date(upload["expires"])}
    if not there.ordinal:
        return told
    where = f"{native_prefix}/{Kind(upload['kind'])}/{upload['item']}/versions/{quote(there.ordinal, safe='')}"
    where += f"/files/{quote(upload['path'])}" if upload.get("path") else ""
    return told | {"Content-Location": where, "Catalog-Ordinal": quote(there.ordinal, safe="")}


async def _content(request: AnyRequest) -> AsyncIterator[bytes]:
    """The body: as it comes, or whole when there is a checksum to be compared before any of it counts.

    Raises Refused: REQUEST, BODY_TOO_LARGE, CHECKSUM_MISMATCH, UPLOAD_CUT_OFF.
    """
    given = request.headers.get("upload-checksum")
    if given is None:
        return Body(request, 0).chunks
    algorithm, _, digest = given.partition(" ")
    if algorithm not in ALGORITHMS:
        raise Refused(REQUEST, f"Upload-Checksum: one of {', '.join(ALGORITHMS)} and, after a space, base64 is needed")
    if (request.content_length or 0) > CHECKED:
        raise Refused(BODY_TOO_LARGE, f"a chunk with a checksum may have {CHECKED} bytes")
    chunk = await read(request, CHECKED)
    found = b64encode(hashlib.new(algorithm, chunk, usedforsecurity=False).digest()).decode()
    if not compare_digest(found.encode(), digest.strip().encode()):
        raise Refused(CHECKSUM_MISMATCH, f"{algorithm} is {found}")
    return _once(chunk)


async def _once(chunk: bytes) -> AsyncIterator[bytes]:
    yield chunk


def _wanted(request: AnyRequest, max_upload_size: int) -> tuple[Kind, str, Wanted]:
    """The kind and the key of the item that gets a version, and what is said of that.

    Raises Refused: REQUEST, NOT_CREATED, BODY_TOO_LARGE.
    """
    note = request.headers.get("upload-metadata", "")
    said = _metadata(note)
    kind, item = said.get("kind", Kind.MODEL), said.get("item", "")
    if kind not in set(Kind) or not item:
        raise Refused(NOT_CREATED, "Upload-Metadata: item (an id or a name) and kind (models, datasets...) are needed")
    if len(said.get("description", "")) > LONGEST_DESCRIPTION:
        raise Refused(NOT_CREATED, f"description: at most {LONGEST_DESCRIPTION} characters")
    size = _size(request, max_upload_size)
    if size is None and request.headers.get("upload-defer-length") != "1":
        raise Refused(REQUEST, "Upload-Length: the size of the file is needed, or Upload-Defer-Length: 1")
    path = said.get("path", "")
    if bool(path) != bool(said.get("version")):
        raise Refused(NOT_CREATED, "Upload-Metadata: version (the ordinal of a draft) and path go together")
    name = file_name(said.get("filename", path))
    wanted = Wanted(
        head=FileHead(name, media_type(said.get("filetype", ""), name), "binary"),
        size=size,
        digest=as_hex("sha256", said["sha256"]) if said.get("sha256") else "",
        ordinal=(said.get("version") or said.get("ordinal", "")).strip(),
        description=said.get("description", ""),
        path=path,
        note=note,
    )
    return Kind(kind), item, wanted


def _metadata(note: str) -> dict[str, str]:
    """`key base64` pairs with commas between.

    Raises Refused: REQUEST.
    """
    if len(note) > LONGEST_METADATA:
        raise Refused(REQUEST, f"Upload-Metadata: at most {LONGEST_METADATA} characters")
    said = {}
    for pair in filter(None, map(str.strip, note.split(","))):
        key, _, value = pair.partition(" ")
        try:
            said[key] = b64decode(value, validate=True).decode()
        except ValueError:
            raise Refused(REQUEST, f"Upload-Metadata: {key[:40]!a} is not followed by base64 of UTF-8") from None
    return said


def _size(request: AnyRequest, most: int) -> int | None:
    size = _number(request, "Upload-Length")
    if size is not None and most and size > most:
        raise Refused(BODY_TOO_LARGE, f"at most {most} bytes")
    return size


def _number(request: AnyRequest, header: str) -> int | None:
    given = request.headers.get(header.lower())
    if given is None:
        return None
    if not (given.isascii() and given.isdigit() and len(given) <= 15):  # noqa: PLR2004  a petabyte
        raise Refused(REQUEST, f"{header}: not a number of bytes")
    return int(given)
