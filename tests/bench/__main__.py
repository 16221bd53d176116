import argparse
import os
import shutil
import sys
import tempfile
from pathlib import Path
from time import perf_counter

from tests.bench.machine import described
from tests.bench.plan import Plan
from tests.bench.report import DOCUMENT, keep
from tests.bench.rows import LONG, ROWS
from tests.bench.server import scratch_database
from tests.bench.table import MIB, Row, show
from tests.support.paths import ROOT

UNITS = {"K": 2**10, "M": MIB, "G": 2**30}


def main(arguments: list[str]) -> None:
    asked = _parser().parse_args(arguments)
    # Beside the repository's own data: the disk that matters is the one that a catalog here would use.
    data = ROOT / "data"
    data.mkdir(exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="bench-", dir=data))
    try:
        with scratch_database(os.environ.get("CATALOG_BENCH_DATABASE", "embedded")) as database:
            plan = Plan(folder, database, asked.size, asked.rounds, asked.requests)
            header = described(plan)
            groups = {name: _measured(name, plan) for name in asked.rows}
    finally:
        shutil.rmtree(folder)
    show(header, [row for rows in groups.values() for row in rows])
    if asked.keep:
        keep("embedded" if plan.database == "embedded" else "wire", header, groups)
        print(f"kept in {DOCUMENT.relative_to(ROOT)}")


def _measured(name: str, plan: Plan) -> list[Row]:
    began = perf_counter()
    rows = list(ROWS[name](plan))
    print(f"{name}: {perf_counter() - began:.0f} s", file=sys.stderr, flush=True)
    return rows


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench",
        description="Measure what is promised. CATALOG_BENCH_DATABASE names a MongoDB; without it the embedded one is.",
    )
    parser.add_argument(
        "--rows", nargs="+", choices=ROWS, default=[name for name in ROWS if name not in LONG], help="which ones"
    )
    parser.add_argument("--size", type=_bytes, default=2**30, help="of the file that goes up and down (1G)")
    parser.add_argument("--rounds", type=int, default=3, help="how often everything is measured (3)")
    parser.add_argument("--requests", type=int, default=2000, help="small requests in a round (2000)")
    parser.add_argument("--keep", action="store_true", help="the figures in docs/benchmarks.md")
    return parser


def _bytes(text: str) -> int:
    unit = UNITS.get(text[-1:].upper(), 0)
    return int(text[:-1]) * unit if unit else int(text)


if __name__ == "__main__":
    main(sys.argv[1:])
