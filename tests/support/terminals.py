"""A program in a terminal, as a person uses it."""

import os
import pty
import select
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import Self

SOON = 60  # seconds, a limit for what should take two


class Terminal:
    """`command` in a pseudo-terminal. At the end of the `with` it is closed, which ends the program."""

    def __init__(self, command: Sequence[str], folder: Path, environment: dict[str, str]) -> None:
        self.shown = ""
        """What came since the last `wait_for`."""
        self._pid, self._file = pty.fork()
        if self._pid == 0:
            os.chdir(folder)
            os.execvpe(command[0], command, environment)

    def enter(self, text: str) -> None:
        os.write(self._file, text.encode())

    def wait_for(self, text: str) -> str:
        """Read until the terminal shows a text, and return what came until then."""
        until = monotonic() + SOON
        while text not in self.shown:
            assert monotonic() < until, self.shown
            if not self._read(until - monotonic()):
                raise AssertionError(f"it ended without {text!r}: {self.shown}")
        before, _, self.shown = self.shown.partition(text)
        return before

    def end(self) -> int:
        """Read to the end, and return the exit code."""
        until = monotonic() + SOON
        while self._read(until - monotonic()):
            assert monotonic() < until, self.shown
        pid, self._pid = self._pid, 0
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

    def _read(self, seconds: float) -> bool:
        if not select.select([self._file], [], [], max(0, seconds))[0]:
            return True
        with suppress(OSError):  # the program has ended
            block = os.read(self._file, 4096)
            self.shown += block.decode(errors="replace")
            return bool(block)
        return False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._file)  # a hangup
        if self._pid:
            os.waitpid(self._pid, 0)
