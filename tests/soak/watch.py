"""What a server holds on to, looked at from outside, and whether that grows."""

from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import NamedTuple

from tests.bench.processes import resident
from tests.bench.table import MIB

MORE_MEMORY = 24  # MiB that the last third of a soak may have above the second
MORE_HANDLES = 8


class Sample(NamedTuple):
    memory: float  # MiB resident, of the server
    handles: int  # open files and connections, of the server
    database: float  # MiB resident, of the embedded database, whose cache fills

    def __str__(self) -> str:
        return f"{self.memory:.1f} MiB, {self.handles} handles, the database {self.database:.1f} MiB"


def sampled(server: int, database: int) -> Sample:
    return Sample(resident(server) / MIB, _handles(server), resident(database) / MIB)


def verdict(samples: Sequence[Sample]) -> list[str]:
    """What has grown from the second third to the last one: in the first one caches fill."""
    third = len(samples) // 3
    before, after = samples[third : 2 * third], samples[2 * third :]
    grown = []
    for what, of, most in (
        ("memory in MiB", lambda it: it.memory, MORE_MEMORY),
        ("handles", lambda it: it.handles, MORE_HANDLES),
    ):
        was, is_ = median(map(of, before)), median(map(of, after))
        print(f"{what}: {was:.1f}, then {is_:.1f}")
        if is_ > was + most:
            grown.append(f"{what} grew from {was:.1f} to {is_:.1f}")
    return grown


def _handles(process: int) -> int:
    return len(list(Path(f"/proc/{process}/fd").iterdir()))
