"""A server with several workers, and clients that know to which of them they speak."""

import os
import random
import re
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx

from tests.support.app import PASSWORD
from tests.support.serving import SOON, Server

WORKERS = 3


def until(come_true, limit: float = SOON):
    """Ask again and again, for as long as is allowed."""
    deadline = time.monotonic() + limit
    while not (answer := come_true()):
        assert time.monotonic() < deadline
        time.sleep(0.005)
    return answer


def all_at_work(server: Server, count: int = WORKERS) -> list[int]:
    """The workers, once so many of them answer."""

    def at_work():
        found = answering(server) & set(server.workers)
        return sorted(found) if len(found) == count else None

    return until(at_work)


def answering(server: Server) -> set[int]:
    """Those that have ever answered."""
    return set(map(int, re.findall(r"worker \d+ answers \(process (\d+)\)", server.log.read_text())))


@contextmanager
def others_asleep(awake: int, pids: list[int]) -> Iterator[None]:
    """Clients that connect meanwhile are answered by this one."""
    others = [pid for pid in pids if pid != awake]
    for pid in others:
        os.kill(pid, signal.SIGSTOP)
    try:
        until(lambda: {state(pid) for pid in others} == {"T"})
        yield
    finally:
        for pid in others:
            os.kill(pid, signal.SIGCONT)


def listens(server: Server) -> bool:
    url = httpx.URL(server.url)
    try:
        socket.create_connection((url.host, url.port), SOON).close()
    except (ConnectionRefusedError, ConnectionResetError):
        return False
    return True


def state(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0]


@contextmanager
def at(server: Server, pid: int, token: str = "") -> Iterator[httpx.Client]:
    """A client whose one connection is to this worker."""
    with httpx.Client(
        base_url=server.url,
        headers={"Authorization": token} if token else {},
        timeout=SOON,
        limits=httpx.Limits(max_connections=1, keepalive_expiry=None),
    ) as client:
        with others_asleep(pid, server.workers):
            client.get("/health/live").raise_for_status()
        yield client


class Team:
    """A server with several workers, and a client at each, as the administrator."""

    def __init__(self, server: Server, stack: ExitStack, count: int = WORKERS) -> None:
        self.server = server
        self.pids = all_at_work(server, count)
        self.token = server.login().json()["token"]
        self.clients = [stack.enter_context(at(server, pid, self.token)) for pid in self.pids]

    def name(self) -> str:
        return f"n{random.randbytes(6).hex()}"

    def hire(self) -> str:
        username = self.name()
        body = {
            "username": username,
            "password": PASSWORD,
            "email": f"{username}@example.org",
            "role": "regular",
        }
        self.clients[0].post("/v1/users", json=body).raise_for_status()
        return username
