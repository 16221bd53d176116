"""List ten models in the order of a field, and by a range of metadata values, as an administrator.

BENCH_ITEMS says of how many: `1000,3000` without it. The figures of the first are what the others are compared with.
"""

from collections.abc import Iterator

from tests.bench.loader import Load
from tests.bench.meter import Meter
from tests.bench.plan import Plan
from tests.bench.rows.list_by_tag import counts, filled
from tests.bench.server import server
from tests.bench.table import Row, p99_at_most

LISTS = {
    "by name": "sort=%7B%22name%22:1%7D",
    "by owner, descending": "sort=%7B%22owner%22:-1%7D",
    "where a value is 0.99 or more": "metadata.measure-0=gte:0.99",
}
PROMISED = p99_at_most(3)


def measure(plan: Plan) -> Iterator[Row]:
    of_fewest: dict[str, list[float]] = {}
    for count in counts("1000,3000"):
        room, tokens = filled(plan, "sorted", count)
        with server(room, plan.database) as running:
            for name, query in LISTS.items():
                path = f"/v1/models?{query}"
                wanted = Load(running.port, path, tokens["admin"], max(3, plan.requests // 100), 1)
                meter = Meter(plan, running, wanted)
                yield from meter.rows(f"list 10 of {count} {name}", None, PROMISED, of_fewest.get(name, ()))
                of_fewest.setdefault(name, meter.latency)
