"""A real `mlflow server` with SQLite, as its users start it: one worker, and the files that its clients log."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.support.serving import environment

NEEDS = ("sqlalchemy==2.1.9", "alembic==1.20.1", "graphene==3.4.3")
"""What a server needs beside `mlflow-skinny`, whose code has the server. They are in a folder that only the server
knows: with SQLAlchemy beside it MLflow's client would keep a database of its own.
"""

SOON = 120  # seconds, to install them and to start


def packages() -> Path:
    """A folder with these packages. It is filled once."""
    folder = Path(sys.prefix) / "mlflow-server"
    try:
        if not (folder / "installed").exists():
            install = [sys.executable, "-m", "pip", "install", "--quiet", "--upgrade", "--target", folder, *NEEDS]
            subprocess.run(install, check=True, timeout=SOON, capture_output=True)
            (folder / "installed").touch()
    except (subprocess.SubprocessError, OSError) as problem:
        pytest.skip(f"what an MLflow server needs cannot be installed: {problem}")
    return folder


@contextmanager
def mlflow_server(folder: Path, *options: str, workers: int = 1, **settings: str) -> Iterator[str]:
    """The address of a server whose database and files are in `folder`."""
    known = environment(MLFLOW_DISABLE_TELEMETRY="true", MLFLOW_SERVER_ENABLE_JOB_EXECUTION="false", **settings)
    known["PYTHONPATH"] = str(packages())
    port = _free_port()
    command = [sys.executable, "-m", "mlflow", "server", "--workers", str(workers), "--port", str(port)]
    stores = ["--backend-store-uri", f"sqlite:///{folder}/mlflow.db", "--artifacts-destination", str(folder / "files")]
    with (folder / "mlflow.log").open("w") as log:
        process = subprocess.Popen(
            [*command, *stores, *options], cwd=folder, env=known, stdout=log, stderr=log, start_new_session=True
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


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port
