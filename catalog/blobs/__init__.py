"""Bytes, named by their SHA-256. A tenant's bytes are its own: equal ones are kept once for it, never shared.

Nobody here knows what a version is. A blob is kept before a record names it and dropped
after, so a crash leaves at worst a blob that no record names, which a sweep removes.
"""

from collections.abc import AsyncGenerator, AsyncIterator
from typing import NamedTuple, Protocol, runtime_checkable

BLOCK = 2**20
"""Bytes read or written at a time: a hop to a thread costs 67 us, so it is made once a megabyte."""


class Blob(NamedTuple):
    digest: str  # SHA-256, 64 lowercase hexadecimal characters
    size: int  # bytes


class FileHead(NamedTuple):
    """What a client says of a file before its bytes arrive, made harmless."""

    name: str  # a plain file name: no folder, no control characters, at most 255 bytes
    mimetype: str  # type/subtype
    encoding: str  # of the transfer, as declared: 7bit, binary...


class BlobUnknown(Exception):  # noqa: N818  the sentence it reads as matters more than the suffix
    """There are no bytes of that digest here."""


@runtime_checkable  # Litestar checks what it injects
class Blobs(Protocol):
    """The bytes of one tenant."""

    async def put(self, content: AsyncIterator[bytes]) -> Blob:
        """Keep `content`, whole or not at all, and say what was kept.

        If `content` raises part-way, nothing is kept and the error passes through.
        Putting bytes that are already here is not an error; their age begins anew.

        Raises OSError: ENOSPC or EDQUOT when there is no room.
        """
        ...

    def read(self, digest: str, start: int = 0, stop: int | None = None) -> AsyncGenerator[bytes, None]:
        """Yield bytes `start` up to, not including, `stop` (None: the end), counted from 0.

        Raises BlobUnknown before the first chunk, never half-way through. Close it
        (`contextlib.aclosing`) when you stop early.
        """
        ...

    async def drop(self, digest: str) -> None:
        """Forget a blob. Dropping an unknown one is not an error: it is gone."""
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
