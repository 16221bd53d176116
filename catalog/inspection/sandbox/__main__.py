"""The sandboxed process: `python -I -S __main__.py SIZE [FORMAT TENSORS]`, without environment or network.

With a format it reads the header of a file of that format, and lists so many tensors at most; otherwise it searches for
pickles.

It requests a range with a line `start stop` on standard output, and receives it on standard input: the length in
8 bytes, then the bytes; a length of 2**64 - 1 refuses further ranges. Its last line is a JSON object. It ends
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
from catalog.inspection.sandbox.containers import ContainerScan, PickleReport
from catalog.inspection.sandbox.views import LimitExceededError

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


class ServedFile(io.RawIOBase):
    """The inspected file, whose ranges the server provides."""

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
            raise LimitExceededError("more bytes than are read of any file")
        data = self._answers.read(size)
        into[: len(data)] = data
        self._at += len(data)
        return len(data)


def main() -> None:
    for limit, most in LIMITS.items():
        resource.setrlimit(limit, (most, most))
    size, *format_and_most = sys.argv[1:]
    file = ServedFile(int(size), sys.stdout.buffer, sys.stdin.buffer)
    report: formats.HeaderReport | PickleReport = (
        header(file, int(size), *format_and_most) if format_and_most else pickles(file)
    )
    # Names may contain lone surrogates, which UTF-8 cannot encode.
    sys.stdout.buffer.write(json.dumps(report, ensure_ascii=False).encode(errors="replace") + b"\n")
    sys.stdout.buffer.flush()


def header(file: ServedFile, size: int, format_: str, most_tensors: str) -> formats.HeaderReport:
    def read(start: int, stop: int) -> bytes:
        file.seek(start)
        return b"".join(iter(lambda: file.read(min(stop - file.tell(), AT_MOST)) or b"", b""))

    return formats.read(Window(read, size, b"", IN_SANDBOX), format_, int(most_tensors))


def pickles(file: ServedFile) -> PickleReport:
    scan = ContainerScan()
    scan.scan(io.BufferedReader(file, AT_A_TIME))
    return scan.report()


if __name__ == "__main__":
    main()
