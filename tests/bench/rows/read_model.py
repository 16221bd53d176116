"""Read one model as a regular user: token, access check, JSON."""

import sys
from collections.abc import Iterator
from pathlib import Path

import httpx

from tests.bench import processes
from tests.bench.api import READER, as_user, made, make_reader
from tests.bench.loader import Load, load
from tests.bench.meter import memory
from tests.bench.plan import Plan
from tests.bench.server import Running, server
from tests.bench.table import Row, at_most

BUSY = 16  # connections
PLAIN, FULL = "read a model", "read a model with a version, a dataset and a user"
PROMISED_CPU = at_most(0.8, "ms")
PROMISED_COMMANDS = {PLAIN: at_most(1, ""), FULL: at_most(2, "")}  # the second finds the versions
COUNTED = 20  # requests
BURSTS = 5  # every few seconds it is asked again who is asking: in one of them, at most


def measure(plan: Plan) -> Iterator[Row]:
    room = plan.room("read")
    with server(room, plan.database) as running:
        with as_user(running) as admin:
            models = set_the_table(admin)
        token = token_of_reader(running)
        for name, model in models.items():
            yield from _timed(
                plan, running, Load(running.port, f"/v1/models/{model}", token, plan.requests, BUSY), name
            )
        yield memory(running, "after reading")
    yield from _counted(room, plan.database, models)


def set_the_table(admin: httpx.Client) -> dict[str, str]:
    """Ids of two models by what to call them."""
    make_reader(admin)
    words = {
        "tags": ["vision", "iris", "small"],
        "metadata": [{"name": "accuracy", "value": 0.98}, {"name": "layers", "value": 4}, {"name": "by", "value": "x"}],
    }
    plain = made(admin, "models", name="plain", visibility="public", **words)
    dataset = made(admin, "datasets", name="flowers", visibility="public")
    full = made(admin, "models", name="full", users=[READER], datasets=[dataset], **words)
    admin.post(f"/models/{full}/versions", files={"file": ("iris.onnx", b"weights")}).raise_for_status()
    return {PLAIN: plain, FULL: full}


def token_of_reader(running: Running) -> str:
    with as_user(running, READER) as reader:
        return reader.headers["Authorization"].split()[-1]


def _timed(plan: Plan, running: Running, wanted: Load, name: str) -> Iterator[Row]:
    mine: list[float] = []
    everything: list[float] = []
    busy: list[float] = []
    alone: list[float] = []
    load(wanted)  # warm
    for _ in range(plan.rounds):
        before, before_with_children = processes.cpu(running.pid), processes.family_cpu(running.pid)
        busy += load(wanted)
        mine.append((processes.cpu(running.pid) - before) / plan.requests)
        everything.append((processes.family_cpu(running.pid) - before_with_children) / plan.requests)
        alone += load(wanted._replace(connections=1))
    yield Row(f"{name}: server CPU", "ms", _ms(mine), promise=PROMISED_CPU)
    if plan.database == "embedded":
        yield Row(f"{name}: CPU with the database's", "ms", _ms(everything))
    yield Row(f"{name}: latency, 1 connection", "ms", _ms(alone))
    yield Row(f"{name}: latency, {BUSY} connections", "ms", _ms(busy))


def _ms(seconds: list[float]) -> list[float]:
    return [1000 * each for each in seconds]


def _counted(room: Path, database: str, models: dict[str, str]) -> Iterator[Row]:
    commands = room / "commands"
    program = (sys.executable, "-m", "tests.bench.counted")
    with server(room, database, program, COMMANDS_FILE=str(commands)) as running:
        token = token_of_reader(running)
        for name, model in models.items():
            wanted = Load(running.port, f"/v1/models/{model}", token, COUNTED, 1)
            load(wanted)  # who is asking is remembered for a while
            counted = [_commands(wanted, commands) for _ in range(BURSTS)]
            yield Row(f"{name}: database commands", "", counted, promise=PROMISED_COMMANDS[name])


def _commands(wanted: Load, commands: Path) -> float:
    before = _lines(commands)
    load(wanted)
    return (_lines(commands) - before) / wanted.requests


def _lines(file: Path) -> int:
    return file.read_bytes().count(b"\n")
