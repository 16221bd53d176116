"""The embedded database, seen from the server: a child process that is started, kept alive and ended.

Imports little, so that the child can start while the server still imports the rest.
"""

import fcntl
import json
import logging
import os
import resource
import secrets
import shutil
import subprocess
import sys
from collections import deque
from concurrent.futures import Future
from contextlib import suppress
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from threading import Thread
from types import TracebackType
from typing import IO, Any, Self

from catalog.store.embedded.engines import PYTHON, Engine, EngineMissingError, select
from catalog.supervision import Supervised, pipe

log = logging.getLogger(__name__)

# Run by its path and with -P, so that no module of the current directory or of this folder shadows another.
PYTHON_PROGRAM = (sys.executable, "-P")
PROGRAM = (*PYTHON_PROGRAM, str(PYTHON.child))
USER = "catalog"
PASSED_ON = (
    *("HOME", "LANG", "LC_ALL", "LC_CTYPE", "PATH", "SYSTEMROOT", "TMPDIR", "TZ"),
    *("DYLD_LIBRARY_PATH", "LD_LIBRARY_PATH", "PYTHONHOME", "PYTHONPATH"),
)
"""Environment variables of the child: what Python needs to find its parts, and no secret of the server."""

LEAST_ADDRESS_SPACE = 1464 * 2**20
"""Bytes that the engine maps. With less it neither starts nor ends."""

LEAST_FILE = 256 * 2**20
"""Bytes that a file may have. `secantusd-rs` begins with one of 128 MiB, and does not start without it."""

LEAST_ROOM = 4 * 2**20
"""Free bytes below which a disk counts as full. The engines write files of some megabytes when they start."""

END_LIMIT = 20.0  # seconds before a child that does not end is killed


class DatabaseUnavailable(Exception):  # noqa: N818  the sentence it reads as matters more than the suffix
    """The embedded database cannot be used. Its text is one sentence for the operator."""


class DatabaseInUse(DatabaseUnavailable):
    """The folder is another server's, which is running."""


def check_limits() -> None:
    """Raises DatabaseUnavailable for a limit of this process that is too low for the engines."""
    for kind, least, what, option in (
        (resource.RLIMIT_AS, LEAST_ADDRESS_SPACE, "address space", "-v"),
        (resource.RLIMIT_FSIZE, LEAST_FILE, "a file", "-f"),
    ):
        limit, _ = resource.getrlimit(kind)
        if limit != resource.RLIM_INFINITY and limit < least:
            raise DatabaseUnavailable(
                f"The embedded database needs {least // 2**20} MiB of {what}, and a process may have "
                f"{limit // 2**20} MiB: raise the limit (ulimit {option} unlimited), or point DATABASE at a MongoDB"
            )


class Embedded:
    """SecantusDB in a child process, with exclusive use of its files under `path`.

    The engine is that of the setting EMBEDDED_ENGINE. Both engines open the same files. The one in Python gets a new
    password at each start; the other accepts only the one that the files have, so it is kept beside them.

    If the child dies it is started again on the same port with the same password, so that the clients of the one URI
    find it again by themselves.
    """

    def __init__(self, path: Path, engine: str = "python") -> None:
        self._path = path.absolute()
        self._setting = engine
        self._engine = PYTHON
        self._password = secrets.token_urlsafe(32)
        self._port: Future[int] = Future()
        self._lock: IO[str] | None = None
        self._supervised: Supervised[Child] | None = None
        self._watcher: Thread | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def hold(self) -> None:
        """Hold the folder, and start nothing.

        Raises DatabaseUnavailable when it is not installed, or the folder cannot be used or is another server's.
        """
        try:
            self._engine = select(self._setting)
        except EngineMissingError as missing:
            raise DatabaseUnavailable(str(missing)) from None
        if not self._engine.program and find_spec("secantus") is None:
            raise DatabaseUnavailable(
                "The embedded database is not installed: "
                "pip install 'catalog[server,embedded]', or point DATABASE at a MongoDB"
            )
        check_limits()
        self._lock = held(self._path)

    def start(self) -> None:
        """Spawn the database and return at once. It holds the folder before, if `hold` was not called.

        Raises DatabaseUnavailable.
        """
        if self._lock is None:
            self.hold()
        assert self._lock
        try:
            self._password = kept_password(self._path / "password", self._engine, self._password)
            child = self._spawn(port=0)
        except OSError as error:
            self._lock.close()
            sentence = f"The embedded database in {self._path} cannot be started: {error.strerror}{self._advice()}"
            raise DatabaseUnavailable(sentence) from error
        # A restarted database has the port of the first one.
        self._supervised = Supervised(child, lambda: self._spawn(self._port.result()), Child.wait, self._report)
        self._watcher = Thread(target=self._watch, args=(self._supervised,), name="embedded-database", daemon=True)
        self._watcher.start()

    def ready(self) -> str:
        """Wait until the started database answers, and return its MongoDB URI, which holds the password.

        Raises DatabaseUnavailable when it ended instead: files that are damaged, or of another version.
        """
        return f"mongodb://{USER}:{self._password}@127.0.0.1:{self._port.result()}/?authSource=admin"

    @property
    def pid(self) -> int | None:
        """The child's process; another one after a restart."""
        return self._supervised.child.pid if self._supervised else None

    def stop(self) -> None:
        """End the database and release the folder. Stopping twice is not an error."""
        if self._supervised:
            self._supervised.stop(Child.ask_to_end)
            self._supervised.child.end(END_LIMIT)
        # Ctrl-C may have come while the watch was being started: then there is no process to wait for.
        if self._watcher and self._watcher.is_alive():
            self._watcher.join()
        if self._lock:
            self._lock.close()

    def _spawn(self, port: int) -> "Child":
        request = {"path": str(self._path / "database"), "port": port, "user": USER, "password": self._password}
        if self._engine.program:
            request |= {"program": self._engine.program, "other": list(PROGRAM)}
        return Child(request, self._engine)

    def _report(self, _: "Child", how: str) -> None:
        if self._is_full():
            log.warning("The disk of %s is full: the embedded database ends until there is room", self._path)
        log.warning("The embedded database ended (%s) and is started again", how)

    def _advice(self) -> str:
        return ". The disk is full: make room on it" if self._is_full() else ""

    def _is_full(self) -> bool:
        with suppress(OSError):  # the folder is gone
            return shutil.disk_usage(self._path).free < LEAST_ROOM
        return False

    def _watch(self, supervised: "Supervised[Child]") -> None:
        """Read the first child's answer, then keep the database running."""
        child = supervised.child
        if "port" not in child.answer:
            sentence = f"The embedded database in {self._path} does not start: {child.wait()}{self._advice()}"
            self._port.set_exception(DatabaseUnavailable(sentence))
            return
        self._port.set_result(child.answer["port"])
        supervised.keep_running()


class Child:
    """One run of the database's process."""

    def __init__(self, request: dict[str, Any], engine: Engine = PYTHON) -> None:
        self._process = subprocess.Popen(  # noqa: S603  our own program
            (*PYTHON_PROGRAM, str(engine.child)),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            errors="replace",
            env={name: os.environ[name] for name in PASSED_ON if name in os.environ},
            # Ctrl-C and a closed terminal reach a whole group at once, from the first instant on. The server still has
            # requests to finish then, and ends its database afterwards.
            start_new_session=True,
        )
        self._last_lines: deque[str] = deque(maxlen=10)
        self._reader = Thread(target=self._last_lines.extend, args=(self._process.stderr,), daemon=True)
        self._reader.start()
        with suppress(BrokenPipeError):  # dead already, as its answer will tell
            pipe(self._process.stdin).write(json.dumps(request) + "\n")
            pipe(self._process.stdin).flush()

    @property
    def pid(self) -> int:
        return self._process.pid

    @cached_property
    def answer(self) -> dict[str, Any]:
        """Its answer about the start: `port` or `error`, or nothing if it died."""
        with pipe(self._process.stdout) as stdout:
            said = next((line for line in stdout if line.startswith("{")), "{}")  # an import may print, too
        return dict(json.loads(said))

    def wait(self) -> str:
        """Wait until it ends, and say in one line why it ended."""
        error = self.answer.get("error")
        code = self._process.wait()
        self._reader.join()
        pipe(self._process.stderr).close()
        self.ask_to_end()  # closes the pipe: no process reads it any more
        said = " / ".join(line.strip() for line in self._last_lines if line.strip())
        return error or said or f"exit code {code}"

    def ask_to_end(self) -> None:
        with suppress(BrokenPipeError):
            pipe(self._process.stdin).close()

    def end(self, limit: float) -> None:
        """Wait until it has ended, for at most `limit` seconds before it is killed."""
        try:
            self._process.wait(limit)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def kept_password(file: Path, engine: Engine, fresh: str) -> str:
    """The password of the files, which their owner alone may read. Raises OSError."""
    if engine.program and file.exists():
        return file.read_text()
    partial = file.with_name(f".{file.name}.partial")
    partial.unlink(missing_ok=True)
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as written:
        written.write(fresh)
        written.flush()
        os.fsync(written.fileno())
    partial.replace(file)
    return fresh


def held(folder: Path) -> IO[str]:
    """Create `folder` and lock it until the returned file is closed or this process ends.

    Raises DatabaseUnavailable.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        (folder / "database").mkdir(mode=0o700, exist_ok=True)
        lock = (folder / "lock").open("a+")
    except OSError as error:
        raise unusable(folder, error) from error
    try:
        # Python's files do not survive an exec, so the child cannot hold the folder for a server that is dead.
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
    except BlockingIOError:
        with lock:
            lock.seek(0)
            holder = lock.read().strip()
        raise DatabaseInUse(
            f"{folder} belongs to another server that is running (process {holder}): "
            "stop that one, or give this one a DATA_PATH of its own"
        ) from None
    except OSError as error:
        lock.close()
        raise unusable(folder, error) from error
    return lock


def unusable(folder: Path, error: OSError) -> DatabaseUnavailable:
    return DatabaseUnavailable(f"The embedded database cannot keep its files in {folder}: {error.strerror}")
