"""What the figures were measured on."""

import os
import platform
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from pymongo import MongoClient

from tests.bench.plan import Plan
from tests.bench.table import MIB

VERSIONS = ("catalog", "litestar", "uvicorn", "uvloop", "motor", "pymongo", "msgspec")


def described(plan: Plan) -> list[str]:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return [
        f"{_processor()}, {os.cpu_count()} cores, {memory / 2**30:.1f} GiB, {platform.system()} {platform.release()}",
        f"data on {_filesystem(plan.folder)}, load average {os.getloadavg()[0]:.2f} when it began",
        f"Python {platform.python_version()}, " + ", ".join(f"{name} {_version(name)}" for name in VERSIONS),
        f"database: {_database(plan.database)}",
        f"{plan.rounds} rounds, {plan.requests} requests in each, a file of {plan.size / MIB:g} MiB",
        time.strftime("%Y-%m-%d %H:%M"),
    ]


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.partition(": ")[2] for line in lines if line.startswith("model name")), platform.machine())


def _filesystem(folder: Path) -> str:
    mounts = [line.split()[:3] for line in Path("/proc/mounts").read_text().splitlines()]
    device, _, kind = max((mount for mount in mounts if folder.is_relative_to(mount[1])), key=lambda it: len(it[1]))
    return f"{device} ({kind})"


def _database(database: str) -> str:
    if database == "embedded":
        return f"embedded, SecantusDB {_version('SecantusDB')}"
    with MongoClient[dict[str, object]](database) as client:
        return f"a wire server, which speaks as MongoDB {client.server_info()['version']}"


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "?"
