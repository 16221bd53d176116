"""Bytes, named by their SHA-256. A tenant's bytes are its own: equal ones are kept once for it, never shared.

Nobody here knows what a version is. A blob is kept before a record names it and dropped
after, so a crash leaves at worst a blob that no record names, which a sweep removes.
"""

import re
from collections.abc import AsyncGenerator, AsyncIterator
from datetime import datetime
from typing import NamedTuple, Protocol, runtime_checkable

BLOCK = 2**20
"""Bytes read or written at a time: a hop to a thread costs 67 us, so it is made once a megabyte."""


class Blob(NamedTuple):
    digest: str  # SHA-256, 64 lowercase hexadecimal characters
    size: int  # bytes


class Kept(NamedTuple):
    """A blob as `listing` sees it."""

    digest: str
    size: int
    modified: datetime  # UTC; since when it is kept, or was put again


class Leftover(NamedTuple):
    """What is on its way in, or was when somebody was killed."""

    name: str  # for `discard`; an upload in progress is "uploads/<its name>"
    size: int
    modified: datetime  # UTC; when it last grew


class FileHead(NamedTuple):
    """What a client says of a file before its bytes arrive, made harmless."""

    name: str  # a plain file name: no folder, no control characters, at most 255 bytes
    mimetype: str  # type/subtype
    encoding: str  # of the transfer, as declared: 7bit, binary...


class BlobUnknown(Exception):  # noqa: N818  the sentence it reads as matters more than the suffix
    """There are no bytes of that digest here."""


class OffsetWrong(Exception):  # noqa: N818
    """An upload goes on at `length`, and nowhere else."""

    def __init__(self, length: int) -> None:
        super().__init__(f"the upload goes on at {length}")
        self.length = length


class UploadBusy(Exception):  # noqa: N818
    """Somebody else is adding to this upload, or finishing it, at this moment."""


class StorageAway(Exception):  # noqa: N818
    """The storage does not answer, or not well; trying again later may help. Says nothing secret."""


class StorageUnusable(Exception):  # noqa: N818
    """The server cannot start with this storage; the sentence says which setting to mend."""


@runtime_checkable  # Litestar checks what it injects
class Blobs(Protocol):
    """The bytes of one tenant. Every verb may raise StorageAway: a store is not reached, or a disk is read-only."""

    async def put(self, content: AsyncIterator[bytes]) -> Blob:
        """Keep `content`, whole or not at all, and say what was kept.

        If `content` raises part-way, nothing is kept and the error passes through.
        Bytes that are already here are replaced by these, in one step, so what was damaged is whole again; whoever
        reads them goes on reading the old ones. Their age begins anew.

        Raises OSError: ENOSPC or EDQUOT when there is no room.
        """
        ...

    def read(self, digest: str, start: int = 0, stop: int | None = None) -> AsyncGenerator[bytes, None]:
        """Yield bytes `start` up to, not including, `stop` (None: the end), counted from 0.

        Raises BlobUnknown before the first chunk, never half-way through: a blob that is
        dropped meanwhile is read to its end. Close it (`contextlib.aclosing`) when you stop early.
        """
        ...

    async def size(self, digest: str) -> int | None:
        """How many bytes a blob has; None when it is not here."""
        ...

    async def drop(self, digest: str) -> None:
        """Forget a blob. Dropping an unknown one is not an error: it is gone."""
        ...

    def listing(self) -> AsyncGenerator[Kept, None]:
        """Every blob, in no order and never all held at once.

        What is put or dropped meanwhile may be in it or not.
        """
        ...

    # A file that comes in parts. `upload` is a name of 32 lowercase hexadecimal characters, which the
    # caller chooses; anything else is a ValueError. There is nothing to begin: the first part does.

    async def append(self, upload: str, offset: int, content: AsyncIterator[bytes]) -> int:
        """Add bytes at the end, which the caller believes to be at `offset`, and return the new length.

        What is returned is durable. If `content` raises part-way, the bytes before are kept as far
        as possible and the error passes through: `length` tells how many there are.

        Raises OffsetWrong, mostly before `content` is touched: nothing that is kept is ever
        overwritten. Raises UploadBusy, OSError as `put` does.
        """
        ...

    async def length(self, upload: str) -> int:
        """How many bytes there are: 0 before the first, all of them once finished."""
        ...

    async def finish(self, upload: str) -> Blob:
        """Keep what has come in as a blob. An upload without any part is a file of no bytes.

        May be repeated, also after a crash in the middle or after success, until `abandon`
        forgets the upload: of a finished one only a mark is left, which says what became of it.

        Raises UploadBusy; BlobUnknown when the blob of a finished upload was dropped since.
        """
        ...

    async def abandon(self, upload: str) -> None:
        """Forget an upload, finished or not. Its blob, if it became one, stays. Not an error when it is unknown."""
        ...

    def leftovers(self) -> AsyncGenerator[Leftover, None]:
        """Uploads in progress, marks of finished ones, and what killed puts left behind."""
        ...

    async def discard(self, name: str) -> None:
        """Drop a leftover. Not an error when it is gone. Raises ValueError for what is not a leftover's name."""
        ...

    async def presigned(self, digest: str, *, seconds: int, name: str, mimetype: str) -> str | None:
        """An address where a client may fetch the whole blob for `seconds`, without asking the catalog.

        None: this storage has no such thing, or the setting does not want it. `name` and `mimetype`
        are what the answer will say of the file. Whether the blob is there is not asked.
        """
        ...


@runtime_checkable
class Storage(Protocol):
    """Where the bytes of every tenant are kept."""

    def of(self, tenant: str) -> Blobs:
        """One tenant's blobs. Costs nothing and touches nothing.

        Raises ValueError for what could not be a tenant's name.
        """
        ...

    async def forget(self, tenant: str) -> None:
        """Drop everything of a deleted tenant. Not an error when there is nothing."""
        ...

    async def check(self) -> None:
        """Whether a server can start with it. Raises StorageUnusable, with a sentence for the operator."""
        ...

    async def probe(self) -> None:
        """Whether files can be kept in it now: cheap enough to be asked every second.

        Raises StorageAway, OSError.
        """
        ...


def is_digest(text: str) -> bool:
    return re.fullmatch("[0-9a-f]{64}", text) is not None


def plain_upload(upload: str) -> str:
    """The name itself. Raises ValueError for one that no caller should have chosen."""
    if not re.fullmatch("[0-9a-f]{32}", upload):
        raise ValueError(f"not the name of an upload: {upload!r}")
    return upload


def plain_tenant(tenant: str) -> str:
    """The name itself. Whoever made the tenant has checked it; this is the second lock on the way out of its folder."""
    if not re.fullmatch(r"[^./\\\x00-\x1f\x7f][^/\\\x00-\x1f\x7f]*", tenant):
        raise ValueError(f"not the name of a tenant's folder: {tenant!r}")
    return tenant


def plain_leftover(name: str) -> str:
    """The name itself. Raises ValueError for what `leftovers` would not have said."""
    if not re.fullmatch("(incoming|uploads)/[0-9a-f]{32}", name):
        raise ValueError(f"not the name of a leftover: {name!r}")
    return name


async def nothing_more(content: AsyncIterator[bytes], length: int) -> int:
    """What a finished upload takes. Raises OffsetWrong at the first byte."""
    async for chunk in content:
        if chunk:
            raise OffsetWrong(length)
    return length
