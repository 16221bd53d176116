"""Read one model with two server processes beside one. They share the cores with the database and with who asks."""

from collections.abc import Iterator
from time import perf_counter

from tests.bench import processes
from tests.bench.api import as_user
from tests.bench.loader import Load, load
from tests.bench.plan import Plan
from tests.bench.rows.read_model import BUSY, set_the_table, token_of_reader
from tests.bench.server import Running, server
from tests.bench.table import MIB, Row

COUNTS = (1, 2)


def measure(plan: Plan) -> Iterator[Row]:
    room = plan.room("workers")
    with server(room, plan.database) as running:
        with as_user(running) as admin:
            model = next(iter(set_the_table(admin).values()))
        token = token_of_reader(running)
    alone: list[float] = []
    for count in COUNTS:
        with server(room, plan.database, WORKERS=str(count)) as running:
            wanted = Load(running.port, f"/v1/models/{model}", token, plan.requests, BUSY)
            load(wanted)  # warm
            rates = [_rate(wanted) for _ in range(plan.rounds)]
            yield Row(f"read a model, workers: {count}", "requests/s", rates, alone)
            yield Row(f"memory, workers: {count}, all but the database", "MiB", [memory_of_all(running)])
            alone = alone or rates


def _rate(wanted: Load) -> float:
    began = perf_counter()
    load(wanted)
    return wanted.requests / (perf_counter() - began)


def memory_of_all(running: Running) -> float:
    """MiB. What the processes share is counted with each."""
    servers = [child for child in processes.children(running.pid) if not processes.is_database(child)]
    return sum(processes.resident(process) for process in (running.pid, *servers)) / MIB
