"""A catalog in a process of its own, started as a user would."""

import os
import secrets
import subprocess
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from pymongo import MongoClient

from tests.support.paths import ROOT

PASSWORD = secrets.token_urlsafe(16)
PROGRAM = (sys.executable, "-m", "catalog")
STOP_LIMIT = 40  # seconds


class Running(NamedTuple):
    url: str
    port: int
    pid: int


@contextmanager
def server(
    folder: Path, database: str = "embedded", program: Sequence[str] = PROGRAM, **environ: str
) -> Generator[Running]:
    """Run a catalog in `folder`, which may hold the database of an earlier one."""
    with (folder / "server.log").open("a") as log:
        process = subprocess.Popen(
            [*program, "serve"],
            cwd=folder,
            env=_environment(folder, database) | environ,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    assert process.stdout is not None
    try:
        yield _announced(process.stdout.readline(), process.pid, folder)
    finally:
        process.terminate()
        try:
            process.wait(STOP_LIMIT)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()


def _announced(line: str, pid: int, folder: Path) -> Running:
    if not line.startswith("Catalog is on "):
        raise RuntimeError(f"The catalog does not start: {(folder / 'server.log').read_text()}")
    url = line.rsplit(maxsplit=1)[-1]
    return Running(url, urlsplit(url).port or 0, pid)


def _environment(folder: Path, database: str) -> dict[str, str]:
    mine = {
        "DATABASE": database,
        "PROTOCOL": "http",
        "HTTP_PORT": "0",
        "JWT_EXPIRATIONTIME": "12h",
        "DEFAULT_TENANT_ADMIN_TEMPORARY_PASSWORD": PASSWORD,
        "PYTHONPATH": str(ROOT),
    }
    if database != "embedded":
        mine["DEFAULT_TENANT_DATABASE"] = f"{urlsplit(database).path[1:]}-tenant"
    # Nothing else: a setting of this shell's, or PYTHONDONTWRITEBYTECODE, would be measured with the catalog.
    kept = ("PATH", "HOME", "LANG", "TMPDIR", "LD_LIBRARY_PATH")
    return {name: os.environ[name] for name in kept if name in os.environ} | mine


@contextmanager
def scratch_database(given: str) -> Generator[str]:
    """The `given` MongoDB with a catalogue of our own in it; what begins with its name is dropped afterwards.

    `embedded` stays so.
    """
    if given == "embedded":
        yield given
        return
    name = f"catalog-bench-{secrets.token_hex(4)}"
    try:
        yield urlsplit(given)._replace(path=f"/{name}").geturl()
    finally:
        with MongoClient[dict[str, object]](given) as client:
            for database in client.list_database_names():
                if database.startswith(name):
                    client.drop_database(database)
