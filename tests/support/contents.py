"""Bytes for the tests of storages, and how they come: in pieces, too slowly, or not to their end."""

from pathlib import Path
from random import Random

from catalog.blobs.protocol import Blobs


def some_bytes(size: int) -> bytes:
    return (b"catalog" * (size // 7 + 1))[:size]


def random_bytes(size: int) -> bytes:
    """Bytes without a pattern, the same in each run: their first ones decide which format an inspection looks for."""
    return Random(size).randbytes(size)


async def chunked(data: bytes, by: int = 65_536):
    for at in range(0, len(data), by):
        yield data[at : at + by]


async def broken_after(data: bytes, error: BaseException):
    async for chunk in chunked(data):
        yield chunk
    raise error


async def whole(blobs: Blobs, digest: str, *bounds) -> bytes:
    return b"".join([chunk async for chunk in blobs.read(digest, *bounds)])


async def unplugged_after(data: bytes):
    async for chunk in broken_after(data, ConnectionError("unplugged")):
        yield chunk


def files_under(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def open_descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))
