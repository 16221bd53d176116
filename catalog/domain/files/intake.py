"""Receiving files: quota, storage, digest, inspection. The result may become part of a version."""

import asyncio
import errno
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import NamedTuple, Protocol

from catalog.blobs.protocol import Blob, Blobs, FileHead, WrongDigestError
from catalog.domain.access import Caller
from catalog.domain.files import blob_records, quota
from catalog.errors import DIGEST_MISMATCH, DOWNLOAD, NOT_FOUND, STORAGE_FULL, UNSAFE_FILE, Refused
from catalog.gathering import gather_all
from catalog.inspection.inspector import FirstLook, Inspection, holds_back, inspect
from catalog.inspection.source import ReadableBlobs
from catalog.store.records import FileRecord
from catalog.store.tenant import Tenant
from catalog.vocabulary import InspectionPolicy

GROUP = 500
"""Files that are held together."""

AT_ONCE = 8
"""Files of a group that are inspected at the same time."""

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)

LONGEST_VERDICT = 200  # characters of it that the record of a file in a folder has


class IncomingFile(Protocol):
    """A file in a request. Nothing is read from the client before `open`."""

    digest: str
    """The client's own SHA-256 of the bytes, in hex, or nothing."""

    announced: int
    """How many bytes the client says will come, at least; 0 when it does not say."""

    async def open(self) -> FileHead: ...

    def chunks(self) -> AsyncIterator[bytes]: ...

    @property
    def description(self) -> str:
        """Complete once `chunks` has ended."""
        ...


class BriefInspection(NamedTuple):
    """What the record of a file in a folder, or in the artifact tree, says of its inspection."""

    format: str
    verdict: str
    held: bool

    @classmethod
    def of(cls, inspection: Inspection) -> "BriefInspection":
        return cls(inspection["format"], inspection["verdict"][:LONGEST_VERDICT], holds_back(inspection))


class KnownFile(NamedTuple):
    """A file whose bytes the tenant has, for a version that is to have it under `path`.

    `brief` is how its inspection ended when it arrived; None for one that is to be inspected again.
    """

    head: FileHead
    blob: Blob
    path: str
    brief: BriefInspection | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFile:
    """Bytes that are stored, held and inspected. Without a `path` it is the only file of its version.

    The whole `inspection` is there if it was made now.
    """

    head: FileHead
    blob: Blob
    brief: BriefInspection
    inspection: Inspection | None = None
    path: str = ""

    @property
    def is_suspicious(self) -> bool:
        """Whether a policy may hold it back."""
        return self.brief.held

    def record(self) -> FileRecord:
        """The file within its version. A file of a folder has a short form of its inspection; a single one has none,
        because its version has all of it.
        """
        return {
            "original": self.head.name,
            "digest": self.blob.digest,
            "size": self.blob.size,
            "mimetype": self.head.mimetype,
            "encoding": self.head.encoding,
            "path": self.path or self.head.name,
            "format": self.brief.format if self.path else "",
            "verdict": self.brief.verdict if self.path else "",
            "held": bool(self.path) and self.is_suspicious,
        }


async def receive(caller: Caller, upload: IncomingFile, path: str = "") -> StoredFile:
    """Store an upload's bytes, so that a version may name them.

    Raises Refused: QUOTA_EXCEEDED, DIGEST_MISMATCH, STORAGE_FULL, NOT_FOUND when the tenant is gone, what `accept`
    raises, and what `upload` does.
    """
    tenant = caller.tenant
    await quota.refuse_excess(tenant, upload.announced)
    head = await upload.open()
    async with aclosing(quota.limit(tenant, upload.chunks(), upload.announced)) as chunks:
        blob = await store(tenant.blobs, chunks, upload.digest, upload.announced)
    return await accept(tenant, head, blob, path)


async def store(blobs: Blobs, chunks: AsyncIterator[bytes], digest: str = "", size: int = 0) -> Blob:
    """Store bytes, which have this `digest` if the client announced one. No version may name them yet.

    `size` is about how many there will be, or 0.

    Raises Refused: DIGEST_MISMATCH, STORAGE_FULL, NOT_FOUND when the tenant is gone.
    """
    try:
        with storage_failures_refused():
            return await blobs.put(chunks, Blob(digest, size) if digest else None)
    except WrongDigestError as wrong:
        raise mismatch(digest, wrong.received) from None


def mismatch(announced: str, received: str) -> Refused:
    """The refusal of bytes that are not those that the client announced."""
    return Refused(DIGEST_MISMATCH, f"announced {announced}, received {received}")


async def accept(tenant: Tenant, head: FileHead, blob: Blob, path: str = "") -> StoredFile:
    """Hold stored bytes, so that a version may name them, and inspect them.

    Raises Refused: UNSAFE_FILE when the tenant rejects such files, QUOTA_EXCEEDED, BUSY.
    """
    await blob_records.hold(tenant, blob)
    return await inspected(tenant, head, blob, path, tenant.blobs)


async def accept_all(tenant: Tenant, files: Sequence[KnownFile]) -> list[StoredFile]:
    """Accept many files whose bytes the tenant has, in a few commands for each group of them.

    A file that was inspected when it arrived is not read again, unless its version has the whole inspection.

    Raises Refused: DOWNLOAD for bytes that are lost or damaged, and what `accept` raises.
    """
    stored: list[StoredFile] = []
    slots = asyncio.Semaphore(AT_ONCE)

    async def examined(file: KnownFile) -> StoredFile:
        if file.path and file.brief:
            _refuse_unsafe(tenant, file.brief)
            return StoredFile(head=_named(file.head, file.path), blob=file.blob, brief=file.brief, path=file.path)
        async with slots:
            return await inspected(tenant, file.head, file.blob, file.path, tenant.blobs)

    for at in range(0, len(files), GROUP):
        group = files[at : at + GROUP]
        lost = await blob_records.not_intact(tenant, [file.blob for file in group])
        for file in group:
            if file.blob.digest in lost:
                raise Refused(DOWNLOAD, f"the bytes of {file.path or file.head.name} are missing or damaged")
        await blob_records.hold_all(tenant, [file.blob for file in group])
        stored += await gather_all(examined(file) for file in group)
    return stored


async def inspected(
    tenant: Tenant, head: FileHead, blob: Blob, path: str, blobs: ReadableBlobs, first: FirstLook | None = None
) -> StoredFile:
    """Inspect a file that is held. Its bytes are read from `blobs`. Raises Refused: UNSAFE_FILE."""
    head = _named(head, path)
    inspection = await inspect(blobs, blob.digest, blob.size, head.name, first)
    brief = BriefInspection.of(inspection)
    _refuse_unsafe(tenant, brief)
    return StoredFile(head=head, blob=blob, brief=brief, inspection=inspection, path=path)


def _named(head: FileHead, path: str) -> FileHead:
    return head._replace(name=PurePosixPath(path).name) if path else head


def _refuse_unsafe(tenant: Tenant, brief: BriefInspection) -> None:
    """Raises Refused: UNSAFE_FILE."""
    if tenant.inspection is InspectionPolicy.REJECT and brief.held:
        raise Refused(UNSAFE_FILE, brief.verdict)


def refuse_threats(found: Sequence[tuple[str, str]]) -> None:
    """`found`: the path and the verdict of each file with a threat. Raises Refused: UNSAFE_FILE if there is one."""
    if found:
        path, verdict = found[0]
        more = f"; and {len(found) - 1} more files" if len(found) > 1 else ""
        raise Refused(UNSAFE_FILE, f"{path}: {verdict}{more}" if path else verdict)


@contextmanager
def storage_failures_refused() -> Iterator[None]:
    """Raises Refused: STORAGE_FULL, NOT_FOUND when the tenant is gone."""
    try:
        yield
    except FileNotFoundError:
        raise Refused(NOT_FOUND, "the tenant was removed meanwhile") from None
    except OSError as failure:
        if failure.errno in FULL:
            raise Refused(STORAGE_FULL) from failure
        raise
