"""Many tenants, one after the other: start, latency and memory are those of a few. BENCH_TENANTS: `10,100` without it.

The first request of a tenant costs some questions more, who it is and who is asking, and is told apart.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter
from typing import NamedTuple
from urllib.parse import urlsplit

import httpx

from tests.bench import processes
from tests.bench.api import sent
from tests.bench.plan import Plan
from tests.bench.server import PASSWORD, Running, server
from tests.bench.table import MIB, Row, at_most, ratio_at_most

COUNTS = "10,100"
OPERATOR = "operator-" + PASSWORD
REQUESTS = 1000  # in a round, over all tenants, after the first of each
PROMISED = ratio_at_most(1.5)
PROMISED_MEMORY = at_most(16, "MiB")


class Figures(NamedTuple):
    start: list[float]  # s
    first: list[float]  # ms of the first request of a tenant since the start
    again: list[float]  # ms of those after it
    grown: list[float]  # MiB above idle


def measure(plan: Plan) -> Iterator[Row]:
    room = plan.room("tenants")
    tokens: list[str] = []
    fewest = Figures([], [], [], [])
    for count in sorted(int(each) for each in os.environ.get("BENCH_TENANTS", COUNTS).split(",")):
        with server(room, plan.database, API_TOKEN=OPERATOR) as running:
            tokens += [_tenant(running, f"tenant-{number}", plan.database) for number in range(len(tokens), count)]
        figures = Figures([], [], [], [])
        for _ in range(plan.rounds):
            _measure(room, plan.database, tokens, figures)
        yield Row(f"{count} tenants: start", "s", figures.start, fewest.start, PROMISED)
        yield Row(f"{count} tenants: read a list, each for the first time", "ms", figures.first, fewest.first, PROMISED)
        yield Row(f"{count} tenants: read a list, each again", "ms", figures.again, fewest.again, PROMISED)
        yield Row(f"{count} tenants: memory above idle", "MiB", figures.grown, fewest.grown, PROMISED_MEMORY)
        fewest = fewest if fewest.start else figures


def _measure(room: Path, database: str, tokens: list[str], figures: Figures) -> None:
    began = perf_counter()
    with server(room, database, API_TOKEN=OPERATOR) as running:
        figures.start.append(perf_counter() - began)
        idle = processes.resident(running.pid)
        _ask(running, tokens, figures)
        figures.grown.append((processes.resident(running.pid) - idle) / MIB)


def _tenant(running: Running, name: str, database: str) -> str:
    """Make a tenant and a model in it, and return its administrator's token."""
    body = {
        "_id": name,
        "email": f"{name}@example.org",
        "admin_username": "admin",
        "admin_password": PASSWORD,
        "database": f"{urlsplit(database).path.strip('/')}-{name}",
    }
    with httpx.Client(base_url=f"{running.url}/v1", timeout=60) as client:
        sent(client, "POST", "/tenants", json=body, headers={"Authorization": OPERATOR})
        signing_in = {"username": "admin", "password": PASSWORD, "tenant": name}
        token = sent(client, "POST", "/login", json=signing_in)["token"]
        sent(client, "POST", "/models", json={"name": "first"}, headers={"Authorization": token})
    return str(token)


def _ask(running: Running, tokens: list[str], figures: Figures) -> None:
    times = 1 + max(1, REQUESTS // len(tokens))
    with httpx.Client(base_url=f"{running.url}/v1", timeout=60) as client:
        for token in tokens:
            took = [_timed(client, token) for _ in range(times)]
            figures.first.append(took[0])
            figures.again.extend(took[1:])


def _timed(client: httpx.Client, token: str) -> float:
    """ms."""
    began = perf_counter()
    sent(client, "GET", "/models", headers={"Authorization": token})
    return 1000 * (perf_counter() - began)
