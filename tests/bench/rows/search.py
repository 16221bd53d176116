"""Search across a catalog, as an administrator and as a regular user.

BENCH_ITEMS says of how many models: `1000,10000` without it.
"""

from collections.abc import Iterator
from itertools import product

from tests.bench.api import READER
from tests.bench.loader import Load
from tests.bench.meter import Meter, memory
from tests.bench.plan import Plan
from tests.bench.rows.list_by_tag import counts, filled
from tests.bench.server import server
from tests.bench.table import Row

WORDS = {"bert": "the beginning of many names", "common": "a tag of 9 in 10", "zebra": "nothing"}


def measure(plan: Plan) -> Iterator[Row]:
    for count in counts():
        room, tokens = filled(plan, "search", count)
        with server(room, plan.database) as running:
            for username, word in product(("admin", READER), WORDS):
                path = f"/v1/search?q={word}"
                wanted = Load(running.port, path, tokens[username], max(3, plan.requests // 400), 1)
                name = f"search {count} models for {WORDS[word]}, {username}"
                yield from Meter(plan, running, wanted).rows(name)
            yield memory(running, f"after searching {count}")
