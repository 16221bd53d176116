"""The two servers that can run the embedded database. They use the same files and the same protocol."""

import shutil
from pathlib import Path
from typing import NamedTuple

PROGRAM = "secantusd-rs"
HOW_TO_GET_IT = f"cargo install secantus-mdb puts {PROGRAM} into ~/.cargo/bin"


class EngineMissingError(Exception):
    """The engine of EMBEDDED_ENGINE cannot be found."""


class Engine(NamedTuple):
    program: str = ""  # the path of secantusd-rs; none: SecantusDB in Python

    @property
    def child(self) -> Path:
        """The file that is run as the process of the database."""
        return Path(__file__).with_name("rust_child.py" if self.program else "child.py")


PYTHON = Engine()


def select(setting: str) -> Engine:
    """The engine of EMBEDDED_ENGINE: `python`, `rust`, or with `auto` the faster one if it is there.

    Raises EngineMissingError.
    """
    program = None if setting == "python" else shutil.which(PROGRAM)
    if setting == "rust" and program is None:
        raise EngineMissingError(f"EMBEDDED_ENGINE is rust, and {PROGRAM} is not on PATH: {HOW_TO_GET_IT}")
    return Engine(program or "")


def describe(engine: Engine) -> str:
    """Which one runs, and how to get the other, in a sentence."""
    if engine.program:
        return f"The embedded database is run by {engine.program}; EMBEDDED_ENGINE=python runs it in Python"
    if program := shutil.which(PROGRAM):
        return f"The embedded database is run in Python; EMBEDDED_ENGINE=auto runs the faster {program}"
    return f"The embedded database is run in Python; {PROGRAM} on PATH runs it faster ({HOW_TO_GET_IT})"
