"""A database that hangs for as long as you like, under a mixed load: `python -m tests.soak.faults --seconds 30`."""

import argparse
import asyncio
import tempfile
from pathlib import Path

from tests.server.test_faults import outlast_a_database_that_hangs


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.soak.faults", description=__doc__)
    parser.add_argument("--seconds", type=float, default=30)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="faults-") as folder:
        written, refused = asyncio.run(outlast_a_database_that_hangs(Path(folder), asked.seconds))
    print(f"{written} writes were acknowledged and are there, {refused} were refused; it recovered by itself")


if __name__ == "__main__":
    main()
