"""All pickles of a file, one after the other, with the arrays that joblib puts between the opcodes."""

import re
from collections.abc import Callable
from contextlib import suppress
from io import BufferedReader
from math import prod
from typing import NamedTuple

from catalog.inspection.sandbox.reading import UntraceableError, in_memory, skip, take
from catalog.inspection.sandbox.tracing import PickleTrace, TraceEvents, ignored
from catalog.inspection.sandbox.values import CallResult, ImportedName
from catalog.inspection.sandbox.views import LimitExceededError

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
"""Opcodes that settle that it is a pickle."""

BEGINNING = re.compile(rb"\x80[\x02-\x05]")
MOST_BEGINNINGS = 20

ARRAYS = {ImportedName(f"{room}joblib.numpy_pickle", "NumpyArrayWrapper") for room in ("", "sklearn.externals.")}
WIDTHS = {"U": 4}
"""Bytes of a unit of an element, where it is not one."""

WORD = re.compile(r"[A-Za-z_][\w.]*", re.ASCII)


class TracedPickles(NamedTuple):
    """What the tracing has found."""

    followed: int
    end: str | None
    """Why the first of them could not be followed to its end, if so."""


class PickleSequence:
    """`found` receives what an unpickler would import, `doubtful` what another reading of the bytes would import."""

    def __init__(
        self,
        file: BufferedReader,
        found: Callable[[ImportedName], None],
        doubtful: Callable[[ImportedName], None],
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

    def all(self) -> TracedPickles:
        """Follow one after the other, to the first bytes that are none: a file may go on with something else.

        Raises LimitExceededError.
        """
        for count in range(MOST_PICKLES):
            self.last = self.file.tell() if self.file.seekable() else None
            met: list[ImportedName] = []
            accused: list[str] = []
            try:
                self._one(met.append if count else self._found, accused.append if count else self._accused)
            except UntraceableError as end:
                self._doubt(met)
                return TracedPickles(count, None if count else str(end))
            for name in met:
                self._found(name)
            for what in accused:
                self._accused(what)
        raise LimitExceededError(f"more than {MOST_PICKLES} pickles one after the other")

    def _followed(self, trace: PickleTrace) -> None:
        try:
            trace.to_stop()
        finally:
            self._left -= trace.opcodes

    def _one(self, found: Callable[[ImportedName], None], accused: Callable[[str], None]) -> None:
        self._followed(PickleTrace(self.file, TraceEvents(found, self._built, accused, self._inner), self._left))

    def _built(self, trace: PickleTrace, built: object, state: object) -> None:
        """Behind the state of such an object joblib has an array."""
        if not (
            isinstance(built, CallResult)
            and isinstance(built.by, ImportedName)
            and built.by in ARRAYS
            and type(state) is dict
        ):
            return
        self.joblib = True
        self._as_opcodes(trace)
        kind, width = _element(state.get("dtype"))
        if kind == "O":
            self._array_of_objects(trace)
            return
        shape = state.get("shape")
        if not width or not isinstance(shape, tuple) or not all(type(size) is int for size in shape):
            raise UntraceableError("an array of joblib without a plain size")
        if state.get("numpy_array_alignment_bytes") is not None:
            skip(self.file, take(self.file, 1)[0])
        skip(self.file, prod(shape) * width)

    def _as_opcodes(self, trace: PickleTrace) -> None:
        """A file may be made for two readers: `pickle.load` would read as opcodes the bytes that joblib reads as an
        array.
        """
        file = self.file
        if file.seekable():
            place = file.tell()
        else:
            file = in_memory(self.file.peek(AHEAD)[:AHEAD])
        met: list[ImportedName] = []
        with suppress(UntraceableError):
            self._followed(trace.fork(file, met.append, self._left))
        if file is self.file:
            file.seek(place)
        self._doubt(met)

    def _doubt(self, met: list[ImportedName]) -> None:
        for name in filter(is_plausible, met):
            self._doubtful(name)

    def _array_of_objects(self, trace: PickleTrace) -> None:
        self._nested += 1
        if self._nested > MOST_NESTED:
            raise LimitExceededError(f"more than {MOST_NESTED} pickles within one another")
        self._one(trace.events.found, trace.events.accused)
        self._nested -= 1


def _element(dtype: object) -> tuple[str, int]:
    """The letter and the bytes of an element, or nothing."""
    arguments = dtype.arguments if isinstance(dtype, CallResult) else None
    name = arguments[0] if isinstance(arguments, tuple) and arguments else None
    element = re.fullmatch(r"[<>|=]?([a-zA-Z])(\d{1,9})", name) if isinstance(name, str) else None
    return (element[1], int(element[2]) * WIDTHS.get(element[1], 1)) if element else ("", 0)


def is_plausible(name: ImportedName) -> bool:
    """Whether it was written as a pickle. Arbitrary bytes may happen to read as one."""
    return all(part is not None and WORD.fullmatch(part) for part in name)


def looks_like_pickle(head: bytes, whole: bool) -> bool:
    """Whether `pickle.load` would do anything with bytes that begin so. `whole`: there are no others."""
    file = in_memory(head)
    imports: list[ImportedName] = []
    trace = PickleTrace(file, TraceEvents(imports.append, ignored, ignored, None), ENOUGH)
    announced = head[:1] == PROTOCOL
    try:
        trace.to_stop()
    except LimitExceededError:
        return trace.sound and (not imports or _begins_with_a_module(imports))
    except UntraceableError:
        if announced:
            return trace.opcodes > 1
        cut_short = not whole and file.tell() >= len(head)
        return trace.sound and _begins_with_a_module(imports) and (trace.calls > 0 or cut_short)
    return announced or (trace.sound and (_begins_with_a_module(imports) or (whole and file.tell() == len(head))))


def may_go_on(head: bytes, size: int) -> bool:
    """Whether `pickle.load` would read on behind these bytes, in a file of `size`: a long argument can fill them."""
    file = in_memory(head)
    trace = PickleTrace(file, TraceEvents(ignored, ignored, ignored, None), ENOUGH)
    with suppress(UntraceableError, LimitExceededError):
        trace.to_stop()
        return False
    return trace.sound and len(head) <= file.tell() < size


def find_hidden(content: bytes) -> list[int]:
    """Where pickles with imports begin, among bytes that are something else."""
    found = []
    for _, beginning in zip(range(MOST_BEGINNINGS), BEGINNING.finditer(content), strict=False):
        imports: list[ImportedName] = []
        file = in_memory(content[beginning.start() :])
        trace = PickleTrace(file, TraceEvents(imports.append, ignored, ignored, None), ENOUGH)
        try:
            trace.to_stop()
        except (LimitExceededError, UntraceableError):
            if not trace.calls:
                continue
        if trace.sound and imports and all(map(is_plausible, imports)):
            found.append(beginning.start())
    return found


def _begins_with_a_module(imports: list[ImportedName]) -> bool:
    """Many texts read as an import of something that cannot be a module: there the unpickler would stop."""
    return bool(imports) and (imports[0].module is None or is_plausible(imports[0]))
