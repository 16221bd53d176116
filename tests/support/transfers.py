"""A small application that keeps what it is sent and gives it back, for the tests of uploads and downloads.

Run as a program it is that application behind a real server: see `serving`.
"""

import asyncio
import hashlib
import re
import socket
import subprocess
import sys
from base64 import b64encode
from collections.abc import Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx
import uvicorn
from litestar import Litestar, Request, Response, get, post, route
from litestar.datastructures import State
from litestar.params import FromPath

from catalog.blobs.files import FileStorage
from catalog.blobs.protocol import Storage
from catalog.dialects.http.transfers.downloads import Download, outgoing
from catalog.dialects.http.transfers.uploads import incoming
from catalog.errors import Refused
from tests.support.paths import ROOT

MODIFIED = datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC)
DATA = b"0123456789"
DIGEST = hashlib.sha256(DATA).hexdigest()
BASE64 = b64encode(bytes.fromhex(DIGEST)).decode()


class Traffic:
    """How many transfers are under way, and whom to tell when that changes."""

    def __init__(self) -> None:
        self.now = 0
        self.blocks = 0
        self.changed = asyncio.Condition()

    @asynccontextmanager
    async def one_more(self):
        await self._count(1)
        try:
            yield
        finally:
            await self._count(-1)

    async def _count(self, change: int) -> None:
        async with self.changed:
            self.now += change
            self.changed.notify_all()


@post("/files", request_max_body_size=None, status_code=200)
async def keep(request: Request, state: State) -> dict:
    async with state.traffic.one_more():
        upload = incoming(request, state.limit)
        head = await upload.open()
        blob = await state.storage.of("ada").put(upload.chunks())
        return {**head._asdict(), **blob._asdict(), "announced": upload.digest, "description": upload.description}


@route("/files/{digest:str}", http_method=["GET", "HEAD"])
async def give(request: Request, state: State, digest: FromPath[str]) -> Download:
    blobs = Counted(state.storage.of("ada"), state.traffic)
    asked = request.query_params
    mimetype, size = asked.get("type", "application/zip"), int(asked.get("size", len(DATA)))
    return outgoing(
        request, blobs, name=asked.get("name", "iris.onnx"), digest=digest, size=size, mimetype=mimetype,
        modified=MODIFIED,
    )  # fmt: skip


@get("/traffic/{number:int}")
async def wait_for_traffic(state: State, number: FromPath[int]) -> dict:
    async with state.traffic.changed:
        await state.traffic.changed.wait_for(lambda: state.traffic.now == number)
    return {"blocks": state.traffic.blocks}


class Counted:
    def __init__(self, blobs, traffic: Traffic) -> None:
        self.blobs, self.traffic = blobs, traffic

    async def read(self, digest, start=0, stop=None):
        async with self.traffic.one_more():
            async for block in self.blobs.read(digest, start, stop):
                self.traffic.blocks += 1
                yield block


def worded(_: Request, refused: Refused) -> Response:
    body = {"fault": refused.fault.name, "details": refused.details}
    return Response(body, status_code=refused.fault.status, headers=refused.headers)


def application(storage: Storage, limit: int = 0) -> Litestar:
    return Litestar(
        [keep, give, wait_for_traffic],
        exception_handlers={Refused: worded},
        state=State({"storage": storage, "limit": limit, "traffic": Traffic()}),
        openapi_config=None,
    )


def main(root: str, listening: str) -> None:
    uvicorn.run(application(FileStorage(Path(root))), fd=int(listening), log_level="info", access_log=False)


def asking(app: Litestar) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app, raise_app_exceptions=True), base_url="http://catalog")


def refusal(response: httpx.Response) -> tuple[int, str, str]:
    return response.status_code, response.json()["fault"], response.json()["details"]


class Server:
    def __init__(self, process: subprocess.Popen, url: httpx.URL, root: Path, log: Path) -> None:
        self.process, self.url, self.root, self.log = process, url, root, log

    def memory(self, what: str) -> int:
        """`VmRSS` (now) or `VmHWM` (the most ever), in MiB."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(rf"{what}:\s+(\d+) kB", status)[1]) // 1024

    def connect(self) -> socket.socket:
        return socket.create_connection((self.url.host, self.url.port))

    def files(self) -> list[Path]:
        return [path for path in self.root.rglob("*") if path.is_file()]

    def stop(self) -> str:
        self.process.terminate()
        self.process.wait(30)
        return self.log.read_text()


@contextmanager
def serving(folder: Path) -> Iterator[Server]:
    log = folder / "log"
    with socket.create_server(("127.0.0.1", 0)) as listening, log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.transfers", folder / "uploads", str(listening.fileno())],
            pass_fds=[listening.fileno()],
            cwd=ROOT,
            stdout=output,
            stderr=output,
        )
        url = httpx.URL("http://127.0.0.1", port=listening.getsockname()[1])
    try:
        yield Server(process, url, folder / "uploads", log)
    finally:
        process.kill()
        process.wait()


if __name__ == "__main__":
    main(*sys.argv[1:])
