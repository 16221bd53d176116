"""Many tenants, each asked in turn: latency and memory are those of a few. BENCH_TENANTS: `10,100` without it."""

import os
from collections.abc import Iterator
from time import perf_counter
from urllib.parse import urlsplit

import httpx

from tests.bench import processes
from tests.bench.api import sent
from tests.bench.plan import Plan
from tests.bench.server import PASSWORD, Running, server
from tests.bench.table import MIB, Row

COUNTS = "10,100"
OPERATOR = "operator-" + PASSWORD
REQUESTS = 1000  # in a round, over all tenants


def measure(plan: Plan) -> Iterator[Row]:
    room = plan.room("tenants")
    tokens: list[str] = []
    reference: list[float] = []  # ms, with the fewest tenants
    for count in sorted(int(each) for each in os.environ.get("BENCH_TENANTS", COUNTS).split(",")):
        with server(room, plan.database, API_TOKEN=OPERATOR) as running:
            tokens += [_tenant(running, f"tenant-{number}", plan.database) for number in range(len(tokens), count)]
        began = perf_counter()
        with server(room, plan.database, API_TOKEN=OPERATOR) as running:
            yield Row(f"{count} tenants: start", "s", [perf_counter() - began])
            idle = processes.resident(running.pid)
            latency = [each for _ in range(plan.rounds) for each in _asked_in_turn(running, tokens)]
            yield Row(f"{count} tenants: read a list, each in turn", "ms", latency, reference)
            grown = (processes.resident(running.pid) - idle) / MIB
            yield Row(f"{count} tenants: memory above idle", "MiB", [grown])
            reference = reference or latency


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


def _asked_in_turn(running: Running, tokens: list[str]) -> list[float]:
    took = []
    with httpx.Client(base_url=f"{running.url}/v1", timeout=60) as client:
        for number in range(REQUESTS):
            began = perf_counter()
            sent(client, "GET", "/models", headers={"Authorization": tokens[number % len(tokens)]})
            took.append(1000 * (perf_counter() - began))
    return took
