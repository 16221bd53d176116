"""The real server as a user starts it, for the tests that have to stop, kill or measure it."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx

from tests.support.leftovers import MARK
from tests.support.paths import ROOT

SOON = 60  # seconds, a limit for what should take one
TENANT = "registry-default-tenant"
CATALOG = (sys.executable, "-m", "catalog")


@contextmanager
def interruptible() -> Iterator[None]:
    """Processes that start here obey SIGINT, also where the tests ignore it, as after `nohup make test &`."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


class Server:
    """`catalog serve` in `folder`, in a process group of its own, as a terminal would have it.

    `start`, `stop` and `kill` may follow each other; at the end of the `with` no process is left.
    """

    def __init__(self, folder: Path, *, command: Sequence[str] = CATALOG, **settings: str) -> None:
        self.folder = folder
        self.command = command
        self.settings = {"HTTP_PORT": "0", "HTTPS_PORT": "0", **settings}
        self.url = ""
        self.password = ""
        """The administrator's, which the first start told."""
        self.told: list[str] = []
        self.log = folder / "server.log"
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        try:
            return self.start()
        except BaseException:
            self._end()
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def start(self) -> Self:
        """Start, and wait until it has told its address and how to sign in."""
        with self.log.open("a") as log:
            self._process = subprocess.Popen(
                [*self.command, "serve"],
                cwd=self.folder,
                env=environment(**self.settings),
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                start_new_session=True,
            )
        too_late = threading.Timer(SOON, os.killpg, (self._process.pid, signal.SIGKILL))
        too_late.start()
        try:
            self.told = self._hear()
        finally:
            too_late.cancel()
        self.url = self._said("Catalog is on ") or self._failed()
        self.password = self._said("  password: ").removesuffix(" (shown this once)") or self.password
        return self

    @property
    def pid(self) -> int:
        assert self._process
        return self._process.pid

    @property
    def database_pid(self) -> int:
        """The embedded database's process."""
        [child] = [child for child in children(self.pid) if "/embedded/" in command_of(child)]
        return child

    @property
    def workers(self) -> list[int]:
        """The processes that answer requests, when there are several."""
        return [child for child in children(self.pid) if "catalog.server.worker" in command_of(child)]

    def stop(self) -> int:
        """Press Ctrl-C, and return the exit code."""
        os.killpg(self.pid, signal.SIGINT)
        return self.wait()

    def kill(self) -> None:
        """Kill -9 the server's whole process group. The database, which is in another, has to notice by itself."""
        os.killpg(self.pid, signal.SIGKILL)
        self.wait()

    def login(
        self, username: str = "admin", password: str = "", tenant: str = TENANT, *, path: str = "/v1/login"
    ) -> httpx.Response:
        body = {"username": username, "password": password or self.password, "tenant": tenant}
        return httpx.post(f"{self.url}{path}", json=body, timeout=SOON)

    def client(self, token: str = "") -> httpx.Client:
        return httpx.Client(base_url=self.url, headers={"Authorization": token} if token else {}, timeout=SOON)

    def _hear(self) -> list[str]:
        """Its first lines, up to the one that ends what a start tells, or to its end."""
        assert self._process
        assert self._process.stdout
        heard: list[str] = []
        for line in self._process.stdout:
            heard.append(line.rstrip("\n"))
            if line.startswith(("  curl ", "Sign in as ")):
                break
        return heard

    def _said(self, beginning: str) -> str:
        return next((line.removeprefix(beginning) for line in self.told if line.startswith(beginning)), "")

    def _failed(self) -> str:
        raise AssertionError(f"the server did not start:\n{self.log.read_text()}")

    def wait(self) -> int:
        """Wait for its end, and return the exit code."""
        assert self._process
        assert self._process.stdout
        code = self._process.wait(SOON)
        self._process.stdout.close()
        return code

    def _end(self) -> None:
        if self._process and self._process.poll() is None:
            left = children(self.pid)
            self.kill()
            for pid in left:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        if self._process and self._process.stdout:
            self._process.stdout.close()


def serve(folder: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    """`catalog serve` in `folder` of a server that will not start, with what it said."""
    return subprocess.run(
        [sys.executable, "-m", "catalog", "serve"],
        check=False,
        cwd=folder,
        env=environment(HTTP_PORT="0", HTTPS_PORT="0", **settings),
        capture_output=True,
        text=True,
        timeout=SOON,
    )


def environment(**settings: str) -> dict[str, str]:
    """Only what every process needs and `settings`: not what this machine happens to set."""
    kept = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "LANG", "TMPDIR", MARK}}
    return {**kept, "PYTHONPATH": str(ROOT), **settings}


def children(pid: int) -> list[int]:
    """The processes that `pid` started, from any of its threads."""
    lists = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for file in lists for child in file.read_text().split()]


def command_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
    except (FileNotFoundError, ProcessLookupError):
        return ""


def is_running(pid: int) -> bool:
    """A zombie, whose parent has not asked after it yet, is not running."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return status.rpartition(") ")[2][0] != "Z"
