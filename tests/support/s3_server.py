"""A server that speaks S3, in a process of its own: moto's, which keeps what it is sent in memory or on the disk.

Run as a program it is that server: it says its port, and ends when its standard input does.
"""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple
from uuid import uuid4

import httpx

KEY, SECRET = "a-key-of-the-tests", "a-secret-of-the-tests-20"
REGION = "us-east-1"


class S3Server(NamedTuple):
    url: str
    pid: int

    def bucket(self) -> str:
        """The name of a new bucket."""
        name = f"b{uuid4().hex}"
        httpx.put(f"{self.url}/{name}", timeout=30).raise_for_status()
        return name

    def settings(self, storage: str) -> dict[str, str]:
        """What a catalog that keeps its files here is set to, with `storage` as in s3://bucket/prefix."""
        return {
            "STORAGE": storage,
            "S3_ENDPOINT": self.url,
            "S3_ACCESS_KEY": KEY,
            "S3_SECRET_KEY": SECRET,
            "S3_REGION": REGION,
        }


@contextmanager
def s3_server(**environment: str) -> Iterator[S3Server]:
    """A server with no bucket yet."""
    process = subprocess.Popen(
        [sys.executable, __file__],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, **environment},
    )
    try:
        port = process.stdout.readline().strip()
        assert port, "the S3 server did not start"
        yield S3Server(f"http://127.0.0.1:{port}", process.pid)
    finally:
        process.stdin.close()
        process.wait(30)
        process.stdout.close()


def _serve() -> None:
    from moto.server import DomainDispatcherApplication, create_backend_app  # noqa: PLC0415  slow: only this process
    from werkzeug.serving import WSGIRequestHandler, make_server  # noqa: PLC0415

    # One connection for many requests, as every real store has it.
    WSGIRequestHandler.protocol_version = "HTTP/1.1"
    server = make_server("127.0.0.1", 0, DomainDispatcherApplication(create_backend_app), threaded=True)
    print(server.port, flush=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    _serve()
