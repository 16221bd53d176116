"""From `catalog serve` to the first answer, with a database that was there before."""

from collections.abc import Iterator
from time import perf_counter

from tests.bench.api import as_user, made, sent, signed_in
from tests.bench.plan import Plan
from tests.bench.server import server
from tests.bench.table import Row, at_most


def measure(plan: Plan) -> Iterator[Row]:
    room = plan.room("start")
    with server(room, plan.database) as running, as_user(running) as admin:
        model = made(admin, "models", name="first")
        authorization = admin.headers["Authorization"]

    took = []
    for _ in range(plan.rounds):
        began = perf_counter()
        with server(room, plan.database) as running, signed_in(running, authorization) as client:
            sent(client, "GET", f"/models/{model}")
            took.append(perf_counter() - began)
    yield Row("from `catalog serve` to the first model read", "s", took, promise=at_most(2, "s"))
