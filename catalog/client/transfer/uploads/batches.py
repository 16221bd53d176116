"""Sends many small files in one request, as the parts of a form."""

import json
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import NamedTuple, TypedDict
from urllib.parse import quote
from uuid import uuid4

from catalog.client.errors import CatalogError, ProxyTooLarge, Unavailable, error_from
from catalog.client.results import shaped
from catalog.client.session import PREFIX
from catalog.client.transfer.progress import TotalProgress
from catalog.client.transfer.sources import Source
from catalog.client.transfer.uploads.uploads import ANSWER_TIMEOUT, TargetItem, digest_header, put_file
from catalog.client.transport.answers import document
from catalog.client.transport.effects import Operation, Request, Response, in_thread

SMALL = 2**18
"""Files up to this size, in bytes, are sent together."""

TOGETHER = 500
"""Files of one request."""

BATCH_SIZE = 4 * 2**20
"""Bytes of the files of one request."""

NO_SUCH_ROUTE = frozenset({404, 405})
UNKNOWN_ROUTE = 100
"""The error value of an older server, which has no route for many files."""


class FileRefusal(TypedDict):
    path: str
    message: str
    status: int


class StoredFiles(TypedDict):
    errors: list[FileRefusal]


class SmallSource(NamedTuple):
    path: str
    source: Source
    digest: str
    content: bytes


def batches_of(sources: Mapping[str, Source]) -> list[list[tuple[str, Source]]]:
    """Small files in groups, each for one request."""
    batches: list[list[tuple[str, Source]]] = []
    room = 0
    for path, source in sources.items():
        if not batches or len(batches[-1]) == TOGETHER or source.size > room:
            batches.append([])
            room = BATCH_SIZE
        batches[-1].append((path, source))
        room -= source.size
    return batches


def put_files(
    to: TargetItem,
    draft: str,
    batch: Sequence[tuple[str, Source]],
    existing: Mapping[str, str],
    total: TotalProgress,
) -> Operation[None]:
    """Upload small files into a draft, except those that it has already.

    When the request fails on its way, or the server is older, they are sent one by one. Raises CatalogError.
    """
    files = yield from in_thread(_read, batch)
    missing = [file for file in files if existing.get(file.path) != file.digest]
    if missing:
        yield from _send(to, draft, missing, total)
    for file in files:
        total.of(file.path)("uploading", file.source.size, file.source.size)


def _send(to: TargetItem, draft: str, files: Sequence[SmallSource], total: TotalProgress) -> Operation[None]:
    size = sum(len(file.content) for file in files)
    if len(files) > 1 and size > to.session.largest_body:
        yield from _send_halves(to, draft, files, total)
        return
    boundary = uuid4().hex
    request = Request(
        method="POST",
        path=f"{PREFIX}{to.at(draft)}/files",
        headers={"Content-Type": f"multipart/form-data; boundary={boundary}"},
        body=b"".join(_form(files, boundary)),
        timeout=ANSWER_TIMEOUT,
    )
    try:
        response = yield from to.session.send(request)
    except ProxyTooLarge:
        to.session.shrink_bodies(size)
        yield from _send_halves(to, draft, files, total)
        return
    except CatalogError as error:
        is_older = error.status in NO_SUCH_ROUTE and error.value in {UNKNOWN_ROUTE, UNKNOWN_ROUTE + 1}
        if not is_older and not isinstance(error, Unavailable):
            raise
        yield from _send_alone(to, draft, files, total)
        return
    for refused in shaped(document(response), StoredFiles)["errors"]:
        raise _refusal(refused)


def _send_halves(to: TargetItem, draft: str, files: Sequence[SmallSource], total: TotalProgress) -> Operation[None]:
    """Send files in smaller requests: a proxy takes no larger ones."""
    if len(files) == 1:
        yield from _send_alone(to, draft, files, total)
        return
    middle = len(files) // 2
    for half in (files[:middle], files[middle:]):
        yield from _send(to, draft, half, total)


def _send_alone(to: TargetItem, draft: str, files: Sequence[SmallSource], total: TotalProgress) -> Operation[None]:
    for file in files:
        yield from put_file(to, draft, file.path, file.source, file.digest, total.of(file.path))


def _refusal(refused: FileRefusal) -> CatalogError:
    """The exception for a file that the server does not take, as if it had been sent alone."""
    shown = {**refused, "message": f"{refused['path']}: {refused['message']}"}
    return error_from(Response(refused["status"], {}, json.dumps(shown).encode()))


def _read(batch: Iterable[tuple[str, Source]]) -> list[SmallSource]:
    files = []
    for path, source in batch:
        content = source.path.read_bytes()
        files.append(SmallSource(path, source, sha256(content).hexdigest(), content))
    return files


def _form(files: Iterable[SmallSource], boundary: str) -> Iterable[bytes]:
    for file in files:
        name = f"filename*=UTF-8''{quote(file.path)}"
        yield (
            f'--{boundary}\r\nContent-Disposition: form-data; name="file"; {name}\r\n'
            f"Repr-Digest: {digest_header(file.digest)}\r\n\r\n"
        ).encode()
        yield file.content
        yield b"\r\n"
    yield f"--{boundary}--\r\n".encode()
