"""What one more tenant costs: its making, and what the database holds for it. BENCH_FOOTPRINT tenants, 100 without it.

The figures of the database's process are those of the embedded one, or of the process BENCH_DATABASE_PID, if it is on
this machine.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter
from typing import NamedTuple
from urllib.parse import urlsplit

import httpx

from tests.bench import processes
from tests.bench.api import sent
from tests.bench.plan import Plan
from tests.bench.server import PASSWORD, Running, server
from tests.bench.table import MIB, Row

OPERATOR = "operator-" + PASSWORD
WARM = 10  # tenants, after which what is made once for all of them is there


class Held(NamedTuple):
    memory: int  # bytes resident
    handles: int


def measure(plan: Plan) -> Iterator[Row]:
    room = plan.room("footprint")
    count = int(os.environ.get("BENCH_FOOTPRINT", "100"))
    with server(room, plan.database, API_TOKEN=OPERATOR) as running:
        for number in range(WARM):
            _made(running, f"first-{number}", plan.database)
    disk = _tables(room)
    with server(room, plan.database, API_TOKEN=OPERATOR) as running:
        for number in range(WARM):
            _made(running, f"second-{number}", plan.database)
        process = _database(plan, running)
        own, before = processes.resident(running.pid), _held(process)
        took = [_made(running, f"tenant-{number}", plan.database) for number in range(count)]
        grown, after = processes.resident(running.pid) - own, _held(process)
        swept = [_swept(running) / (2 * WARM + count) for _ in range(plan.rounds)]
    yield Row(f"the first tenth of {count} tenants: make one", "s", took[: max(1, count // 10)])
    yield Row(f"the last tenth of {count} tenants: make one", "s", took[-max(1, count // 10) :], took[: count // 10])
    yield Row("one more tenant: memory of the server", "MiB", [grown / MIB / count])
    yield Row("one more tenant: sweep it, words counted again", "s", swept)
    if process:
        yield Row("one more tenant: memory of the database", "MiB", [(after.memory - before.memory) / MIB / count])
        yield Row("one more tenant: open files of the database", "", [(after.handles - before.handles) / count])
    if disk:
        yield Row("one more tenant: disk of the database", "MiB", [(_tables(room) - disk) / MIB / (WARM + count)])


def _made(running: Running, name: str, database: str) -> float:
    """Seconds."""
    body = {
        "_id": name,
        "email": f"{name}@example.org",
        "admin_username": "admin",
        "admin_password": PASSWORD,
        "database": f"{urlsplit(database).path.strip('/')}-{name}",
    }
    with httpx.Client(base_url=f"{running.url}/v1", timeout=60) as client:
        began = perf_counter()
        sent(client, "POST", "/tenants", json=body, headers={"Authorization": OPERATOR})
        return perf_counter() - began


def _swept(running: Running) -> float:
    """Seconds for all tenants, one after the other as a server takes them."""
    with httpx.Client(base_url=f"{running.url}/v1", timeout=600) as client:
        began = perf_counter()
        sent(client, "POST", "/sweep", headers={"Authorization": OPERATOR})
        return perf_counter() - began


def _database(plan: Plan, running: Running) -> int:
    """Its process; 0 for one that we know nothing of."""
    if plan.database == "embedded":
        [child] = processes.children(running.pid)
        return child
    return int(os.environ.get("BENCH_DATABASE_PID", "0"))


def _held(process: int) -> Held:
    if not process:
        return Held(0, 0)
    return Held(processes.resident(process), len(list(Path(f"/proc/{process}/fd").iterdir())))


def _tables(room: Path) -> int:
    """Bytes of the tables of an embedded database that has ended; what is in its log is in them, too, by then."""
    return sum(file.stat().st_size for file in (room / "data").rglob("*.wt"))
