"""Uploads in parts (tus 1.0), which go on after either side has died.

How far one is, the server knows. What is kept here is where it is and which file it is of, in a small file of the
cache, until it is over: so the same call, made again by another process, goes on where the first one ended.
"""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count
from typing import NamedTuple, TypeVar
from urllib.parse import unquote, urlsplit

from catalog.client.cache import Cache, claimed
from catalog.client.effects import Answer, Operation, Request, pause, work
from catalog.client.errors import CatalogError, Conflict, Damaged, NotFound, Unavailable
from catalog.client.progress import Progress
from catalog.client.retries import wait
from catalog.client.sessions import PREFIX, Session
from catalog.client.sources import Slice, Source

T = TypeVar("T")

PART = 64 * 2**20
"""Bytes of one request."""

PATIENCE = 600.0
"""Seconds: the answer to the last part waits until the server has the whole file safe, and has looked into it."""

TUS = {"Tus-Resumable": "1.0.0"}
OCTETS = {"Content-Type": "application/offset+octet-stream"}
ROOM = "uploads"
PASSING = {118, 120}
"""Refusals that end by themselves: another request still adds to the upload."""


class Known(NamedTuple):
    """What an earlier attempt left. Empty: nothing."""

    address: str = ""
    digest: str = ""


@dataclass(frozen=True, slots=True)
class Upload:
    """A file on its way, and what the server is told of it."""

    session: Session
    cache: Cache
    source: Source
    note: Mapping[str, str]

    @property
    def key(self) -> list[object]:
        """The same for another process that uploads the same file, unchanged, to the same place."""
        return [self.session.url, self.session.tenant, sorted(self.note.items()), *self.source.identity]

    def recalled(self) -> Known:
        return Known(*self.cache.recall(ROOM, self.key) or ())

    def keep(self, known: Known) -> None:
        self.cache.remember(ROOM, self.key, known)

    def forget(self) -> None:
        self.cache.forget(ROOM, self.key)

    def alone(self, operation: Operation[T]) -> Operation[T]:
        """Do it while no other process uploads this file to this place; else two would share one upload."""
        lock = self.cache.kept(ROOM, self.key).with_suffix(".lock")
        claim = claimed(lock)
        yield from work(claim.__enter__)
        try:
            return (yield from operation)
        finally:
            lock.unlink(missing_ok=True)
            claim.__exit__(None, None, None)


def send_in_parts(upload: Upload, digest: str, tell: Progress) -> Operation[str]:
    """Send what the server has not yet, and return the ordinal of the version.

    Raises CatalogError: Unavailable when there was no progress for a while; calling again goes on from there.
    """
    reached, failures = -1, 0
    for _ in count():
        try:
            answer = yield from _begun(upload, digest)
            while not (ordinal := answer.headers.get("catalog-ordinal")):
                if _offset(answer) > reached:
                    reached, failures = _offset(answer), 0
                answer = yield from _append(upload, _offset(answer), tell)
            return unquote(ordinal)
        except Damaged:
            upload.forget()  # the server has forgotten it, too
            raise
        except CatalogError as error:
            failures += 1
            seconds = _delay(upload, error, failures)
            if seconds is None:
                raise
            yield from pause(seconds)
    raise AssertionError  # `count` does not end


def _begun(upload: Upload, digest: str) -> Operation[Answer]:
    """How far it is. One that is over is begun anew."""
    known = upload.recalled()
    if known.address:
        try:
            return (yield from upload.session.send(Request(method="HEAD", path=known.address, headers=TUS)))
        except NotFound:
            upload.forget()
    said = {**upload.note, "filename": upload.source.name, "sha256": digest}
    pairs = ",".join(f"{name} {b64encode(value.encode()).decode()}" for name, value in said.items() if value)
    headers = {**TUS, "Upload-Length": str(upload.source.size), "Upload-Metadata": pairs}
    answer = yield from upload.session.send(Request(method="POST", path=f"{PREFIX}/uploads", headers=headers))
    upload.keep(Known(upload.session.below(urlsplit(answer.headers["location"]).path), digest))
    return answer


def _append(upload: Upload, offset: int, tell: Progress) -> Operation[Answer]:
    request = Request(
        method="PATCH",
        path=upload.recalled().address,
        headers={**TUS, **OCTETS, "Upload-Offset": str(offset)},
        body=Slice(upload.source, offset, min(PART, upload.source.size - offset), tell),
        patience=PATIENCE,
    )
    return (yield from upload.session.send(request))


def _offset(answer: Answer) -> int:
    return int(answer.headers.get("upload-offset", 0))


def _delay(upload: Upload, error: CatalogError, failures: int) -> float | None:
    """Seconds until the server is asked again how far it is; None: what failed will not mend itself."""
    if isinstance(error, Unavailable):
        return wait(error, failures, upload.session.chance())
    is_passing = isinstance(error, Conflict) and error.value in PASSING
    return wait(Unavailable(""), failures, upload.session.chance()) if is_passing else None
