"""Files up: small ones in one request, large ones in parts, and those that the server has by their digest alone."""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from catalog.client.cache import Cache
from catalog.client.effects import Operation, Request, work
from catalog.client.errors import Forbidden, NotFound
from catalog.client.progress import Progress
from catalog.client.results import Raw, Value, Version
from catalog.client.resumable import Upload, send_in_parts
from catalog.client.sessions import PREFIX, Session, segment
from catalog.client.sources import Slice, Source

SMALL = 8 * 2**20
"""Bytes that are sent in one request; more are sent in parts."""

WORTH_ASKING = 2**18
"""Bytes from which it is cheaper to ask whether the server has them than to send them."""

LONGEST_BESIDE = 2000
"""Characters of a description that goes with the file, in a query or a header."""

PATIENCE = 600.0
"""Seconds: the answer to the last byte waits until the server has the file safe, and has looked into it."""

BYTES_NEEDED = 117


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What is said of a version."""

    ordinal: str = ""
    description: str = ""
    metadata: Mapping[str, Value] = field(default_factory=dict)

    @property
    def beside(self) -> str:
        """The description, if it can go with the file."""
        return self.description if len(self.description) <= LONGEST_BESIDE else ""

    @property
    def after(self) -> dict[str, Any]:
        """What has to be said when the version is there."""
        after: dict[str, Any] = {}
        if self.metadata:
            after["metadata"] = {"add": as_pairs(self.metadata)}
        if self.description != self.beside:
            after["description"] = self.description
        return after


@dataclass(frozen=True, slots=True)
class Target:
    """The item that gets a version, and what is needed to send it there."""

    session: Session
    cache: Cache
    kind: str
    key: str

    @property
    def path(self) -> str:
        return f"/{self.kind}/{segment(self.key)}/versions"

    def at(self, which: str) -> str:
        return f"{self.path}/{segment(which)}"

    def document(self, which: str) -> Operation[Raw]:
        """The record of a version."""
        found: Raw = yield from self.session.ask("GET", f"{self.at(which)}/info")
        return found

    def info(self, which: str) -> Operation[Version]:
        return Version.of((yield from self.document(which)))


def add_file(to: Target, source: Source, said: Said, tell: Progress) -> Operation[Version]:
    """A new version of one file.

    Raises CatalogError: Damaged when the file changed meanwhile, or its bytes on the way.
    """
    if source.size <= SMALL:
        digest = yield from work(source.digest, tell)
        ordinal = (yield from _known(to, source, digest, said, tell)) or (
            yield from _at_once(to, source, digest, said, tell)
        )
        return (yield from _told(to, ordinal, said))
    upload = Upload(
        to.session,
        to.cache,
        source,
        {"kind": to.kind, "item": to.key, "ordinal": said.ordinal, "description": said.beside},
    )
    return (yield from upload.alone(_in_parts(to, upload, said, tell)))


def put_file(to: Target, draft: str, path: str, source: Source, digest: str, tell: Progress) -> Operation[None]:
    """A file into a draft, in the place of one that was there."""
    if source.size <= SMALL:
        request = Request(
            method="PUT",
            path=f"{PREFIX}{to.at(draft)}/files/{quote(path)}",
            headers={"Repr-Digest": _structured(digest)},
            body=Slice(source, 0, source.size, tell),
            patience=PATIENCE,
        )
        yield from to.session.send(request)
        return
    note = {"kind": to.kind, "item": to.key, "version": draft, "path": path}
    upload = Upload(to.session, to.cache, source, note)
    yield from send_in_parts(upload, digest, tell)
    upload.forget()


def _in_parts(to: Target, upload: Upload, said: Said, tell: Progress) -> Operation[Version]:
    known = upload.recalled()
    digest = known.digest or (yield from work(upload.source.digest, tell))
    ordinal = "" if known.address else (yield from _known(to, upload.source, digest, said, tell))
    version = yield from _told(to, ordinal or (yield from send_in_parts(upload, digest, tell)), said)
    upload.forget()
    return version


def _known(to: Target, source: Source, digest: str, said: Said, tell: Progress) -> Operation[str]:
    """The ordinal of a version made of what the server has already; empty when it has not, or not for us."""
    if source.size < WORTH_ASKING:
        return ""
    body = {"digest": f"sha256:{digest}", "size": source.size, "name": source.name, "ordinal": said.ordinal}
    try:
        yield from to.session.send(Request(method="HEAD", path=f"{PREFIX}/blobs/sha256:{digest}"))
        item = yield from to.session.ask("POST", to.path, body={**body, "description": said.beside})
    except NotFound:
        return ""  # of the item, too: the upload will say so
    except Forbidden as refused:
        if refused.value == BYTES_NEEDED:
            return ""
        raise
    tell("uploading", source.size, source.size)
    return _ordinal_in(item, digest, said.ordinal)


def _at_once(to: Target, source: Source, digest: str, said: Said, tell: Progress) -> Operation[str]:
    query = {"name": source.name, "description": said.beside, "ordinal": said.ordinal}
    request = Request(
        method="POST",
        path=f"{PREFIX}{to.path}",
        query={name: value for name, value in query.items() if value},
        headers={"Repr-Digest": _structured(digest)},
        body=Slice(source, 0, source.size, tell),
        patience=PATIENCE,
    )
    answer = yield from to.session.send(request)
    return _ordinal_in(answer.json(), digest, said.ordinal)


def _told(to: Target, ordinal: str, said: Said) -> Operation[Version]:
    """The version, after all was said that did not go with its file."""
    if not said.after:
        return (yield from to.info(ordinal))
    return Version.of((yield from to.session.ask("PUT", to.at(ordinal), body=said.after)))


def _structured(digest: str) -> str:
    """As RFC 9530 writes it."""
    return f"sha-256=:{b64encode(bytes.fromhex(digest)).decode()}:"


def _ordinal_in(item: Mapping[str, Any], digest: str, ordinal: str) -> str:
    """Which version of an item was just made: the newest of these bytes."""
    return ordinal or str([each["ordinal"] for each in item["versions"] if each["digest"] == digest][-1])


def as_pairs(metadata: Mapping[str, Value]) -> list[dict[str, Value]]:
    return [{"name": name, "value": value} for name, value in metadata.items()]
