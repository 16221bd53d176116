"""Mixed load for a while: `python -m tests.soak --minutes 30`, or `make soak`.

Several users create, change, read, list, search, upload, download and remove at once, and compare every
answer with what they remember. The size of the catalog stays about the same, so the memory and the file
handles of the server must, too. At the end everything is compared again, before and after a restart.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from contextlib import AsyncExitStack
from pathlib import Path

from tests.soak.user import User, client_of
from tests.soak.watch import Sample, sampled, verdict
from tests.support.serving import Server

USERS = 8
SETTINGS = {"JWT_EXPIRATIONTIME": "7d", "TRASH_DAYS": "0", "SWEEP_EVERY": "1m", "SWEEP_GRACE": "10m"}
SAMPLES = 60


async def soak(folder: Path, seconds: float, seed: int) -> list[str]:
    """What was not as it should be."""
    with Server(folder, **SETTINGS) as server:
        token = server.login().json()["token"]
        async with AsyncExitStack() as stack:
            users = [
                User(await stack.enter_async_context(client_of(server.url, token)), number, seed)
                for number in range(USERS)
            ]
            samples = await _under_load(server, users, seconds)
            wrong = await _compared(users, "at the end")
        if code := server.stop():
            wrong.append(f"the server ended with {code}")
        server.start()
        for user in users:
            async with client_of(server.url, token) as client:
                user.client = client
                wrong += await _compared([user], "after a restart")
    print(f"{sum(user.done for user in users)} requests, {sum(len(user.models) for user in users)} models at the end")
    return wrong + verdict(samples)


async def _under_load(server: Server, users: list[User], seconds: float) -> list[Sample]:
    samples: list[Sample] = []
    began = time.monotonic()
    working = asyncio.gather(*(user.work(began + seconds) for user in users))
    while not working.done():
        await asyncio.wait([working], timeout=seconds / SAMPLES)
        samples.append(sampled(server.pid, server.database_pid))
        done = sum(user.done for user in users)
        print(f"{time.monotonic() - began:6.0f} s, {done} requests, {samples[-1]}", flush=True)
    await working  # to hear what went wrong
    return samples


async def _compared(users: list[User], when: str) -> list[str]:
    return [f"{when}: {wrong}" for user in users for wrong in await user.compared()]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--seed", type=int, default=7)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        wrong = asyncio.run(soak(Path(folder), 60 * asked.minutes, asked.seed))
    print("\n".join(wrong) or "everything is as it should be")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
