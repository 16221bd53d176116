"""Kill -9 many times under a mixed load: `python -m tests.soak.kills --cycles 200`.

In every other cycle it is the server that dies, else its database. After each everything is compared with what was
acknowledged; at the end a sweep must leave nothing that no version names.
"""

import argparse
import asyncio
import random
import tempfile
import time
from pathlib import Path

from tests.server.test_crash import killed, swept_clean
from tests.support.mixed import Oracle, settle
from tests.support.serving import Server


async def soak(cycles: int, seed: int) -> None:
    oracle, began, cycle = Oracle(), time.monotonic(), 0
    folder = Path(tempfile.mkdtemp(prefix="kills-"))
    with Server(folder, JWT_EXPIRATIONTIME="1d") as server:
        async for client in killed(server, oracle, cycles, random.Random(seed)):
            cycle += 1
            await settle(client, oracle)
            print(f"{cycle} kills, {oracle.written} writes, {time.monotonic() - began:.0f} s", flush=True)
        server.stop()
    swept = await swept_clean(folder, oracle)
    present = [shape for shape in oracle.shapes() if not shape.removed]
    print(f"{oracle.written} writes were acknowledged; {len(present)} models are as they were left")
    print(f"swept: {swept._asdict()}; nothing else is left in {folder}")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.soak.kills", description=__doc__)
    parser.add_argument("--cycles", type=int, default=200)
    parser.add_argument("--seed", type=int, default=6)
    asked = parser.parse_args()
    asyncio.run(soak(asked.cycles, asked.seed))


if __name__ == "__main__":
    main()
