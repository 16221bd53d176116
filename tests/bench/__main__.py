import argparse
import os
import shutil
import sys
import tempfile
from pathlib import Path

from tests.bench.machine import described
from tests.bench.plan import REPOSITORY, Plan
from tests.bench.rows import ROWS
from tests.bench.server import scratch_database
from tests.bench.table import MIB, show

UNITS = {"K": 2**10, "M": MIB, "G": 2**30}


def main(arguments: list[str]) -> None:
    asked = _parser().parse_args(arguments)
    # Beside the repository's own data: the disk that matters is the one that a catalog here would use.
    data = REPOSITORY / "data"
    data.mkdir(exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="bench-", dir=data))
    try:
        with scratch_database(os.environ.get("CATALOG_BENCH_DATABASE", "embedded")) as database:
            plan = Plan(folder, database, asked.size, asked.rounds, asked.requests)
            header = described(plan)
            rows = [row for name in asked.rows for row in ROWS[name](plan)]
    finally:
        shutil.rmtree(folder)
    show(header, rows)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench",
        description="Measure what is promised. CATALOG_BENCH_DATABASE names a MongoDB; without it the embedded one is.",
    )
    parser.add_argument("--rows", nargs="+", choices=ROWS, default=list(ROWS), help="which ones (all)")
    parser.add_argument("--size", type=_bytes, default=2**30, help="of the file that goes up and down (1G)")
    parser.add_argument("--rounds", type=int, default=3, help="how often everything is measured (3)")
    parser.add_argument("--requests", type=int, default=2000, help="small requests in a round (2000)")
    return parser


def _bytes(text: str) -> int:
    unit = UNITS.get(text[-1:].upper(), 0)
    return int(text[:-1]) * unit if unit else int(text)


if __name__ == "__main__":
    main(sys.argv[1:])
