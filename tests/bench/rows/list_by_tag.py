"""List ten models by tag, of few and of many, as an administrator and as a regular user.

BENCH_ITEMS says of how many: `1000,10000` without it. 100000 on the embedded engine take some minutes to put there.
"""

import os
from collections.abc import Iterator
from itertools import product

from tests.bench import processes
from tests.bench.api import READER, as_user, make_reader, sent
from tests.bench.loader import Load, load
from tests.bench.plan import Plan
from tests.bench.server import Running, server
from tests.bench.shelves import COMMON, RARE, SELDOM, fill
from tests.bench.table import Row, at_most

COUNTS = "1000,10000"
TAGS = {COMMON: "in 9 of 10", SELDOM: "in 1 of 100", RARE: "of three"}
WAYS = {"": "with a total", "&after=": "by cursor"}
PROMISED_CPU = at_most(1.2, "ms")
PROMISED_LATENCY = at_most(60, "ms")


def measure(plan: Plan) -> Iterator[Row]:
    for count in os.environ.get("BENCH_ITEMS", COUNTS).split(","):
        room = plan.room(f"list-{count}")
        with server(room, plan.database) as running, as_user(running) as admin:
            make_reader(admin)
            users = sent(admin, "GET", "/users")["docs"]
        reader = next(user["_id"] for user in users if user["username"] == READER)
        fill(room, plan.database, int(count), reader)
        with server(room, plan.database) as running:
            for username, tag, way in product(("admin", READER), TAGS, WAYS):
                yield from _timed(
                    plan,
                    running,
                    username,
                    f"/v1/models?filter=%7B%22tags%22:%22{tag}%22%7D{way}",
                    f"list 10 of {count} by a tag {TAGS[tag]}, {WAYS[way]}, {username}",
                )


def _timed(plan: Plan, running: Running, username: str, path: str, name: str) -> Iterator[Row]:
    with as_user(running, username) as client:
        token = client.headers["Authorization"].split()[-1]
    requests = max(10, plan.requests // 40)  # an embedded engine takes its time
    wanted = Load(running.port, path, token, requests, 1)
    load(wanted._replace(requests=3))  # warm
    latency: list[float] = []
    cpu: list[float] = []
    for _ in range(plan.rounds):
        before = processes.cpu(running.pid)
        latency += load(wanted)
        cpu.append(1000 * (processes.cpu(running.pid) - before) / requests)
    yield Row(f"{name}: server CPU", "ms", cpu, promise=PROMISED_CPU)
    yield Row(f"{name}: latency", "ms", [1000 * each for each in latency], promise=PROMISED_LATENCY)
