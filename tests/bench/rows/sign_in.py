"""Sign in: mostly the hash of a password, which is meant to cost."""

import json
from collections.abc import Iterator

from tests.bench.api import TENANT
from tests.bench.loader import Load
from tests.bench.meter import Meter, memory
from tests.bench.plan import Plan
from tests.bench.server import PASSWORD, server
from tests.bench.table import Row

AT_ONCE = 16
BODY = json.dumps({"username": "admin", "password": PASSWORD, "tenant": TENANT})


def measure(plan: Plan) -> Iterator[Row]:
    with server(plan.room("sign-in"), plan.database) as running:
        yield memory(running, "idle")
        for connections in (1, AT_ONCE):
            wanted = Load(running.port, "/v1/login", "", max(10, plan.requests // 40), connections, "POST", BODY)
            yield from Meter(plan, running, wanted).rows(f"sign in, {connections} at once")
        yield memory(running, "after signing in")
