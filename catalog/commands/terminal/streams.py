"""The streams of a program on any machine: narrow encodings, full disks, readers that have gone."""

import codecs
import os
import sys
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import TextIO

from catalog import client

FAILURE = 1
PRINTERS = frozenset({"typer", "rich"})
"""The libraries that write to standard output."""

ESCAPE = "catalog.escape"
"""An error handler: writes what an encoding lacks as `\\u20ac`, which JSON reads back."""


@contextmanager
def program_streams() -> Generator[None]:
    """Write what the encoding of a stream lacks escaped, and end with one sentence when a file cannot be used.

    A reader that has closed its end has seen enough, which is no failure. A stream that is closed from the beginning
    reads and writes nothing.
    """
    codecs.register_error(ESCAPE, _escaped)
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_RDWR), mode))
    for stream in (sys.stdout, sys.stderr):
        if reconfigure := getattr(stream, "reconfigure", None):
            reconfigure(errors=ESCAPE)
    try:
        yield
    except OSError as error:
        _fail(sentence_of(error))
    except SystemExit as end:
        if isinstance(end.__context__, BrokenPipeError):  # the help of a command ends with a failure then
            _discard(sys.stdout)
            raise SystemExit(0) from None
        raise
    finally:
        _flush(sys.stdout)


@contextmanager
def immediate_exit() -> Generator[None]:
    """End the process without the interpreter's own end, if the client of object stores was used.

    Its threads may still drop a Python object then, and the process would abort after all of its work is done. A server
    ends as usual: its store was quiet for a while.
    """
    try:
        yield
    except SystemExit as end:
        if (
            "obstore" in sys.modules
            and "catalog.app" not in sys.modules
            and (end.code is None or type(end.code) is int)
        ):
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(end.code or 0)
        raise


def _escaped(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    units = error.object[error.start : error.end].encode("utf-16-be", "surrogatepass")
    pairs = zip(units[::2], units[1::2], strict=True)
    return "".join(f"\\u{high:02x}{low:02x}" for high, low in pairs), error.end


def _flush(stream: TextIO) -> None:
    """Write what is left, before the interpreter does it at its end, with a traceback."""
    try:
        stream.flush()
    except BrokenPipeError:
        _discard(stream)
    except OSError as error:
        _discard(stream)
        _fail(f"Standard output: {error.strerror}")


def _discard(stream: TextIO) -> None:
    """Discard the rest of the buffer."""
    with suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _fail(sentence: str) -> None:
    with suppress(OSError):
        sys.stderr.write(f"{sentence}\n")
    raise SystemExit(FAILURE)


def sentence_of(error: OSError) -> str:
    """What the system refuses, with the file, and with the variable that names another folder where that helps."""
    reason = error.strerror or str(error)
    if error.filename is None:
        return f"{_place_of(error)}{reason}"
    own = (client.profile.folder(), client.transfer.cache.default_folder())
    path = Path(os.fsdecode(error.filename))
    is_ours = any(path.is_relative_to(folder) or folder.is_relative_to(path) for folder in own)
    advice = (
        ". CATALOG_CONFIG and CATALOG_CACHE name other folders for the configuration and the cache." if is_ours else ""
    )
    return f"{path}: {reason}{advice}"


def _place_of(error: OSError) -> str:
    """The source of an error without a file name: standard output, or a folder that has been removed."""
    if _raised_in(error.__traceback__).partition(".")[0] in PRINTERS:
        return "Standard output: "
    return "This folder: " if isinstance(error, FileNotFoundError) else ""


def _raised_in(traceback: TracebackType | None) -> str:
    """The module of the innermost frame."""
    name = ""
    while traceback is not None:
        name, traceback = str(traceback.tb_frame.f_globals.get("__name__", "")), traceback.tb_next
    return name
