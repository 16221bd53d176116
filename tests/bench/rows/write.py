"""Create a model with three tags and three pairs of metadata, and change it."""

import json
from collections.abc import Iterator
from time import perf_counter

from tests.bench.api import as_user, made
from tests.bench.loader import NUMBER, Load, load
from tests.bench.meter import Meter, memory
from tests.bench.plan import Plan
from tests.bench.server import server
from tests.bench.table import Row, at_most

NEW = {
    "name": f"model-{NUMBER}",
    "visibility": "public",
    "tags": ["vision", "iris", f"run-{NUMBER}"],
    "metadata": [{"name": "accuracy", "value": 0.98}, {"name": "layers", "value": 4}, {"name": "by", "value": NUMBER}],
}
CHANGE = {"description": f"changed {NUMBER} times", "tags": {"add": [f"turn-{NUMBER}"]}}
PROMISED_CPU = at_most(3, "ms")


BUSY = 16  # connections
WORKERS = 2


def creation(port: int, token: str, requests: int, connections: int) -> Load:
    return Load(port, "/v1/models", token, requests, connections, "POST", json.dumps(NEW))


def measure(plan: Plan) -> Iterator[Row]:
    with server(plan.room("write"), plan.database) as running:
        with as_user(running) as admin:
            changed = made(admin, "models", name="changed")
            token = admin.headers["Authorization"].split()[-1]
        some = max(10, plan.requests // 10)
        creating = creation(running.port, token, some, 1)
        yield from Meter(plan, running, creating).rows("create a model with 3 tags and 3 pairs", PROMISED_CPU)
        # Not more than an item may have of tags, each of which is one.
        changes = min(some, 400 // plan.rounds)
        changing = Load(running.port, f"/v1/models/{changed}", token, changes, 1, "PUT", json.dumps(CHANGE))
        yield from Meter(plan, running, changing).rows("change a model: its description, one tag more")
        yield memory(running, "after writing")
    yield from _busy(plan)


def _busy(plan: Plan) -> Iterator[Row]:
    """Creations that wait for each other, at two workers."""
    with server(plan.room("busy"), plan.database, WORKERS=str(WORKERS)) as running:
        with as_user(running) as admin:
            token = admin.headers["Authorization"].split()[-1]
        creating = creation(running.port, token, max(100, plan.requests // 4), BUSY)._replace(first=10**6)
        load(creating._replace(first=10**7))  # warm
        rates: list[float] = []
        for turn in range(plan.rounds):
            began = perf_counter()
            load(creating._replace(first=creating.first + turn * creating.requests))
            rates.append(creating.requests / (perf_counter() - began))
        yield Row(f"create a model, {BUSY} connections, workers: {WORKERS}", "creations/s", rates)
