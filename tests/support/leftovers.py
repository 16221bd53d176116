"""What a run of tests has started and written goes when the run ends, however it ends.

Run as a program it waits until its standard input ends, as it does with the runner, also with one that is killed. Then
it kills each process with the mark of the run in its environment, and removes the folder of the run.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

MARK = "RUN_OF_TESTS"
"""The variable of the environment that processes of a run inherit."""

LONGEST = 10  # seconds in which killed processes end


_caretakers: list[subprocess.Popen[bytes]] = []
"""Whose standard input is open as long as this process is there."""


def clear_up_after_this_process(folder: Path | None) -> None:
    """Start the process that does so, a moment after the end of this one."""
    os.environ[MARK] = uuid.uuid4().hex
    caretaker = subprocess.Popen(
        [sys.executable, "-I", "-S", __file__, os.environ[MARK], *([folder] if folder else [])],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        env={},
    )
    _caretakers.append(caretaker)


def marked(mark: str) -> Iterator[int]:
    """The processes of a run that are running."""
    words = f"{MARK}={mark}".encode()
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if words in (folder / "environ").read_bytes().split(b"\0"):
                yield int(folder.name)


def clear_up(mark: str, folders: list[str]) -> None:
    until = time.monotonic() + LONGEST
    while (left := list(marked(mark))) and time.monotonic() < until:
        for pid in left:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.05)
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.stdin.read()
    clear_up(sys.argv[1], sys.argv[2:])
