"""What looking inside adds to keeping a file: its time beside that of hashing and writing the same bytes."""

import asyncio
import json
import pickle
import struct
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from time import perf_counter

from catalog.blobs.files import FileStorage
from catalog.blobs.protocol import BLOCK, Blobs
from catalog.inspection.inspector import inspect
from tests.bench.plan import Plan
from tests.bench.table import MIB, Row, at_most

TENSORS = 256
PROMISED_HEADER = at_most(20, "ms")
PROMISED_PICKLE = at_most(1000, "ms")


def safetensors(size: int, number: int) -> bytes:
    each = size // TENSORS
    header = {
        f"layer.{index}.weight": {
            "dtype": "F32",
            "shape": [each // 4],
            "data_offsets": [index * each, (index + 1) * each],
        }
        for index in range(TENSORS)
    }
    told = json.dumps(header | {"__metadata__": {"number": str(number)}}).encode()
    return struct.pack("<Q", len(told)) + told + bytes(TENSORS * each)


def pickled(size: int, number: int) -> bytes:
    """Numbers, each an opcode of its own, of about this size: the slowest kind there is."""
    return pickle.dumps([number, *range(size // 5)])


FILES: Mapping[str, Callable[[int], bytes]] = {
    "a safetensors file of 1 MiB": lambda number: safetensors(MIB, number),
    "a safetensors file of 256 MiB": lambda number: safetensors(256 * MIB, number),
    "a pickle of 1 KiB": lambda number: pickled(2**10, number),
    "a pickle of 1 MiB": lambda number: pickled(MIB, number),
    "1 MiB of something else": lambda number: bytes([0xFF]) + bytes(MIB) + struct.pack("<Q", number),
}


def measure(plan: Plan) -> Iterator[Row]:
    storage = FileStorage(plan.room("inspect"))
    for name, made in FILES.items():
        looking, keeping = [], []
        for number in range(plan.rounds):
            looked, kept = asyncio.run(_timed(storage.of("bench"), made(number)))
            looking.append(1000 * looked)
            keeping.append(1000 * kept)
        promise = PROMISED_PICKLE if "pickle" in name else PROMISED_HEADER
        yield Row(f"look into {name}, beside keeping it", "ms", looking, keeping, promise)


async def _timed(blobs: Blobs, content: bytes) -> tuple[float, float]:
    began = perf_counter()
    kept = await blobs.put(_pieces(content))
    between = perf_counter()
    await inspect(blobs, kept.digest, kept.size, "model")
    return perf_counter() - between, between - began


async def _pieces(content: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(content), BLOCK):
        yield content[start : start + BLOCK]
