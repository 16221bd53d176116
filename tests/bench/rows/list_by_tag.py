"""List ten models by tag, of few and of many, as an administrator and as a regular user.

BENCH_ITEMS says of how many, the fewest first, which the others are compared with: `1000,10000` without it. 100000 on
the embedded engine take some minutes to put there.
"""

import os
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import httpx

from tests.bench.api import READER, as_user, make_reader, sent
from tests.bench.loader import Load
from tests.bench.meter import Meter, memory
from tests.bench.plan import Plan
from tests.bench.server import server
from tests.bench.shelves import COMMON, RARE, SELDOM, fill
from tests.bench.table import Row, at_most, p99_at_most

COUNTS = "1000,10000"
TAGS = {COMMON: "in 9 of 10", SELDOM: "in 1 of 100", RARE: "of three"}
WAYS = {"": "with a total", "&after=": "by cursor"}
PROMISED_CPU = at_most(1.2, "ms")
PROMISED_EMBEDDED = at_most(60, "ms")
PROMISED = p99_at_most(3)


def measure(plan: Plan) -> Iterator[Row]:
    promised = PROMISED_EMBEDDED if plan.database == "embedded" else PROMISED
    of_fewest: dict[tuple[str, ...], list[float]] = {}
    for count in counts():
        room, tokens = filled(plan, "list", count)
        with server(room, plan.database) as running:
            for username, tag, way in product(("admin", READER), TAGS, WAYS):
                path = f"/v1/models?filter=%7B%22tags%22:%22{tag}%22%7D{way}"
                # An embedded engine takes its time.
                wanted = Load(running.port, path, tokens[username], max(10, plan.requests // 50), 1)
                name = f"list 10 of {count} by a tag {TAGS[tag]}, {WAYS[way]}, {username}"
                meter = Meter(plan, running, wanted)
                yield from meter.rows(name, PROMISED_CPU, promised, of_fewest.get((username, tag, way), ()))
                of_fewest.setdefault((username, tag, way), meter.latency)
            yield memory(running, f"after listing {count}")


def counts(usual: str = COUNTS) -> list[str]:
    return os.environ.get("BENCH_ITEMS", usual).split(",")


def filled(plan: Plan, name: str, count: str) -> tuple[Path, dict[str, str]]:
    """The folder of a stopped catalog of so many models, and tokens by username."""
    room = plan.room(f"{name}-{count}")
    tokens = {}
    with server(room, plan.database) as running:
        with as_user(running) as admin:
            if plan.database == "embedded" or READER not in _ids(admin):
                make_reader(admin)
            reader = _ids(admin)[READER]
        for username in ("admin", READER):
            with as_user(running, username) as client:
                tokens[username] = client.headers["Authorization"].split()[-1]
    fill(room, plan.database, int(count), reader)
    return room, tokens


def _ids(admin: httpx.Client) -> dict[str, str]:
    return {user["username"]: user["_id"] for user in sent(admin, "GET", "/users")["docs"]}
