"""Uploads in parts (tus 1.0) that resume after either side has stopped.

The server knows the offset. The cache holds the address of the upload and the identity of the file until the upload is
complete, so that the same call from another process resumes it.
"""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import NamedTuple, TypeVar
from urllib.parse import unquote, urlsplit

from catalog.client.errors import CatalogError, Conflict, Damaged, NotFound, ProxyTooLarge, Unavailable
from catalog.client.locks import locked
from catalog.client.session import PREFIX, Session
from catalog.client.transfer.cache import Cache
from catalog.client.transfer.progress import Progress
from catalog.client.transfer.sources import Source, SourceSlice
from catalog.client.transport.effects import Operation, Request, Response, in_thread, pause
from catalog.client.transport.retries import backoff

T = TypeVar("T")

ANSWER_TIMEOUT = 600.0
"""Seconds to wait for a response: after the last part, the server stores and inspects the file."""

TUS = {"Tus-Resumable": "1.0.0"}
OFFSET_OCTETS = {"Content-Type": "application/offset+octet-stream"}
SECTION = "uploads"
TRANSIENT = {118, 120}
"""Error values that pass by themselves: another request is still appending to the upload."""


class UploadState(NamedTuple):
    """What an earlier attempt saved; empty fields if there was none."""

    address: str = ""
    digest: str = ""


@dataclass(frozen=True, slots=True)
class ResumableUpload:
    """A file to upload, and the metadata that the server gets with it."""

    session: Session
    cache: Cache
    source: Source
    details: Mapping[str, str]

    @property
    def key(self) -> list[object]:
        """Equal for another process that uploads the same unchanged file to the same place."""
        return [self.session.url, self.session.tenant, sorted(self.details.items()), *self.source.identity]

    def load(self) -> UploadState:
        saved = self.cache.load_state(SECTION, self.key)
        return UploadState(*map(str, saved)) if isinstance(saved, list | tuple) else UploadState()

    def save(self, state: UploadState) -> None:
        self.cache.save_state(SECTION, self.key, state)

    def clear(self) -> None:
        self.cache.forget(SECTION, self.key)

    def exclusively(self, operation: Operation[T]) -> Operation[T]:
        """Run an operation while no other process uploads this file to this place."""
        return exclusively(self.cache.state_file(SECTION, self.key), operation)


def exclusively(state: Path, operation: Operation[T]) -> Operation[T]:
    """Run an operation under a lock beside the file of its state.

    Where the cache cannot be written to, no other process finds that state, and there is nothing to lock.
    """
    path = state.with_suffix(".lock")
    lock = locked(path)
    try:
        yield from in_thread(lock.__enter__)
    except OSError:
        return (yield from operation)
    try:
        return (yield from operation)
    finally:
        path.unlink(missing_ok=True)
        lock.__exit__(None, None, None)


def send_in_parts(upload: ResumableUpload, digest: str, progress: Progress) -> Operation[str]:
    """Send the remaining bytes, and return the ordinal of the version.

    Raises CatalogError: Unavailable after several failures without progress; calling it again resumes.
    """
    reached, failures = -1, 0
    for _ in count():
        try:
            response = yield from _open_upload(upload, digest)
            while not (ordinal := response.headers.get("catalog-ordinal")):
                if _offset(response) > reached:
                    reached, failures = _offset(response), 0
                response = yield from _append(upload, _offset(response), progress)
            return unquote(ordinal)
        except Damaged:
            upload.clear()  # the server has discarded it as well
            raise
        except ProxyTooLarge:
            rest = upload.source.size - max(reached, 0)
            if not upload.session.shrink_bodies(min(upload.session.largest_body, rest)):
                raise
        except CatalogError as error:
            failures += 1
            seconds = _delay(upload, error, failures)
            if seconds is None:
                raise
            yield from pause(seconds)
    raise AssertionError  # `count` does not end


def _open_upload(upload: ResumableUpload, digest: str) -> Operation[Response]:
    """Request the offset of the saved upload, or create one if there is none or it has ended."""
    state = upload.load()
    if state.address:
        try:
            return (yield from upload.session.send(Request(method="HEAD", path=state.address, headers=TUS)))
        except NotFound:
            upload.clear()
    metadata = {**upload.details, "filename": upload.source.name, "sha256": digest}
    pairs = ",".join(f"{name} {b64encode(value.encode()).decode()}" for name, value in metadata.items() if value)
    headers = {**TUS, "Upload-Length": str(upload.source.size), "Upload-Metadata": pairs}
    response = yield from upload.session.send(Request(method="POST", path=f"{PREFIX}/uploads", headers=headers))
    upload.save(UploadState(upload.session.strip_base_path(urlsplit(response.headers["location"]).path), digest))
    return response


def _append(upload: ResumableUpload, offset: int, progress: Progress) -> Operation[Response]:
    request = Request(
        method="PATCH",
        path=upload.load().address,
        headers={**TUS, **OFFSET_OCTETS, "Upload-Offset": str(offset)},
        body=SourceSlice(
            upload.source, offset, min(upload.session.largest_body, upload.source.size - offset), progress
        ),
        timeout=ANSWER_TIMEOUT,
    )
    return (yield from upload.session.send(request))


def _offset(response: Response) -> int:
    return int(response.headers.get("upload-offset", 0))


def _delay(upload: ResumableUpload, error: CatalogError, failures: int) -> float | None:
    """Seconds to wait before the offset is requested again; None: the error is permanent."""
    if isinstance(error, Unavailable):
        return backoff(error, failures, upload.session.jitter())
    is_transient = isinstance(error, Conflict) and error.value in TRANSIENT
    return backoff(Unavailable(""), failures, upload.session.jitter()) if is_transient else None
