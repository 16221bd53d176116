"""A real `mlflow server` with SQLite, as its users start it, with the files that its clients log."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.support.ports import reserved_port
from tests.support.serving import environment

NEEDS = ("sqlalchemy==2.1.9", "alembic==1.20.1", "graphene==3.4.3", "huey==3.5.4")
"""What a server needs beside `mlflow-skinny`, whose code has the server. They are in a folder that only the server
knows: with SQLAlchemy beside it MLflow's client would keep a database of its own.
"""

SOON = 120  # seconds, to install them and to start


def packages() -> Path:
    """A folder with these packages. It is filled once."""
    folder = Path(sys.prefix) / "mlflow-server"
    installed = folder / "installed"
    try:
        if not installed.exists() or installed.read_text() != " ".join(NEEDS):
            install = [sys.executable, "-m", "pip", "install", "--quiet", "--upgrade", "--target", folder, *NEEDS]
            subprocess.run(install, check=True, timeout=SOON, capture_output=True)
            installed.write_text(" ".join(NEEDS))
    except (subprocess.SubprocessError, OSError) as problem:
        pytest.skip(f"what an MLflow server needs cannot be installed: {problem}")
    return folder


@contextmanager
def mlflow_server(folder: Path, *, is_default: bool = False) -> Iterator[str]:
    """The address of a server whose database and files are in `folder`: with one worker and no jobs, or as it is by
    default.
    """
    jobs = {} if is_default else {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    known = environment(MLFLOW_DISABLE_TELEMETRY="true", **jobs)
    known["PYTHONPATH"] = str(packages())
    with reserved_port() as port:
        yield from _serving(folder, known, port, is_default=is_default)


def _serving(folder: Path, known: dict[str, str], port: int, *, is_default: bool) -> Iterator[str]:
    command = [sys.executable, "-m", "mlflow", "server", "--port", str(port)]
    command += [] if is_default else ["--workers", "1"]
    stores = ["--backend-store-uri", f"sqlite:///{folder}/mlflow.db", "--artifacts-destination", str(folder / "files")]
    with (folder / "mlflow.log").open("w") as log:
        process = subprocess.Popen(
            [*command, *stores], cwd=folder, env=known, stdout=log, stderr=log, start_new_session=True
        )
    try:
        _wait(process, f"http://127.0.0.1:{port}", folder / "mlflow.log")
        yield f"http://127.0.0.1:{port}"
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _wait(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    deadline = time.monotonic() + SOON
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx.get(f"{url}/health", timeout=5).status_code == httpx.codes.OK:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise AssertionError(f"mlflow server did not start:\n{log.read_text()}")
