"""Kill -9 many times under uploads: `python -m tests.soak.kills --cycles 200`.

In every other cycle it is the server that dies, else its database. What each cycle added is read again at once,
everything at the end; then a sweep must leave nothing that no version names.
"""

import argparse
import asyncio
import random
import tempfile
import time
from pathlib import Path

from tests.serving import Server
from tests.test_crash import Oracle, check, check_bytes, killed, swept_clean


async def soak(cycles: int, seed: int) -> None:
    oracle, began = Oracle(), time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="kills-"))
    with Server(folder, JWT_EXPIRATIONTIME="1d") as server:
        cycle, known = 0, set()
        async for client in killed(server, oracle, cycles, random.Random(seed)):
            cycle += 1
            new = {place: digest for place, digest in oracle.versions.items() if place not in known}
            await asyncio.gather(*(check_bytes(client, oracle, place, {"digest": new[place]}) for place in new))
            known |= new.keys()
            if cycle == cycles:
                await check(client, oracle)
            print(f"{cycle} kills, {len(known)} versions, {time.monotonic() - began:.0f} s", flush=True)
        server.stop()
    swept = await swept_clean(folder)
    print(f"{len(oracle.models)} models and {len(known)} versions were acknowledged, and are there with their bytes")
    print(f"swept: {swept._asdict()}; nothing else is left in {folder}")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.soak.kills", description=__doc__)
    parser.add_argument("--cycles", type=int, default=200)
    parser.add_argument("--seed", type=int, default=6)
    asked = parser.parse_args()
    asyncio.run(soak(asked.cycles, asked.seed))


if __name__ == "__main__":
    main()
