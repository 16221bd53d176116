"""Suggest a tag on each key press, to a user to whom every third does not show.

BENCH_WORDS says among how many, the fewest first: `10000` without it.
"""

import os
from collections.abc import Iterator
from contextlib import suppress

from tests.bench.api import READER, as_user, make_reader
from tests.bench.loader import Load
from tests.bench.meter import Meter, memory
from tests.bench.plan import Plan
from tests.bench.server import server
from tests.bench.shelves import coin
from tests.bench.table import Row, at_most, p99_at_most

COUNTS = "10000"
TYPED = {"": "nothing", "b": "one letter", "bal": "three letters", "baladak": "seven letters", "zzzz": "what none has"}
PROMISED_EMBEDDED = at_most(20, "ms")
PROMISED = p99_at_most(2)


def measure(plan: Plan) -> Iterator[Row]:
    promised = PROMISED_EMBEDDED if plan.database == "embedded" else PROMISED
    of_fewest: dict[str, list[float]] = {}
    for count in os.environ.get("BENCH_WORDS", COUNTS).split(","):
        room = plan.room(f"suggest-{count}")
        with server(room, plan.database) as running:
            with as_user(running) as admin, suppress(RuntimeError):  # a given database has one from the row before
                make_reader(admin)
            with as_user(running, READER) as reader:
                token = reader.headers["Authorization"].split()[-1]
        coin(room, plan.database, int(count))
        with server(room, plan.database) as running:
            for typed, words in TYPED.items():
                wanted = Load(running.port, f"/v1/tags/suggest?q={typed}", token, max(10, plan.requests // 40), 1)
                meter = Meter(plan, running, wanted)
                name = f"suggest among {count}, typed {words}"
                yield from meter.rows(name, None, promised, of_fewest.get(typed, ()))
                of_fewest.setdefault(typed, meter.latency)
            yield memory(running, f"after suggesting among {count}")
