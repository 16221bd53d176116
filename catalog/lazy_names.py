"""Names of a package that are loaded when they are used: `import catalog` and `catalog --help` load no client."""

import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any


def lazy_names(package: str, names: Sequence[str], modules: Sequence[str]) -> Callable[[str], Any]:
    """A `__getattr__` for a package: its `modules`, and the classes and functions `names` that these define.

    Modules are loaded in this order until one defines a name: put first what is cheap to load.
    """

    def load(name: str) -> Any:
        if name not in names and name not in modules:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value = import_module(f"{package}.{name}") if name in modules else _find(package, name, modules)
        setattr(sys.modules[package], name, value)  # the next use costs nothing
        return value

    return load


def _find(package: str, name: str, modules: Sequence[str]) -> Any:
    for each in modules:
        module = import_module(f"{package}.{each}")
        value = getattr(module, name, None)
        if value is not None and f"{value.__module__}.".startswith(f"{module.__name__}."):  # else it only imports it
            return value
    raise ImportError(f"{name} is defined in none of the modules {', '.join(modules)}", name=package)
