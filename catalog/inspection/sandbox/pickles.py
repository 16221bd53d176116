"""All pickles of a file, one after the other, with the arrays that joblib puts between the opcodes."""

import re
from collections.abc import Callable
from contextlib import suppress
from io import BufferedReader
from math import prod
from typing import Any, NamedTuple

from catalog.inspection.sandbox.opcodes import (
    Events,
    Made,
    Name,
    NotFollowed,
    Walk,
    ignored,
    in_memory,
    skip,
    take,
)
from catalog.inspection.sandbox.views import TooMuch

MOST_OPCODES = 3_000_000
"""Of a file: a few seconds."""

MOST_PICKLES = 100
"""One after the other in a file. PyTorch's old format has five."""

MOST_NESTED = 8
"""Pickles within pickles: how joblib writes an array of objects."""

AHEAD = 4096
"""Bytes of a compressed array that are tried as opcodes, too."""

PROTOCOL = b"\x80"
ENOUGH = 2000
"""Opcodes after which nobody doubts that it is a pickle."""

BEGINNING = re.compile(rb"\x80[\x02-\x05]")
MOST_BEGINNINGS = 20

ARRAYS = {Name(f"{room}joblib.numpy_pickle", "NumpyArrayWrapper") for room in ("", "sklearn.externals.")}
WIDTHS = {"U": 4}
"""Bytes of a unit of an element, where it is not one."""

WORD = re.compile(r"[A-Za-z_][\w.]*", re.ASCII)


class Pickles(NamedTuple):
    """What was met on the way."""

    followed: int
    end: str | None
    """Why the first of them could not be followed to its end, if so."""


class Following:
    """`found` is told of what an unpickler would import, `doubtful` of what only another reading of the bytes would."""

    def __init__(
        self,
        file: BufferedReader,
        found: Callable[[Name], None],
        doubtful: Callable[[Name], None],
        accused: Callable[[str], None] = ignored,
        inner: Callable[[BufferedReader], None] | None = None,
        most: int = MOST_OPCODES,
    ) -> None:
        self.file = file
        self.joblib = False
        self._accused, self._inner = accused, inner
        self._found, self._doubtful = found, doubtful
        self.last: int | None = None
        """Where the bytes begin that are no pickle any more, if the file can seek."""
        self._left = most
        self._nested = 0

    def all(self) -> Pickles:
        """Follow one after the other, to the first bytes that are none: a file may go on with something else.

        Raises TooMuch.
        """
        for count in range(MOST_PICKLES):
            self.last = self.file.tell() if self.file.seekable() else None
            met: list[Name] = []
            accused: list[str] = []
            try:
                self._one(met.append if count else self._found, accused.append if count else self._accused)
            except NotFollowed as end:
                self._doubt(met)
                return Pickles(count, None if count else str(end))
            for name in met:
                self._found(name)
            for what in accused:
                self._accused(what)
        raise TooMuch(f"more than {MOST_PICKLES} pickles one after the other")

    def _followed(self, walk: Walk) -> None:
        try:
            walk.to_stop()
        finally:
            self._left -= walk.opcodes

    def _one(self, found: Callable[[Name], None], accused: Callable[[str], None]) -> None:
        self._followed(Walk(self.file, Events(found, self._built, accused, self._inner), self._left))

    def _built(self, walk: Walk, built: Any, state: Any) -> None:
        """Behind the state of such an object joblib has an array."""
        if not (isinstance(built, Made) and isinstance(built.by, Name) and built.by in ARRAYS and type(state) is dict):
            return
        self.joblib = True
        self._as_opcodes(walk)
        kind, width = _element(state.get("dtype"))
        if kind == "O":
            self._array_of_objects(walk)
            return
        shape = state.get("shape")
        if not width or not isinstance(shape, tuple) or not all(type(size) is int for size in shape):
            raise NotFollowed("an array of joblib whose size is not told plainly")
        if state.get("numpy_array_alignment_bytes") is not None:
            skip(self.file, take(self.file, 1)[0])
        skip(self.file, prod(shape) * width)

    def _as_opcodes(self, walk: Walk) -> None:
        """A file may be made for two readers: what is an array for joblib, `pickle.load` would take for opcodes."""
        file = self.file
        if file.seekable():
            place = file.tell()
        else:
            file = in_memory(self.file.peek(AHEAD)[:AHEAD])
        met: list[Name] = []
        with suppress(NotFollowed):
            self._followed(walk.fork(file, met.append, self._left))
        if file is self.file:
            file.seek(place)
        self._doubt(met)

    def _doubt(self, met: list[Name]) -> None:
        for name in filter(is_meant, met):
            self._doubtful(name)

    def _array_of_objects(self, walk: Walk) -> None:
        self._nested += 1
        if self._nested > MOST_NESTED:
            raise TooMuch(f"more than {MOST_NESTED} pickles within one another")
        self._one(walk.events.found, walk.events.accused)
        self._nested -= 1


def _element(dtype: Any) -> tuple[str, int]:
    """The letter and the bytes of an element, or nothing."""
    arguments = dtype.arguments if isinstance(dtype, Made) else None
    if isinstance(arguments, tuple) and arguments and isinstance(arguments[0], str):
        told = re.fullmatch(r"[<>|=]?([a-zA-Z])(\d{1,9})", arguments[0])
        if told:
            return told[1], int(told[2]) * WIDTHS.get(told[1], 1)
    return "", 0


def is_meant(name: Name) -> bool:
    """Whether somebody wrote it, rather than any bytes that happen to read so."""
    return all(part is not None and WORD.fullmatch(part) for part in name)


def looks_like_one(head: bytes, whole: bool) -> bool:
    """Whether `pickle.load` would do anything with bytes that begin so. `whole`: there are no others."""
    file = in_memory(head)
    imports: list[Name] = []
    walk = Walk(file, Events(imports.append, ignored, ignored, None), ENOUGH)
    announced = head[:1] == PROTOCOL
    try:
        walk.to_stop()
    except TooMuch:
        return walk.sound and (not imports or _begins_with_a_module(imports))
    except NotFollowed:
        if announced:
            return walk.opcodes > 1
        cut_short = not whole and file.tell() >= len(head)
        return walk.sound and _begins_with_a_module(imports) and (walk.calls > 0 or cut_short)
    return announced or (walk.sound and (_begins_with_a_module(imports) or (whole and file.tell() == len(head))))


def hidden(content: bytes) -> list[int]:
    """Where pickles with imports begin, among bytes that are something else."""
    found = []
    for _, beginning in zip(range(MOST_BEGINNINGS), BEGINNING.finditer(content), strict=False):
        imports: list[Name] = []
        file = in_memory(content[beginning.start() :])
        walk = Walk(file, Events(imports.append, ignored, ignored, None), ENOUGH)
        try:
            walk.to_stop()
        except (TooMuch, NotFollowed):
            if not walk.calls:
                continue
        if walk.sound and imports and all(map(is_meant, imports)):
            found.append(beginning.start())
    return found


def _begins_with_a_module(imports: list[Name]) -> bool:
    """Many a text reads as an import, of what cannot be a module: there the unpickler would stop."""
    return bool(imports) and (imports[0].module is None or is_meant(imports[0]))
