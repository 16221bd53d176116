"""One large file up and down, beside the least that the machine needs for it."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from time import perf_counter

import httpx

from tests.bench import processes
from tests.bench.api import as_user, made
from tests.bench.meter import memory
from tests.bench.plan import Plan
from tests.bench.server import Running, server
from tests.bench.table import MIB, Promise, Row, at_most, ratio_at_least

BOUNDARY = "catalog-bench"
FORM_HEAD = (
    f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="big.bin"\r\n'
    "Content-Type: application/octet-stream\r\n\r\n"
).encode()
FORM_TAIL = f"\r\n--{BOUNDARY}--\r\n".encode()
COPY_AND_HASH = 'cat "$0" > "$1"; sha256sum "$1"'
HALF = ratio_at_least(0.5)
FRUGAL = at_most(64, "MiB")


def measure_large(plan: Plan) -> Iterator[Row]:
    """Ten times as large, once: memory does not grow with the file."""
    return _measured(plan._replace(size=10 * plan.size, rounds=1), HALF)


def measure(plan: Plan) -> Iterator[Row]:
    """A small file, of which nothing is promised but memory, then the large one."""
    yield from _measured(plan._replace(size=MIB, rounds=10 * plan.rounds), None)
    yield from _measured(plan, HALF)


def _measured(plan: Plan, promised: Promise | None) -> Iterator[Row]:
    room = plan.room(f"transfer-{plan.size}")
    file = big_file(room / "big.bin", plan.size)
    with server(room, plan.database) as running:
        with as_user(running) as admin:
            transfer = Transfer(running, file, admin)
        yield from _up(plan, transfer, promised)
        yield from _down(plan, transfer, promised)
        yield memory(running, f"after {_size(plan)} up and down")


class Transfer:
    def __init__(self, running: Running, file: Path, admin: httpx.Client) -> None:
        self.running = running
        self.file = file
        self.size = file.stat().st_size
        self.idle = processes.resident(running.pid)
        self.peaks: list[float] = []  # MiB above idle
        self.model = made(admin, "models", name="big")
        self._versions = f"/v1/models/{self.model}/versions"
        self.authorization = {"Authorization": admin.headers["Authorization"]}

    def upload_form(self) -> float:
        headers = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
        return self.watched(lambda: self._upload(self._versions, headers, FORM_HEAD, FORM_TAIL))

    def upload_body(self) -> float:
        return self.watched(lambda: self._upload(f"{self._versions}?name=big.bin", {}, b"", b""))

    def download(self) -> float:
        return self.watched(lambda: fetched(self.running.port, f"{self._versions}/1", self.authorization, self.size))

    def reference(self) -> float:
        copy = self.file.with_suffix(".copy")
        os.sync()
        began = perf_counter()
        subprocess.run(["sh", "-c", COPY_AND_HASH, self.file, copy], check=True, stdout=subprocess.DEVNULL)
        took = perf_counter() - began
        copy.unlink()
        return self.size / took / 1e6

    def watched(self, go: Callable[[], float]) -> float:
        processes.forget_peak(self.running.pid)
        rate = go()
        self.peaks.append((processes.peak(self.running.pid) - self.idle) / MIB)
        return rate

    def _upload(self, path: str, headers: dict[str, str], before: bytes, after: bytes) -> float:
        make_different(self.file)
        os.sync()  # earlier writes are not measured
        length = str(len(before) + self.size + len(after))
        began = perf_counter()
        with closing(HTTPConnection("127.0.0.1", self.running.port)) as connection, self.file.open("rb") as file:
            connection.putrequest("POST", path)
            for name, value in {**self.authorization, **headers, "Content-Length": length}.items():
                connection.putheader(name, value)
            connection.endheaders(before)
            connection.sock.sendfile(file)
            connection.sock.sendall(after)
            answer = connection.getresponse()
            said = answer.read()
        took = perf_counter() - began
        if answer.status != 200 or json.loads(said)["versions"][-1]["size"] != self.size:
            raise RuntimeError(f"POST {path}: {answer.status} {said!r}")
        return self.size / took / 1e6


def _up(plan: Plan, transfer: Transfer, promised: Promise | None) -> Iterator[Row]:
    reference, form, body = [], [], []
    for _ in range(plan.rounds):
        reference.append(transfer.reference())
        form.append(transfer.upload_form())
        body.append(transfer.upload_body())
    yield Row(f"upload as a form, {_size(plan)}", "MB/s", form, reference, promised)
    yield Row(f"upload as the body, {_size(plan)}", "MB/s", body, reference, promised)
    yield Row(f"upload: peak memory above idle, {_size(plan)}", "MiB", transfer.peaks, promise=FRUGAL)


def _down(plan: Plan, transfer: Transfer, promised: Promise | None) -> Iterator[Row]:
    transfer.peaks = []
    reference, ours = [], []
    with bare_server(transfer.file) as port:
        for _ in range(plan.rounds):
            reference.append(fetched(port, "/", {}, transfer.size))
            ours.append(transfer.download())
    yield Row(f"download, {_size(plan)}", "MB/s", ours, reference, promised)
    yield Row(f"download: peak memory above idle, {_size(plan)}", "MiB", transfer.peaks, promise=FRUGAL)


def _size(plan: Plan) -> str:
    return f"{plan.size / MIB:g} MiB"


@contextmanager
def bare_server(file: Path) -> Generator[int]:
    """The port of a server that does nothing but sendfile."""
    command = [sys.executable, "-m", "tests.bench.sendfile", str(file)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline())
        finally:
            process.terminate()


def fetched(port: int, path: str, headers: dict[str, str], size: int) -> float:
    """MB/s of a download that keeps nothing."""
    buffer = bytearray(MIB)
    received = 0
    began = perf_counter()
    with closing(HTTPConnection("127.0.0.1", port)) as connection:
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        while count := answer.readinto(buffer):
            received += count
    took = perf_counter() - began
    if answer.status != 200 or received != size:
        raise RuntimeError(f"GET {path}: {answer.status}, {received} of {size} bytes")
    return size / took / 1e6


def big_file(path: Path, size: int) -> Path:
    block = os.urandom(min(size, 16 * MIB))
    with path.open("wb") as file:
        while file.tell() < size:
            file.write(block[: size - file.tell()])
    return path


def make_different(file: Path) -> None:
    """So that no storage says it has these bytes already."""
    with file.open("r+b") as writing:
        writing.write(os.urandom(16))
