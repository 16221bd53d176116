"""What a process and its children cost, as Linux counts it."""

import time
from pathlib import Path

PROC = Path("/proc")


def cpu(process: int) -> float:
    """Seconds of CPU that the living threads and the ended ones have taken so far."""
    return time.clock_gettime(~process << 3 | 2)  # the name of its clock, as clock_getcpuclockid(3) makes it


def children(process: int) -> list[int]:
    return [
        int(child)
        for task in (PROC / str(process) / "task").iterdir()
        for child in (task / "children").read_text().split()
    ]


def family(process: int) -> list[int]:
    """A process and all that descend from it."""
    return [process, *(each for child in children(process) for each in family(child))]


def family_cpu(process: int) -> float:
    """Seconds of CPU of a process and of its living descendants: the embedded database is one."""
    return sum(cpu(each) for each in family(process))


def is_database(process: int) -> bool:
    """Whether it is an embedded database, of an older checkout, too."""
    command = (PROC / str(process) / "cmdline").read_text()
    return "/embedded/" in command or "secantusd-rs" in command or "embedded_child" in command


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
