"""The process that looks: `python -I -S __main__.py SIZE [FORMAT]`, without environment or network.

With a format it reads the header that a file of that format has, otherwise it looks for pickles.

It asks for a range with a line `start stop` on standard output, and gets it on standard input: 8 bytes that say how
long it is, then so many bytes; 2**64 - 1 says that no more will be given. Its last line is a JSON object. It ends
when its standard input does.
"""

import io
import json
import resource
import sys
from pathlib import Path
from typing import Any, BinaryIO

sys.path.append(str(Path(__file__).parents[3]))
from catalog.inspection import formats
from catalog.inspection.formats.window import IN_SANDBOX, Window
from catalog.inspection.sandbox.containers import Look
from catalog.inspection.sandbox.views import TooMuch

MEMORY = 2**30
SECONDS = 9
REFUSED = 2**64 - 1
AT_A_TIME = 2**16
AT_MOST = 2**18

LIMITS = {
    resource.RLIMIT_AS: MEMORY,
    resource.RLIMIT_CPU: SECONDS,
    resource.RLIMIT_FSIZE: 0,
    resource.RLIMIT_CORE: 0,
    resource.RLIMIT_NPROC: 0,
}


class Asked(io.RawIOBase):
    """The file, of which each range is asked for."""

    def __init__(self, size: int, requests: BinaryIO, answers: BinaryIO) -> None:
        self._size, self._requests, self._answers = size, requests, answers
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = 0) -> int:
        self._at = max(0, (0, self._at, self._size)[whence] + offset)
        return self._at

    def readinto(self, into: Any) -> int:
        stop = min(self._at + len(into), self._size)
        if stop <= self._at:
            return 0
        self._requests.write(b"%d %d\n" % (self._at, stop))
        self._requests.flush()
        size = int.from_bytes(self._answers.read(8), "big")
        if size == REFUSED:
            raise TooMuch("more bytes than are read of any file")
        data = self._answers.read(size)
        into[: len(data)] = data
        self._at += len(data)
        return len(data)


def main() -> None:
    for limit, most in LIMITS.items():
        resource.setrlimit(limit, (most, most))
    size, *formats = sys.argv[1:]
    file = Asked(int(size), sys.stdout.buffer, sys.stdin.buffer)
    told = header(file, int(size), formats[0]) if formats else pickles(file)
    # Names may hold halves of surrogate pairs, which are no Unicode.
    sys.stdout.buffer.write(json.dumps(told, ensure_ascii=False).encode(errors="replace") + b"\n")
    sys.stdout.buffer.flush()


def header(file: Asked, size: int, format_: str) -> formats.Header:
    def read(start: int, stop: int) -> bytes:
        file.seek(start)
        return b"".join(iter(lambda: file.read(min(stop - file.tell(), AT_MOST)) or b"", b""))

    return formats.read(Window(read, size, b"", IN_SANDBOX), format_)


def pickles(file: Asked) -> dict[str, Any]:
    look = Look()
    look.into(io.BufferedReader(file, AT_A_TIME))
    return {
        "format": look.format,
        "pickles": look.pickles,
        "entries": look.entries,
        "imports": [(where, *name) for where, name in look.imports],
        "doubtful": [(where, *name) for where, name in look.doubtful],
        "notes": look.notes,
    }


if __name__ == "__main__":
    main()
