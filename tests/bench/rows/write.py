"""Create a model with three tags and three pairs of metadata, and change it."""

import json
from collections.abc import Iterator

from tests.bench.api import as_user, made
from tests.bench.loader import NUMBER, Load
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


def measure(plan: Plan) -> Iterator[Row]:
    with server(plan.room("write"), plan.database) as running:
        with as_user(running) as admin:
            changed = made(admin, "models", name="changed")
            token = admin.headers["Authorization"].split()[-1]
        some = max(10, plan.requests // 10)
        creating = Load(running.port, "/v1/models", token, some, 1, "POST", json.dumps(NEW))
        yield from Meter(plan, running, creating).rows("create a model with 3 tags and 3 pairs", PROMISED_CPU)
        # Not more than an item may have of tags, each of which is one.
        changes = min(some, 400 // plan.rounds)
        changing = Load(running.port, f"/v1/models/{changed}", token, changes, 1, "PUT", json.dumps(CHANGE))
        yield from Meter(plan, running, changing).rows("change a model: its description, one tag more")
        yield memory(running, "after writing")
