"""Uploads one file: a small one in one request, a large one in parts, stored bytes by their digest alone."""

import json
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NotRequired, TypedDict
from urllib.parse import quote

from catalog.client.errors import Forbidden, NotFound, ProxyTooLarge
from catalog.client.push_pull.annotations import metadata_values
from catalog.client.results import Document, Value, Version, shaped
from catalog.client.results.shapes import shape_error
from catalog.client.session import PREFIX, Session, segment
from catalog.client.transfer.cache import Cache
from catalog.client.transfer.progress import Progress
from catalog.client.transfer.sources import Source, SourceSlice
from catalog.client.transfer.uploads.resumable_uploads import ResumableUpload, send_in_parts
from catalog.client.transport.answers import document
from catalog.client.transport.effects import Operation, Request, in_thread

SMALL = 8 * 2**20
"""Files up to this size, in bytes, are sent in one request, larger ones in parts."""

WORTH_ASKING = 2**18
"""From this size, in bytes, asking whether the server has a file is cheaper than sending it."""

LONGEST_INLINE = 2000
"""The longest text, in characters, that is sent along with the file, in a query or a header: a description, or
metadata or inputs as JSON."""

ANSWER_TIMEOUT = 600.0
"""Seconds to wait for a response: the server stores and inspects the file before it answers."""

BYTES_NEEDED = 117

FILES_OF_A_PAGE = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class NewVersionFields:
    """The description, metadata and ordinal of a new version."""

    ordinal: str = ""
    description: str = ""
    metadata: Mapping[str, Value] = field(default_factory=dict)
    inputs: Sequence[str] = ()
    strict: bool = False
    """Refuse a file in which the inspection of the server finds a threat."""

    @property
    def inline(self) -> dict[str, str]:
        """What is sent along with the file: the fields that are short."""
        pairs = json.dumps(as_pairs(self.metadata)) if self.metadata else ""
        inputs = json.dumps([*self.inputs]) if self.inputs else ""
        strict = "true" if self.strict else ""
        texts = {"description": self.description, "metadata": pairs, "inputs": inputs, "strict": strict}
        return {name: text for name, text in texts.items() if text and len(text) <= LONGEST_INLINE}

    @property
    def deferred(self) -> dict[str, object]:
        """The changes that are sent once the version exists."""
        body: dict[str, object] = {}
        if self.metadata and "metadata" not in self.inline:
            body["metadata"] = {"add": as_pairs(self.metadata)}
        if self.description and "description" not in self.inline:
            body["description"] = self.description
        if self.inputs and "inputs" not in self.inline:
            body["inputs"] = [*self.inputs]
        return body

    @property
    def inline_values(self) -> dict[str, object]:
        """What is sent along in a JSON body: the same, not as text."""
        inline = self.inline
        read: dict[str, object] = {
            name: json.loads(inline[name]) for name in ("metadata", "inputs", "strict") if name in inline
        }
        return {**inline, **read}


class PageOfFiles(TypedDict):
    docs: list[Document]
    hasNextPage: bool
    nextPage: int | None


class OrdinalAndDigest(TypedDict):
    ordinal: str
    digest: NotRequired[str]


class ItemWithVersions(TypedDict):
    versions: list[OrdinalAndDigest]


@dataclass(frozen=True, slots=True)
class TargetItem:
    """An item whose versions are read or added, with the session and the cache to use."""

    session: Session
    cache: Cache
    kind: str
    key: str

    @property
    def path(self) -> str:
        return f"{self.item}/versions"

    @property
    def item(self) -> str:
        return f"/{self.kind}/{segment(self.key)}"

    def at(self, which: str | int) -> str:
        """The path of a version. A number stands for its text, as `versions.get(3)` has it."""
        return f"{self.path}/{segment(str(which) if isinstance(which, int) else which)}"

    def document(self, which: str | int) -> Operation[Document]:
        """The record of a version, with all of its files."""
        found = yield from self.session.request_json("GET", f"{self.at(which)}/info")
        if not found.get("truncated"):
            return found
        path = f"{self.at(Version.of(found).ordinal)}/files"
        files: list[Document] = []
        number: int | None = 1
        while number:
            query = {"page": str(number), "limit": str(FILES_OF_A_PAGE)}
            page = shaped((yield from self.session.request_json("GET", path, query=query)), PageOfFiles)
            files += page["docs"]
            number = page["nextPage"] if page["hasNextPage"] and page["docs"] else None
        return {**found, "files": files}

    def info(self, which: str | int) -> Operation[Version]:
        return Version.of((yield from self.document(which)))


def add_file(to: TargetItem, source: Source, details: NewVersionFields, progress: Progress) -> Operation[Version]:
    """Upload one file as a new version.

    Raises CatalogError: Damaged if the file changed meanwhile, or its bytes were damaged in transit.
    """
    if source.size <= min(SMALL, to.session.largest_body):
        digest = yield from in_thread(source.digest, progress)
        try:
            ordinal = (yield from _reuse_stored_bytes(to, source, digest, details, progress)) or (
                yield from _send_whole(to, source, digest, details, progress)
            )
            return (yield from _apply_details(to, ordinal, details))
        except ProxyTooLarge:
            if not to.session.shrink_bodies(source.size):
                raise
    upload = ResumableUpload(
        to.session,
        to.cache,
        source,
        {"kind": to.kind, "item": to.key, "ordinal": details.ordinal, **details.inline},
    )
    return (yield from upload.exclusively(_in_parts(to, upload, details, progress)))


def put_file(to: TargetItem, draft: str, path: str, source: Source, digest: str, progress: Progress) -> Operation[None]:
    """Upload a file into a draft; an existing file at its path is replaced."""
    if source.size <= min(SMALL, to.session.largest_body):
        request = Request(
            method="PUT",
            path=f"{PREFIX}{to.at(draft)}/files/{quote(path)}",
            headers={"Repr-Digest": digest_header(digest)},
            body=SourceSlice(source, 0, source.size, progress),
            timeout=ANSWER_TIMEOUT,
        )
        try:
            yield from to.session.send(request)
        except ProxyTooLarge:
            if not to.session.shrink_bodies(source.size):
                raise
        else:
            return
    target = {"kind": to.kind, "item": to.key, "version": draft, "path": path}
    upload = ResumableUpload(to.session, to.cache, source, target)
    yield from send_in_parts(upload, digest, progress)
    upload.clear()


def _in_parts(
    to: TargetItem, upload: ResumableUpload, details: NewVersionFields, progress: Progress
) -> Operation[Version]:
    state = upload.load()
    digest = state.digest or (yield from in_thread(upload.source.digest, progress))
    ordinal = "" if state.address else (yield from _reuse_stored_bytes(to, upload.source, digest, details, progress))
    version = yield from _apply_details(to, ordinal or (yield from send_in_parts(upload, digest, progress)), details)
    upload.clear()
    return version


def _reuse_stored_bytes(
    to: TargetItem, source: Source, digest: str, details: NewVersionFields, progress: Progress
) -> Operation[str]:
    """Create the version from bytes that the server has already; return its ordinal.

    Returns an empty text if the server does not have them, or not for this user.
    """
    if source.size < WORTH_ASKING:
        return ""
    body = {"digest": f"sha256:{digest}", "size": source.size, "name": source.name, "ordinal": details.ordinal}
    try:
        yield from to.session.send(Request(method="HEAD", path=f"{PREFIX}/blobs/sha256:{digest}"))
        item = yield from to.session.request_json("POST", to.path, body={**body, **details.inline_values})
    except NotFound:
        return ""  # possibly of the item: then the upload raises it
    except Forbidden as refused:
        if refused.value == BYTES_NEEDED:
            return ""
        raise
    progress("uploading", source.size, source.size)
    return _ordinal_in(item, digest, details.ordinal)


def _send_whole(
    to: TargetItem, source: Source, digest: str, details: NewVersionFields, progress: Progress
) -> Operation[str]:
    query = {"name": source.name, "ordinal": details.ordinal, **details.inline}
    request = Request(
        method="POST",
        path=f"{PREFIX}{to.path}",
        query={name: value for name, value in query.items() if value},
        headers={"Repr-Digest": digest_header(digest)},
        body=SourceSlice(source, 0, source.size, progress),
        timeout=ANSWER_TIMEOUT,
    )
    response = yield from to.session.send(request)
    return _ordinal_in(document(response), digest, details.ordinal)


def _apply_details(to: TargetItem, ordinal: str, details: NewVersionFields) -> Operation[Version]:
    """Apply the details that were not sent along with the file; return the version."""
    if not details.deferred:
        return (yield from to.info(ordinal))
    return Version.of((yield from to.session.request_json("PUT", to.at(ordinal), body=details.deferred)))


def digest_header(digest: str) -> str:
    """A digest in the syntax of RFC 9530."""
    return f"sha-256=:{b64encode(bytes.fromhex(digest)).decode()}:"


def _ordinal_in(item: Document, digest: str, ordinal: str) -> str:
    """The ordinal of the version just created: the newest one with this digest."""
    versions = shaped(item, ItemWithVersions)["versions"]
    created = [each["ordinal"] for each in versions if each.get("digest") == digest]
    if not (ordinal or created):
        raise shape_error("the new version is missing")
    return ordinal or created[-1]


def as_pairs(metadata: Mapping[str, object]) -> list[dict[str, Value]]:
    """Metadata as it is sent. Raises Invalid."""
    return [{"name": name, "value": value} for name, value in metadata_values(metadata).items()]
