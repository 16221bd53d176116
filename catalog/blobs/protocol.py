"""The interface of the storage: bytes named by their SHA-256, stored once per tenant and never shared between tenants.

This package knows nothing of versions. A blob is stored before a record refers to it and dropped after, so a crash
leaves at most a blob without a reference, which the sweep removes.
"""

import re
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol, runtime_checkable

BLOCK = 2**20
"""Bytes read or written at a time: a hop to a thread costs 67 us, so it is made once a megabyte."""


class Blob(NamedTuple):
    digest: str  # SHA-256, 64 lowercase hexadecimal characters
    size: int  # bytes


class SmallContent(NamedTuple):
    """The bytes of a small file, in memory, and the digest that the client announced, or nothing."""

    content: bytes
    announced: str = ""


class ListedBlob(NamedTuple):
    """A blob in a listing."""

    digest: str
    size: int
    modified: datetime  # UTC; when it was last put


class Leftover(NamedTuple):
    """An unfinished upload, or what a killed process left of one."""

    name: str  # the argument of `discard`; "uploads/<name>" for an upload in parts
    size: int
    modified: datetime  # UTC; when it last grew


class FileHead(NamedTuple):
    """What a client declares about a file before its bytes arrive, sanitised."""

    name: str  # a plain file name: no folder, no control characters, at most 255 bytes
    mimetype: str  # type/subtype
    encoding: str  # of the transfer, as declared: 7bit, binary...


class UnknownBlobError(Exception):
    """No blob has that digest."""


class WrongOffsetError(Exception):
    """The next part of an upload begins at `length`, and nowhere else."""

    def __init__(self, length: int) -> None:
        super().__init__(f"the upload continues at {length}")
        self.length = length


class UploadBusyError(Exception):
    """Another request is appending to this upload or finishing it."""


class WrongDigestError(Exception):
    """The bytes are not those that were announced, and none of them is stored."""

    def __init__(self, received: str) -> None:
        super().__init__(f"the digest is {received}")
        self.received = received


class StorageUnavailableError(Exception):
    """The storage does not answer, or answers with an error; a retry may help. The message holds no secret."""


class StorageSetupError(Exception):
    """The server cannot start with this storage; the message names the setting to correct."""


@runtime_checkable  # Litestar checks what it injects
class Blobs(Protocol):
    """The bytes of one tenant.

    Every method may raise StorageUnavailableError: the store cannot be reached, or the disk is read-only.
    """

    async def put(self, content: AsyncIterator[bytes], announced: Blob | None = None) -> Blob:
        """Store `content`, whole or not at all, and return its digest and size.

        `announced` is what the client says of it; a size of 0 is not known. With both, a store sends the bytes to their
        final name at once. Raises WrongDigestError for other bytes, of which nothing is stored.
        If `content` raises part-way, nothing is stored and the error passes through.
        An existing blob with the same digest is replaced in one step, which repairs a damaged one; running
        reads continue with the old bytes. Its age starts again.

        Raises OSError: ENOSPC or EDQUOT when there is no room.
        """
        ...

    async def put_small(self, contents: Sequence[SmallContent]) -> list[Blob | WrongDigestError]:
        """Store many small contents together, each as `put` does, and return for each its blob, or what is wrong.

        Raises as `put` does; then some of the others may be stored.
        """
        ...

    def read(self, digest: str, start: int = 0, stop: int | None = None) -> AsyncGenerator[bytes, None]:
        """Yield bytes `start` up to, not including, `stop` (None: the end), counted from 0.

        Raises UnknownBlobError before the first chunk, never half-way through: a blob that is
        dropped meanwhile is read to its end. Close the generator (`contextlib.aclosing`) to stop early.
        """
        ...

    async def size(self, digest: str) -> int | None:
        """Return the number of bytes of a blob; None when there is no such blob."""
        ...

    async def sizes(self, digests: Sequence[str]) -> list[int | None]:
        """As `size`, for many blobs."""
        ...

    async def drop(self, digest: str) -> None:
        """Remove a blob. Removing an unknown one is not an error."""
        ...

    def listing(self) -> AsyncGenerator[ListedBlob, None]:
        """Yield every blob, in no order, without holding all of them in memory.

        A blob that is put or dropped meanwhile may be missing.
        """
        ...

    # A file that arrives in parts. `upload` is a name of 32 lowercase hexadecimal characters, which the
    # caller chooses; anything else is a ValueError. The first part creates the upload.

    async def append(self, upload: str, offset: int, content: AsyncIterator[bytes]) -> int:
        """Append bytes at `offset`, which must be the current length, and return the new length.

        The returned length is durable. If `content` raises part-way, the bytes before are stored as far
        as possible and the error passes through: `length` returns how many there are.

        Raises WrongOffsetError, mostly before `content` is read: stored bytes are never
        overwritten. Raises UploadBusyError, and OSError as `put` does.
        """
        ...

    async def length(self, upload: str) -> int:
        """Return the number of bytes: 0 before the first part, the size of the blob once finished."""
        ...

    async def finish(self, upload: str, digest: str = "") -> Blob:
        """Turn the upload into a blob. An upload without any part becomes an empty blob.

        With the `digest` that was announced, a store may write the bytes to their final name at once, and raises
        WrongDigestError for others.

        May be repeated, also after a crash in the middle or after success, until `abandon`
        removes the upload: of a finished upload only a mark with digest and size remains.

        Raises UploadBusyError; UnknownBlobError when the blob of a finished upload was dropped since.
        """
        ...

    async def abandon(self, upload: str) -> None:
        """Remove an upload, finished or not. Its blob, if there is one, stays. An unknown upload is not an error."""
        ...

    def leftovers(self) -> AsyncGenerator[Leftover, None]:
        """Yield unfinished uploads, marks of finished ones, and what interrupted puts left."""
        ...

    async def discard(self, name: str) -> None:
        """Remove a leftover. An unknown one is not an error. Raises ValueError for any other name."""
        ...

    async def presigned(self, digest: str, *, seconds: int, name: str, mimetype: str) -> str | None:
        """Return a URL from which a client may download the whole blob for `seconds`, bypassing the server.

        None: this storage has no such URLs, or the setting disables them. The response of the store will have
        `name` and `mimetype`. Whether the blob exists is not checked.
        """
        ...


@runtime_checkable
class Storage(Protocol):
    """The bytes of all tenants."""

    def of(self, tenant: str) -> Blobs:
        """Return one tenant's blobs, without any input or output.

        Raises ValueError for what cannot be a tenant's name.
        """
        ...

    async def forget(self, tenant: str) -> None:
        """Remove all bytes of a removed tenant. Not an error when there are none."""
        ...

    async def check(self) -> None:
        """Check that a server can start with it. Raises StorageSetupError, with a sentence for the operator."""
        ...

    async def probe(self) -> None:
        """Check that files can be stored now. Cheap enough for once a second.

        Raises StorageUnavailableError, OSError.
        """
        ...


def is_digest(text: str) -> bool:
    return re.fullmatch("[0-9a-f]{64}", text) is not None


def checked_upload(upload: str) -> str:
    """Return the name. Raises ValueError for an invalid one."""
    if not re.fullmatch("[0-9a-f]{32}", upload):
        raise ValueError(f"not the name of an upload: {upload!r}")
    return upload


def checked_tenant(tenant: str) -> str:
    """Return the name. Tenants are created with valid names; this is a second barrier against path traversal."""
    if not re.fullmatch(r"[^./\\\x00-\x1f\x7f][^/\\\x00-\x1f\x7f]*", tenant):
        raise ValueError(f"not the name of a tenant's folder: {tenant!r}")
    return tenant


def checked_leftover(name: str) -> str:
    """Return the name. Raises ValueError for a name that `leftovers` does not yield."""
    if not re.fullmatch("(incoming|uploads)/[0-9a-f]{32}", name):
        raise ValueError(f"not the name of a leftover: {name!r}")
    return name


async def refuse_more(content: AsyncIterator[bytes], length: int) -> int:
    """Consume the content of an append to a finished upload. Raises WrongOffsetError at the first byte."""
    async for chunk in content:
        if chunk:
            raise WrongOffsetError(length)
    return length
