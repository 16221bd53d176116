"""The artifact service: `/api/2.0/mlflow-artifacts/...`. Files are streamed both ways and never held in memory."""

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import PurePosixPath, PureWindowsPath
from urllib.parse import unquote

from litestar import Response

from catalog.dialects.http.request_log import set_subject
from catalog.dialects.http.requests.injection import AnyRequest
from catalog.dialects.http.transfers.downloads import Download
from catalog.dialects.http.transfers.uploads import BodyUpload, ReceivedBody
from catalog.dialects.http.transfers.version_files import REDIRECTED_FOR, DownloadableFile, file_download
from catalog.dialects.mlflow import models as wire
from catalog.dialects.mlflow.errors import JSON
from catalog.dialects.mlflow.requests import Call, MlflowServices, answered, read
from catalog.domain.access import Caller
from catalog.domain.artifacts import parts, reading, signed, tree
from catalog.domain.artifacts.parts import NamedPart
from catalog.domain.artifacts.reading import FoundFile
from catalog.domain.artifacts.signed import SignedTarget
from catalog.domain.files.filenames import file_name
from catalog.errors import INVALID_FIELD, LINK_INVALID, Refused

ADDRESS_LIFE = timedelta(hours=12)
"""How long the addresses of parts live: a large file takes hours on a slow line."""

LAYERS = 8  # of percent-encoding

_SLASHES = re.compile("//+")

NOTHING = wire.Nothing()


async def put(call: Call, path: str) -> Response[bytes]:
    path = decoded(path)
    upload = BodyUpload(call.request, call.services.max_upload_size, path.rpartition("/")[2])
    await tree.put(call.caller, path, upload, call.services.visibility)
    return answered(NOTHING)


async def get(call: Call, path: str) -> Download:
    return await _download(call.request, call.caller, await reading.find(call.caller, decoded(path)))


async def list_(call: Call) -> Response[bytes]:
    folder = decoded(str(call.request.query_params.get("path", ""))).strip("/")
    entries = await reading.list_(call.caller, folder)
    return answered(wire.Artifacts([wire.FileInfo(each.name, each.is_folder, each.size) for each in entries]))


async def delete(call: Call, path: str) -> Response[bytes]:
    await tree.remove(call.caller, decoded(path))
    return answered(NOTHING)


async def create_upload(call: Call, folder: str) -> Response[bytes]:
    message = await read(call.request, wire.CreateMultipartUpload)
    path = _path_in(folder, message.path)
    services = call.services
    upload = await parts.begin(call.caller, path, message.num_parts, services.upload_life, services.limits.uploads)
    # Signing and encoding thousands of addresses takes a third of a second.
    return answered(await asyncio.to_thread(_addresses_of_parts, call, upload["_id"], message.num_parts))


async def complete_upload(call: Call, folder: str) -> Response[bytes]:
    message = await read(call.request, wire.CompleteMultipartUpload)
    named = [NamedPart(part.part_number, part.etag.strip('"')) for part in message.parts]
    path = _path_in(folder, message.path)
    services = call.services
    await parts.complete(call.caller, message.upload_id, path, named, services.visibility, services.max_upload_size)
    return answered(NOTHING)


async def abort_upload(call: Call, folder: str) -> Response[bytes]:
    message = await read(call.request, wire.AbortMultipartUpload)
    await parts.abort(call.caller, message.upload_id, _path_in(folder, message.path))
    return answered(NOTHING)


async def presigned(call: Call, path: str) -> Response[bytes]:
    path = decoded(path)
    file = await reading.find(call.caller, path)
    blobs = call.caller.tenant.blobs
    url = await blobs.presigned(file.digest, seconds=REDIRECTED_FOR, name=file.name, mimetype=file.mimetype)
    address = url or _signed_address(call, SignedTarget(path=path))
    return answered(wire.PresignedDownload(address, {}, file.size))


async def put_part(request: AnyRequest, services: MlflowServices, token: str) -> Response[bytes]:
    """Store a part of an upload. Its address is the permission."""
    caller, target = await _signed_caller(request, services, token)
    if not target.upload:
        raise Refused(LINK_INVALID)
    body = ReceivedBody(request, services.max_upload_size)
    body.refuse_announced_size()
    digest = await parts.put(caller, target.upload, target.part, _chunks(body), request.content_length or 0)
    return Response(b"", media_type=JSON, headers={"ETag": f'"{digest}"'})


async def get_signed(request: AnyRequest, services: MlflowServices, token: str) -> Download:
    """A file, or a range of it. Its address is the permission."""
    caller, target = await _signed_caller(request, services, token)
    if not target.path:
        raise Refused(LINK_INVALID)
    return await _download(request, caller, await reading.find(caller, target.path))


def decoded(path: str) -> str:
    """A path as it is meant, however often a client has percent-encoded it. Several slashes are one, as on a disk.

    Raises Refused: INVALID_FIELD.
    """
    for _ in range(LAYERS):
        path, before = unquote(path), path
        if path == before:
            return _SLASHES.sub("/", path)
    raise Refused(INVALID_FIELD, "Invalid path: it is percent-encoded too often")


def _path_in(folder: str, local: str) -> str:
    """The path of an upload in `folder`, of a file whose path on the client's machine is `local`."""
    name = PureWindowsPath(local).name if re.match(r"[A-Za-z]:\\|\\\\", local) else PurePosixPath(local).name
    return "/".join(filter(None, (decoded(folder).strip("/"), file_name(name))))


def _signed_address(call: Call, target: SignedTarget) -> str:
    return call.address(f"signed/{call.services.signed.sign(call.caller, target, ADDRESS_LIFE)}")


def _addresses_of_parts(call: Call, upload: str, count: int) -> wire.MultipartUpload:
    return wire.MultipartUpload(
        upload,
        [
            wire.PartAddress(_signed_address(call, SignedTarget(upload=upload, part=number)), number)
            for number in range(1, count + 1)
        ],
    )


async def _signed_caller(request: AnyRequest, services: MlflowServices, token: str) -> tuple[Caller, SignedTarget]:
    claims = services.signed.read(token)
    tenant = await services.sessions.tenant(claims.tenant)
    caller = await signed.caller_of(tenant, claims)
    set_subject(request.scope, caller.tenant, caller.username)
    return caller, claims.target


async def _download(request: AnyRequest, caller: Caller, file: FoundFile) -> Download:
    found: DownloadableFile = {
        "original": file.name,
        "digest": file.digest,
        "size": file.size,
        "mimetype": file.mimetype,
    }
    return await file_download(request, caller.tenant.blobs, found, file.modified)


async def _chunks(body: ReceivedBody) -> AsyncIterator[bytes]:
    async for chunk in body.chunks:
        yield chunk
