"""What a process and its children cost, as Linux counts it."""

import os
from pathlib import Path

TICK = 1 / os.sysconf("SC_CLK_TCK")
PROC = Path("/proc")


def cpu(process: int) -> float:
    """Seconds of CPU that the living threads and the ended ones have taken so far."""
    # The second field is the program's name in brackets, which may hold spaces and brackets.
    fields = (PROC / str(process) / "stat").read_text().rpartition(")")[2].split()
    user, system = fields[11:13]
    return (int(user) + int(system)) * TICK


def children(process: int) -> list[int]:
    return [
        int(child)
        for task in (PROC / str(process) / "task").iterdir()
        for child in (task / "children").read_text().split()
    ]


def family_cpu(process: int) -> float:
    """Seconds of CPU of a process and of its living children: the embedded database is one."""
    return cpu(process) + sum(cpu(child) for child in children(process))


def resident(process: int) -> int:
    return _status(process, "VmRSS")


def forget_peak(process: int) -> None:
    (PROC / str(process) / "clear_refs").write_text("5")


def peak(process: int) -> int:
    """The most bytes that were resident since `forget_peak`."""
    return _status(process, "VmHWM")


def _status(process: int, name: str) -> int:
    lines = (PROC / str(process) / "status").read_text().splitlines()
    line = next(line for line in lines if line.startswith(f"{name}:"))
    return int(line.split()[1]) * 1024
