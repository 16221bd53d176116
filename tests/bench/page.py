"""How fast the page is, on a catalog of many models: `python -m tests.bench.page --models 10000`.

A browser opens it, types and scrolls. Its figures are those of the browser: milliseconds from the document to the first
results, to a search and to completions, frames a second while a long list scrolls, and the layout shift.
"""

import argparse
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.bench.api import READER, as_user, make_reader, sent
from tests.bench.server import PASSWORD, Running, server
from tests.bench.shelves import fill
from tests.support.memory import folder_in_memory
from tests.support.node_programs import NODE
from tests.support.paths import ROOT
from tests.support.serving import TENANT

WEB = ROOT / "catalog" / "web"
PATIENCE = 900  # seconds


def password_of(folder: Path) -> str:
    """The administrator's, which a kept folder remembers."""
    file = folder / "password"
    if not file.exists():
        file.write_text(PASSWORD)
    return file.read_text()


@contextmanager
def started(folder: Path) -> Iterator[Running]:
    with server(folder, DEFAULT_TENANT_ADMIN_TEMPORARY_PASSWORD=password_of(folder)) as running:
        yield running


def prepare(folder: Path, models: int) -> None:
    """A catalog of so many models in `folder`, unless it is there."""
    if (folder / "data").exists():
        return
    with started(folder) as running, as_user(running) as admin:
        make_reader(admin)
        reader = next(user["_id"] for user in sent(admin, "GET", "/users")["docs"] if user["username"] == READER)
    fill(folder, "embedded", models, reader)


def measure(folder: Path, rounds: int, rows: int) -> dict[str, str]:
    with started(folder) as running:
        env = {
            **os.environ,
            "PATH": f"{NODE.parent}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(folder),
            "CATALOG_URL": running.url,
            "CATALOG_TENANT": TENANT,
            "CATALOG_ADMIN": password_of(folder),
            "CATALOG_CHROMIUM": shutil.which("chromium") or "",
            "ROUNDS": str(rounds),
            "ROWS": str(rows),
        }
        command = [NODE, "tests/browser/measure.mjs"]
        done = subprocess.run(command, cwd=WEB, env=env, stdout=subprocess.PIPE, timeout=PATIENCE, check=True)
    found: dict[str, str] = json.loads(done.stdout)
    return found


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--models", type=int, default=10_000)
    options.add_argument("--rounds", type=int, default=7, help="how often the page is opened; medians are shown")
    options.add_argument("--rows", type=int, default=10_000, help="how many results the list has that scrolls")
    options.add_argument("--folder", type=Path, help="keep the catalog there, and use it again")
    chosen = options.parse_args()
    folder = chosen.folder or Path(tempfile.mkdtemp(prefix="page-", dir=folder_in_memory()))
    folder.mkdir(parents=True, exist_ok=True)
    try:
        prepare(folder, chosen.models)
        for name, figure in measure(folder, chosen.rounds, chosen.rows).items():
            print(f"{name:<55} {figure}")
    finally:
        if not chosen.folder:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
