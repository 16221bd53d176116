"""Read the arguments of opcodes from a file that may end anywhere."""

from io import BufferedReader, BytesIO, RawIOBase
from typing import cast

CHUNK = 2**16


class UntraceableError(Exception):
    """The bytes cannot be traced as a pickle any further."""


def in_memory(content: bytes) -> BufferedReader:
    return BufferedReader(cast(RawIOBase, BytesIO(content)), max(1, len(content)))


def take(file: BufferedReader, size: int) -> bytes:
    taken = file.read(size)
    if len(taken) < size:
        raise UntraceableError("it ends within an argument")
    return taken


def skip(file: BufferedReader, size: int) -> None:
    """Skip bytes, without reading them if the file can seek."""
    if file.seekable():
        end = file.seek(0, 1) + size
        if end >= 2**63:
            raise UntraceableError("it ends within an argument")
        file.seek(end)
        return
    while size > 0:
        passed = len(file.read(min(size, CHUNK)))
        if not passed:
            raise UntraceableError("it ends within an argument")
        size -= passed


def read_line(file: BufferedReader) -> bytes:
    line = piece = file.readline(CHUNK)
    while not piece.endswith(b"\n"):
        if not piece:
            raise UntraceableError("it ends within a line")
        piece = file.readline(CHUNK)
    return line.rstrip(b"\n")
