"""Asks for one thing many times, from a process of its own, over connections that stay open.

Standard input brings the request as JSON (a token has no place among the arguments), standard
output answers the seconds that each answer took. Cheaper than a client library, so that two
cores are enough for it, the server and the database.
"""

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from time import perf_counter
from typing import NamedTuple

import uvloop

from tests.support.paths import ROOT

TIME_LIMIT = 120  # seconds
NUMBER = "NUMBER"


class Load(NamedTuple):
    port: int
    path: str
    token: str
    requests: int
    connections: int
    method: str = "GET"
    body: str = ""  # JSON; in it and in the path, NUMBER stands for that of the request
    first: int = 0  # number of the first request


def load(wanted: Load) -> list[float]:
    """Seconds of each answer, in no order."""
    done = subprocess.run(
        [sys.executable, "-m", __name__],
        cwd=ROOT,
        input=json.dumps(wanted),
        capture_output=True,
        text=True,
        check=False,
        timeout=TIME_LIMIT + 10,
    )
    if done.returncode:
        raise RuntimeError(f"{wanted.path}: {done.stderr}")
    seconds: list[float] = json.loads(done.stdout)
    return seconds


async def _load(wanted: Load) -> list[float]:
    left = iter(range(wanted.first, wanted.first + wanted.requests))  # shared: the next free client takes the next
    async with asyncio.timeout(TIME_LIMIT):
        each = await asyncio.gather(*(_ask(wanted, left) for _ in range(wanted.connections)))
    return [seconds for some in each for seconds in some]


async def _ask(wanted: Load, left: Iterator[int]) -> list[float]:
    reader, writer = await asyncio.open_connection("127.0.0.1", wanted.port)
    took = []
    for number in left:
        request = _request(wanted, number)
        began = perf_counter()
        writer.write(request)
        await _answer(reader)
        took.append(perf_counter() - began)
    writer.close()
    await writer.wait_closed()
    return took


def _request(wanted: Load, number: int) -> bytes:
    body = wanted.body.replace(NUMBER, str(number)).encode()
    head = [
        f"{wanted.method} {wanted.path.replace(NUMBER, str(number))} HTTP/1.1",
        f"Host: 127.0.0.1:{wanted.port}",
        *([f"Authorization: Bearer {wanted.token}"] if wanted.token else ()),
        *(["Content-Type: application/json", f"Content-Length: {len(body)}"] if body else ()),
    ]
    return "\r\n".join([*head, "", ""]).encode() + body


async def _answer(reader: asyncio.StreamReader) -> None:
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    if not head.startswith((b"http/1.1 200 ", b"http/1.1 201 ")):
        raise RuntimeError(head.decode("latin-1"))
    await reader.readexactly(int(head.partition(b"content-length:")[2].partition(b"\r\n")[0]))


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        sys.stdout.write(json.dumps(runner.run(_load(Load(*json.load(sys.stdin))))))
