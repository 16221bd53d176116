"""Compare the requests of two checkouts: both servers run at once and are asked in turns (A B A B).

    git worktree add ../before 626375c
    python -m tests.bench.compare ../before . --workers 2 --connections 16
    python -m tests.bench.compare ../before . --row read --requests 2000

A busy machine changes all figures of a run, and the ratio least.
"""

import argparse
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from time import perf_counter, sleep
from types import MappingProxyType
from typing import NamedTuple
from urllib.parse import quote

from tests.bench import processes
from tests.bench.api import as_user
from tests.bench.loader import Load, load
from tests.bench.rows.write import creation
from tests.bench.server import Running, scratch_database, server

READY = 2.0  # seconds after which all workers of a server answer
LISTED = 200  # models among which a list finds its ten
OF_A_TAG = f"/v1/models?filter={quote(json.dumps({'tags': 'iris'}))}&limit=10"


def _get(path: str) -> Callable[[int, str, int, int], Load]:
    return lambda port, token, requests, connections: Load(port, path, token, requests, connections)


ROWS: Mapping[str, Callable[[int, str, int, int], Load]] = MappingProxyType(
    {"create": creation, "read": _get("/v1/models/model-1"), "list": _get(OF_A_TAG)}
)


class Round(NamedTuple):
    rate: float  # creations in a second
    cpu: float  # ms of the server for each, workers included and the database not
    both: float  # the same with an embedded database


def main(arguments: Sequence[str]) -> None:
    asked = _parser().parse_args(arguments)
    with ExitStack() as stack:
        given = os.environ.get("CATALOG_BENCH_DATABASE", "embedded")
        loads = [stack.enter_context(_started(path, given, asked)) for path in asked.checkouts]
        rounds: list[list[Round]] = [[] for _ in loads]
        for turn in range(asked.rounds):
            for (running, wanted), measured in zip(loads, rounds, strict=True):
                first = wanted.first + turn * wanted.requests
                measured.append(_measured(running, wanted._replace(first=first)))
    for path, measured in zip(asked.checkouts, rounds, strict=True):
        print(f"{path}:", *(f"{name} {value}" for name, value in _summary(measured, rounds[0])), sep="  ")


@contextmanager
def _started(path: Path, given: str, asked: argparse.Namespace) -> Iterator[tuple[Running, Load]]:
    folder = Path(tempfile.mkdtemp(prefix="bench-"))
    settings = {"PYTHONPATH": str(path.resolve()), "WORKERS": str(asked.workers)}
    try:
        with scratch_database(given) as database, server(folder, database, **settings) as running:
            with as_user(running) as admin:
                token = admin.headers["Authorization"].split()[-1]
            sleep(READY)
            load(creation(running.port, token, LISTED if asked.row == "list" else 20, asked.connections))
            row = ROWS[asked.row]
            yield running, row(running.port, token, asked.requests, asked.connections)._replace(first=LISTED)
    finally:
        shutil.rmtree(folder)


def _measured(running: Running, wanted: Load) -> Round:
    family = processes.family(running.pid)
    before, began = [processes.cpu(process) for process in family], perf_counter()
    load(wanted)
    seconds = perf_counter() - began
    used = [processes.cpu(process) - earlier for process, earlier in zip(family, before, strict=True)]
    own = sum(cpu for process, cpu in zip(family, used, strict=True) if not processes.is_database(process))
    return Round(wanted.requests / seconds, 1000 * own / wanted.requests, 1000 * sum(used) / wanted.requests)


def _summary(measured: Sequence[Round], reference: Sequence[Round]) -> Iterator[tuple[str, str]]:
    for field, unit in (("rate", "/s"), ("cpu", " ms"), ("both", " ms")):
        value, other = (median(getattr(each, field) for each in rounds) for rounds in (measured, reference))
        yield field, f"{value:.3g}{unit} (ratio {value / other:.2f})"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.compare", description=__doc__)
    parser.add_argument("checkouts", nargs="+", type=Path)
    parser.add_argument("--row", choices=ROWS, default="create")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--connections", type=int, default=1)
    parser.add_argument("--requests", type=int, default=200, help="in a round")
    parser.add_argument("--rounds", type=int, default=5)
    return parser


if __name__ == "__main__":
    main(sys.argv[1:])
