"""Which tests start processes: they have the marker `process`, and `make test-fast` leaves them out.

The marker is derived from what a test and its fixtures refer to. What cannot be derived, such as the children that the
inspection starts, is marked by hand; a test that starts a process without the marker fails.
"""

import multiprocessing
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from inspect import isclass, isfunction, unwrap
from types import CodeType, FunctionType, ModuleType

import pytest

from catalog.store.embedded.process import Embedded

STARTERS = (subprocess, multiprocessing, Embedded)
CALLS = {"create_subprocess_exec", "create_subprocess_shell"}
REAL = {"wire", "s3"}
"""Parameters of fixtures that stand for a server in a process of its own."""

EVENTS = {"subprocess.Popen", "os.fork", "os.forkpty", "os.posix_spawn"}

started: list[str] = []
"""The processes of the test that runs."""


def record_processes() -> None:
    """Note every process that this one starts from now on."""
    sys.addaudithook(lambda event, arguments: started.append(f"{event}: {arguments[:2]}") if event in EVENTS else None)


def refers_to_processes(item: pytest.Function) -> bool:
    """Whether a test, or a fixture that it uses, refers to something that starts processes."""
    parameters = item.callspec.params.values() if hasattr(item, "callspec") else ()
    if any(isinstance(each, str) and each in REAL for each in parameters):
        return True
    fixtures = (each for found in item._fixtureinfo.name2fixturedefs.values() for each in found)
    return any(_refers(unwrap(function)) for function in (item.obj, *(fixture.func for fixture in fixtures)))


def _refers(function: object) -> bool:
    function = getattr(function, "__func__", function)
    return isfunction(function) and _leads_to_process(function)


@cache
def _leads_to_process(function: FunctionType) -> bool:
    seen: set[object] = set()
    ahead: list[object] = [function]
    while ahead:
        each = ahead.pop()
        if each in STARTERS:
            return True
        if isinstance(each, ModuleType) or each in seen or not _is_ours(each):
            continue
        seen.add(each)
        if isclass(each):
            ahead += [unwrap(value) for value in vars(each).values() if isfunction(value)]
        elif isfunction(each):
            names = set(_names(each.__code__))
            if names & CALLS:
                return True
            ahead += [unwrap(each.__globals__[name]) for name in names if _is_known(each.__globals__.get(name))]
    return False


def _is_known(value: object) -> bool:
    return isclass(value) or isfunction(value) or value in (subprocess, multiprocessing)


def _is_ours(value: object) -> bool:
    return getattr(value, "__module__", "").startswith("tests.")


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)
