"""The embedded database's own process: SecantusDB, and nothing of ours.

SecantusDB is GPL-2.0, so this is the only file that imports it, and nothing imports this file: `embedded` runs it.
Standard input brings one line of JSON, {"path", "port", "user", "password"}: neither arguments nor environment, which
other users of the machine could read. Standard output answers one line, {"port": n} once it accepts clients, or
{"error": "..."}. The process ends when standard input closes, so a killed server leaves no database behind.
"""

import errno
import json
import logging
import os
import select
import signal
import socket
import sys
import time
from contextlib import suppress
from types import FrameType, MappingProxyType
from typing import Any

from secantus.auth import derive_credentials
from secantus.server import SecantusDBServer

# Found by experiment. `durable` is the default, and set because SECANTUS_TEST_FAST_STORAGE would override it.
SAFE_SETTINGS = MappingProxyType(
    {
        "host": "127.0.0.1",
        "sync_on_commit": True,  # without it kill -9 loses acknowledged writes
        "durable": True,
        "replica_set_name": None,  # no oplog: twice the concurrent inserts
        "require_auth": True,
        "enable_test_commands": False,
    }
)
BUSY_LIMIT = 10.0  # seconds to wait until the database of a killed server releases the folder
END_LIMIT = 15  # seconds after which a shutdown that hangs is cut short
PANIC = "WT_PANIC"
PANICKED = 3  # the exit code after one


def main() -> int:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the server, which still has requests to finish
    signal.signal(signal.SIGTERM, end)
    answers = private_stdout()
    logging.getLogger("secantus").addHandler(EndOnPanic())
    try:
        server = started(**json.loads(sys.stdin.readline()))
    except Exception as error:  # noqa: BLE001  a damaged file can raise anything, and the server words it
        print(json.dumps({"error": f"{type(error).__name__}: {error}"}), file=answers, flush=True)
        return 1
    try:
        print(json.dumps({"port": server.port}), file=answers, flush=True)
        sys.stdin.read()
    finally:
        stop(server)
    return 0


class EndOnPanic(logging.Handler):
    """Ends the process when its storage has panicked, as it does on a full disk.

    Nothing can be read or written any more then, not even with room again, until another process opens the files. It
    may end at once: what was acknowledged is on disk.
    """

    def emit(self, record: logging.LogRecord) -> None:
        failure = record.exc_info[1] if record.exc_info else None
        if PANIC in str(failure):
            os._exit(PANICKED)


def end(_signal: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)


def private_stdout() -> Any:
    """Reserve standard output for the answer. WiredTiger writes there too; from now on that goes to standard error."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    return answers


def started(path: str, port: int, user: str, password: str) -> SecantusDBServer:
    server = opened(path, port)
    try:
        server.storage.add_user("admin", user, user_record(user, password), replace=True)
        server.start()
    except BaseException:
        server.storage.close()
        raise
    return server


def opened(path: str, port: int) -> SecantusDBServer:
    """Open the files, and wait for a process that is about to release them."""
    deadline = time.monotonic() + BUSY_LIMIT
    while True:
        try:
            return SecantusDBServer(port=port, storage_path=path, **SAFE_SETTINGS)
        except Exception as error:
            if os.strerror(errno.EBUSY) not in str(error) or time.monotonic() > deadline:
                raise
        if select.select([sys.stdin], [], [], 0.05)[0]:
            raise SystemExit(0)  # the process that started it has ended


def user_record(user: str, password: str) -> dict[str, Any]:
    """The record that SecantusDB's own `createUser` would store."""
    return {
        "_id": f"admin.{user}",
        "user": user,
        "db": "admin",
        "credentials": derive_credentials(password).to_doc(),
        "roles": [{"role": "root", "db": "admin"}],
        "mechanisms": ["SCRAM-SHA-256"],
    }


def stop(server: SecantusDBServer) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.alarm(END_LIMIT)  # every acknowledged write is on disk: better killed than holding the folder for ever
    with suppress(OSError):
        # Wakes the thread in accept(), for which stop() would otherwise wait 2 s.
        server._socket.shutdown(socket.SHUT_RDWR)  # noqa: SLF001  there is no public way
    server.stop()


if __name__ == "__main__":
    sys.exit(main())
