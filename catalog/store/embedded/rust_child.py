"""The embedded database's own process, where `secantusd-rs` runs it. It keeps the promises of `child`.

The request is that of `child` with two more fields: `program`, the path of `secantusd-rs`, and `other`, the command
that runs `child`. The end of standard input ends the database, and the kernel kills it when this process is killed.
"""

import ctypes
import json
import os
import re
import select
import signal
import subprocess
import sys
import time
from collections import deque
from contextlib import suppress
from pathlib import Path
from threading import Thread
from types import FrameType
from typing import Any

from pymongo import MongoClient
from pymongo.errors import OperationFailure

SAFE_OPTIONS = (
    *("--host", "127.0.0.1"),
    "--sync-on-commit",  # without it kill -9 loses acknowledged writes
    "--standalone",  # no oplog
    "--auth",
    *("--cache-size", "512M", "--log-level", "WARNING"),
)
LISTENS = re.compile(r"listening on 127\.0\.0\.1:([0-9]+)")
BUSY = "Device or resource busy"
BUSY_LIMIT = 10.0  # seconds to wait until the database of a killed server releases the folder
END_LIMIT = 15.0  # seconds before a database that does not end is killed: what it acknowledged is on disk
PANIC = "WT_PANIC"
PARENT_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG
REFUSED = frozenset({13, 18})  # Unauthorized, AuthenticationFailed


class StartError(Exception):
    """The database does not start. The text is what it says."""


class RustServer:
    """One run of secantusd-rs, which accepts clients on `port`."""

    def __init__(self, program: str, path: str, port: int) -> None:
        self.process = subprocess.Popen(  # noqa: S603  the program that the operator has installed
            [program, "--storage-path", path, "--port", str(port), *SAFE_OPTIONS],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            cwd="/",  # where no configuration of this program is looked for by chance
            preexec_fn=end_with_this_process,  # noqa: PLW1509  this process has no threads yet
        )
        self._last_lines: deque[str] = deque(maxlen=5)
        self._reader = Thread(target=self._read, daemon=True)
        self._reader.start()
        self.port = self._port()

    def _read(self) -> None:
        """Pass on what it logs. After a panic of its storage it can do nothing more, until another opens the files."""
        assert self.process.stderr
        for line in self.process.stderr:
            self._last_lines.append(line.strip())
            sys.stderr.write(line)
            if PANIC in line:
                self.process.kill()

    def _port(self) -> int:
        assert self.process.stdout
        for line in self.process.stdout:
            if found := LISTENS.search(line):
                return int(found.group(1))
        self.process.wait()
        self._reader.join()
        raise StartError(" / ".join(self._last_lines) or f"exit code {self.process.returncode}")

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(END_LIMIT)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def end_with_this_process() -> None:
    with suppress(AttributeError, OSError):  # Linux alone has it
        ctypes.CDLL(None).prctl(PARENT_DEATH_SIGNAL, signal.SIGKILL)


def main() -> int:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the server, which still has requests to finish
    signal.signal(signal.SIGTERM, end)
    request = json.loads(sys.stdin.readline())
    try:
        server = started(**request)
    except Exception as error:  # noqa: BLE001  whatever it is, the server words it
        answer(error=f"{type(error).__name__}: {error}")
        return 1
    try:
        answer(port=server.port)
        Thread(target=end_with_standard_input, args=(server,), daemon=True).start()
        return server.process.wait()
    finally:
        server.stop()


def answer(**fields: Any) -> None:
    sys.stdout.write(json.dumps(fields) + "\n")
    sys.stdout.flush()


def end(_signal: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)


def end_with_standard_input(server: RustServer) -> None:
    sys.stdin.read()
    server.stop()


def started(program: str, path: str, port: int, user: str, password: str, other: list[str]) -> RustServer:
    """Raises StartError."""
    is_new = not Path(path, "WiredTiger").exists()
    server = opened(program, path, port)
    if accepts(server, user, password):
        return server
    if is_new:
        raise StartError(f"another process of this machine was first to create a user: remove {path} and start again")
    # The files are those of a server in Python whose password was not kept. It can set another.
    set_password(other, {"path": path, "port": 0, "user": user, "password": password})
    server = opened(program, path, port)
    if accepts(server, user, password):
        return server
    raise StartError("its files do not accept the password that was set")


def accepts(server: RustServer, user: str, password: str) -> bool:
    """Whether it accepts the user, whom it creates if its files are new. If not, it is ended."""
    try:
        known = has_user(server.port, user, password)
    except BaseException:
        server.stop()
        raise
    if not known:
        server.stop()
    return known


def opened(program: str, path: str, port: int) -> RustServer:
    """Open the files, and wait for a process that is about to release them."""
    deadline = time.monotonic() + BUSY_LIMIT
    while True:
        try:
            return RustServer(program, path, port)
        except StartError as error:
            if BUSY not in str(error) or time.monotonic() > deadline:
                raise
        if select.select([sys.stdin], [], [], 0.05)[0]:
            raise SystemExit(0)  # the server that wants it has gone


def has_user(port: int, user: str, password: str) -> bool:
    """Create the user if the files are new, and say whether the password is accepted."""
    role = {"role": "root", "db": "admin"}
    with MongoClient[dict[str, Any]]("127.0.0.1", port) as stranger, suppress(OperationFailure):
        # Only the first user of new files is accepted.
        stranger.admin.command("createUser", user, pwd=password, roles=[role], mechanisms=["SCRAM-SHA-256"])
    with MongoClient[dict[str, Any]]("127.0.0.1", port, username=user, password=password, authSource="admin") as client:
        try:
            client.admin.command("listDatabases")
        except OperationFailure as failure:
            if failure.code in REFUSED:
                return False
            raise
    return True


def set_password(command: list[str], request: dict[str, Any]) -> None:
    """Let the server in Python open the files once. It writes the user anew."""
    with subprocess.Popen(  # noqa: S603  our own program
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdin
        assert child.stdout
        child.stdin.write(json.dumps(request) + "\n")
        child.stdin.flush()
        answer = json.loads(next((line for line in child.stdout if line.startswith("{")), "{}"))
        child.stdin.close()
        child.wait(END_LIMIT)
    if "port" not in answer:
        reason = answer.get("error", "it does not start")
        raise StartError(f"the password of these files is not known, and SecantusDB in Python cannot set it: {reason}")


if __name__ == "__main__":
    # Not sys.exit: the thread that reads standard input would keep the process.
    code = main()
    sys.stdout.flush()
    os._exit(code)
