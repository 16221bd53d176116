"""Many files at once: 64 uploads of 16 MiB beside each other, and 1000 downloads of 1 MiB over 64 connections."""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from http.client import HTTPConnection
from time import perf_counter

import httpx

from tests.bench import processes
from tests.bench.api import as_user, made
from tests.bench.meter import memory
from tests.bench.plan import Plan
from tests.bench.server import Running, server
from tests.bench.table import MIB, Row

AT_ONCE = 64
LARGE, SMALL = 16 * MIB, MIB
DOWNLOADS = 1000


def measure(plan: Plan) -> Iterator[Row]:
    with server(plan.room("crowd"), plan.database) as running:
        with as_user(running) as admin:
            crowd = Crowd(running, admin)
        up = [crowd.upload() for _ in range(plan.rounds)]
        yield Row(f"{AT_ONCE} uploads of 16 MiB at once", "MB/s", up)
        yield Row(f"{AT_ONCE} uploads of 16 MiB at once: peak memory above idle", "MiB", crowd.peaks)
        crowd.peaks = []
        down = [crowd.download() for _ in range(plan.rounds)]
        yield Row(f"{DOWNLOADS} downloads of 1 MiB, {AT_ONCE} connections", "MB/s", down)
        yield Row(f"{DOWNLOADS} downloads of 1 MiB: peak memory above idle", "MiB", crowd.peaks)
        yield memory(running, f"after {AT_ONCE} at once")


class Crowd:
    def __init__(self, running: Running, admin: httpx.Client) -> None:
        self._running = running
        self._headers = {"Authorization": admin.headers["Authorization"]}
        self._versions = f"/v1/models/{made(admin, 'models', name='crowd')}/versions"
        self._send(os.urandom(SMALL), "?name=small.bin&ordinal=small")
        self._idle = processes.resident(running.pid)
        self._block = os.urandom(LARGE - 16)
        self.peaks: list[float] = []  # MiB above idle

    def upload(self) -> float:
        return self._watched(lambda _: self._send(os.urandom(16) + self._block, "?name=large.bin"), AT_ONCE, LARGE)

    def download(self) -> float:
        return self._watched(lambda _: self._fetch(), DOWNLOADS, SMALL)

    def _watched(self, one: Callable[[int], None], count: int, size: int) -> float:
        """MB/s of `count` transfers, AT_ONCE at a time."""
        os.sync()  # earlier writes are not measured
        processes.forget_peak(self._running.pid)
        began = perf_counter()
        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(one, range(count)))
        took = perf_counter() - began
        self.peaks.append((processes.peak(self._running.pid) - self._idle) / MIB)
        return count * size / took / 1e6

    def _send(self, content: bytes, query: str) -> None:
        self._asked("POST", f"{self._versions}{query}", content)

    def _fetch(self) -> None:
        if len(self._asked("GET", f"{self._versions}/small")) != SMALL:
            raise RuntimeError("a download was cut off")

    def _asked(self, method: str, path: str, content: bytes = b"") -> bytes:
        with closing(HTTPConnection("127.0.0.1", self._running.port)) as connection:
            connection.request(method, path, body=content or None, headers=self._headers)
            answer = connection.getresponse()
            said = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{method} {path}: {answer.status} {said[:200]!r}")
        return said
