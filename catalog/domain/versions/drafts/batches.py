"""Many small files for a draft in one request: stored together, and recorded together.

A file is refused on its own for what is wrong with it: its path, its digest, its content. What concerns all of them
ends the request, and the files of earlier groups stay.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from pathlib import PurePosixPath
from time import monotonic
from typing import NamedTuple, Protocol

from catalog.blobs.protocol import Blob, FileHead, SmallContent, WrongDigestError
from catalog.domain.access import Caller
from catalog.domain.files import blob_records, intake
from catalog.domain.files.filenames import file_path
from catalog.domain.files.intake import StoredFile
from catalog.domain.items.references import Reference
from catalog.domain.versions.drafts import drafts
from catalog.errors import BODY_TOO_LARGE, DIGEST_MISMATCH, NOT_CREATED, UNSAFE_FILE, Refused
from catalog.gathering import gather_all
from catalog.inspection.inspector import FirstLook, first_looks
from catalog.store.concurrency.fence import COMMIT, FRESH
from catalog.store.records import FileRecord, VersionRecord
from catalog.vocabulary import Kind

MOST_FILES = 1000
"""Files of one request."""

LARGEST_FILE = 2**20
"""Bytes of one of them: larger ones come alone, and may be resumed."""

GROUP = 500
"""Files that are recorded together."""

GROUP_SIZE = 4 * 2**20
"""Bytes that are held in memory until a group is stored, plus one file."""

AT_ONCE = 8
"""Files of a group that are inspected at the same time, of those that may have something inside."""

OF_ONE_FILE = frozenset({DIGEST_MISMATCH, UNSAFE_FILE, NOT_CREATED, BODY_TOO_LARGE})


class PartOfBatch(Protocol):
    """A file within a request. `digest` is the client's own, in hex, or nothing."""

    path: str
    digest: str
    head: FileHead
    refusal: Refused | None
    """The refusal of its headers."""

    def chunks(self) -> AsyncIterator[bytes]: ...


class SmallFile(NamedTuple):
    path: str
    digest: str
    head: FileHead
    content: bytes


class Outcome(NamedTuple):
    """The result for one file: a record, or a refusal."""

    path: str
    file: FileRecord | None = None
    refusal: Refused | None = None


class Rejected(NamedTuple):
    """Why one file is not stored."""

    refusal: Refused


class InMemory:
    """The bytes of a file that were received a moment ago, for its inspection."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    async def read(self, _: str, start: int = 0, stop: int | None = None) -> AsyncGenerator[bytes, None]:
        yield self._content[start:stop]


async def put_all(
    caller: Caller, kind: Kind, reference: Reference, draft: VersionRecord, files: AsyncIterator[PartOfBatch]
) -> list[Outcome]:
    """Store files in a draft, where they replace those with the same paths, and say what became of each.

    Raises Refused: what `files` and `drafts.add` raise, QUOTA_EXCEEDED, STORAGE_FULL, BUSY; and as `drafts.find` when
    the caller has lost the right meanwhile.
    """
    outcomes: list[Outcome] = []
    looked, group, size = monotonic(), list[SmallFile](), 0

    async def store() -> None:
        nonlocal draft, looked, size
        if monotonic() - looked > FRESH - COMMIT:
            draft = await drafts.find(caller, kind, Reference(str(draft["item"]), reference.which))
            looked = monotonic()
        outcomes.extend(await _store(caller, draft, group))
        group.clear()
        size = 0

    async for part in files:
        try:
            group.append(await _received(part))
            size += len(group[-1].content)
        except Refused as refusal:
            if refusal.fault not in OF_ONE_FILE:
                raise
            outcomes.append(Outcome(part.path, refusal=refusal))
        if len(group) == GROUP or size >= GROUP_SIZE:
            await store()
    if group:
        await store()
    return outcomes


async def _received(part: PartOfBatch) -> SmallFile:
    """Raises Refused: NOT_CREATED, BODY_TOO_LARGE, DIGEST_MISMATCH, and what `part` raises."""
    if part.refusal:
        raise part.refusal
    path, content = file_path(part.path), bytearray()
    async for chunk in part.chunks():
        content += chunk
        if len(content) > LARGEST_FILE:
            raise Refused(BODY_TOO_LARGE, f"a file among others has at most {LARGEST_FILE} bytes: send it alone")
    return SmallFile(path, part.digest, part.head, bytes(content))


async def _store(caller: Caller, draft: VersionRecord, group: Sequence[SmallFile]) -> list[Outcome]:
    tenant, slots = caller.tenant, asyncio.Semaphore(AT_ONCE)

    async def examine(file: SmallFile, blob: Blob, first: FirstLook | None) -> StoredFile | Rejected:
        try:
            async with slots:
                return await intake.inspected(tenant, file.head, blob, file.path, InMemory(file.content), first)
        except Refused as refusal:
            return Rejected(refusal)

    with intake.storage_failures_refused():
        written = await tenant.blobs.put_small([SmallContent(file.content, file.digest) for file in group])
    whole = [(file, blob) for file, blob in zip(group, written, strict=True) if isinstance(blob, Blob)]
    await blob_records.hold_all(tenant, [blob for _, blob in whole])
    looks = await first_looks([(file.content, PurePosixPath(file.path).name) for file, _ in whole])
    examined = await gather_all(examine(*each, first) for each, first in zip(whole, looks, strict=True))
    stored = [each for each in examined if isinstance(each, StoredFile)]
    records = await drafts.add(caller, draft, stored) if stored else []
    refused = [
        Outcome(file.path, refusal=intake.mismatch(file.digest, end.received))
        for file, end in zip(group, written, strict=True)
        if isinstance(end, WrongDigestError)
    ]
    refused += [
        Outcome(file.path, refusal=end.refusal)
        for (file, _), end in zip(whole, examined, strict=True)
        if isinstance(end, Rejected)
    ]
    return [*(Outcome(record["path"], record) for record in records), *refused]
