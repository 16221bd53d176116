"""Trace a pickle's opcodes without executing them, and report what it would import.

The stack is traced as far as texts, numbers and names go: enough to know both operands of every import, whatever way
they took through the memo. Arguments are read as leniently as Python's own unpickler does, because a threat can hide
from a reader that gives up where the unpickler continues. Only an unknown opcode or the end of the bytes stops it.
"""

import pickletools
from collections.abc import Callable
from io import BufferedReader
from typing import Any, NamedTuple

from catalog.inspection.sandbox.opcodes import OPCODES, SIZES, Opcode
from catalog.inspection.sandbox.reading import UntraceableError, in_memory, read_line, skip, take
from catalog.inspection.sandbox.trace_stack import TraceStack
from catalog.inspection.sandbox.values import (
    AS_UTF_8,
    BINARY_TEXTS,
    INNER,
    INNER_AS_UTF_8,
    INNER_VALUE,
    LONGEST_INNER,
    LONGEST_TEXT,
    PERSISTENT,
    PREFIX,
    UNKNOWN,
    VALUES,
    CallResult,
    ImportedName,
    InspectedBytes,
    PersistentValue,
    as_text,
    first_is,
    unescaped,
)
from catalog.inspection.sandbox.views import LimitExceededError, part

CALLS = {"REDUCE", "NEWOBJ", "NEWOBJ_EX", "OBJ", "INST", "BUILD"}

OF_BYTES = {"_load_from_bytes"}
"""How PyTorch stores numbers in plain pickles: as bytes that are a file of its own, with pickles inside."""

OF_FILES = {"memmap"}
"""Array classes that open a file when they are called, unlike the ones in regular pickles."""

ENCODES = {ImportedName("_codecs", "encode")}


class TraceEvents(NamedTuple):
    """What is called while a pickle is traced."""

    found: Callable[[ImportedName], None]  # with every import, in order
    built: Callable[["PickleTrace", object, object], None]  # with every object whose state BUILD sets, and that state
    accused: Callable[[str], None]  # with what it does that no writer of pickles does
    inner: Callable[[BufferedReader], None] | None  # with every value that may be a pickle itself


class PickleTrace(TraceStack):
    """The trace of one pickle."""

    def __init__(self, file: BufferedReader, events: TraceEvents, most: int) -> None:
        super().__init__()
        self.file = file
        self.calls = 0
        """How many calls and object states it has."""
        self.opcodes = 0
        self.events, self._most = events, most

    def to_stop(self) -> None:
        """Trace up to STOP.

        Raises UntraceableError, LimitExceededError when there are more than `most` opcodes.
        """
        while True:
            code = self.file.read(1)
            opcode = OPCODES.get(code)
            if opcode is None:
                raise UntraceableError(f"{code!r} is no opcode" if code else "it ends before its STOP")
            self.opcodes += 1
            if self.opcodes > self._most:
                raise LimitExceededError(f"more than {self._most} opcodes")
            argument = self._argument(opcode)
            if opcode.name == "STOP":
                return
            self.calls += opcode.name in CALLS and bool(self.stack)
            if effect := EFFECTS.get(opcode.name):
                effect(self, argument)
            elif argument is INNER_VALUE:
                self.stack.append(argument)
            elif opcode.name in BINARY_TEXTS:
                self.stack.append(as_text(argument))
            else:
                self._shift(opcode)

    def fork(self, file: BufferedReader, found: Callable[[ImportedName], None], most: int) -> "PickleTrace":
        """Another from here on, over `file`, to which nothing is particular about what is built."""
        other = PickleTrace(file, TraceEvents(found, ignored, ignored, None), most)
        other.stack, other.memo, other.sound = list(self.stack), dict(self.memo), self.sound
        return other

    def _argument(self, opcode: Opcode) -> Any:
        size = opcode.argument
        if size is None:
            return None
        if size == pickletools.UP_TO_NEWLINE:
            return b"\n".join(read_line(self.file) for _ in range(opcode.lines))
        if size < 0:
            size = int.from_bytes(take(self.file, SIZES[size]), "little")
        if opcode.name in VALUES and self.events.inner:
            return self._value(size, opcode.name in AS_UTF_8)
        if size <= LONGEST_TEXT:
            return take(self.file, size)
        skip(self.file, size)
        return None

    def _value(self, size: int, as_utf_8: bool) -> object:
        """Read a text or bytes. They are inspected if they may hold a pickle, and skipped if they are long."""
        begin = take(self.file, min(size, PREFIX))
        looked_into = bool((INNER_AS_UTF_8 if as_utf_8 else INNER).match(begin))
        if size <= LONGEST_TEXT:
            begin += take(self.file, size - len(begin))
            if not looked_into:
                return begin
            self._look_into(begin, as_utf_8)
            return INNER_VALUE
        if not looked_into:
            skip(self.file, size - len(begin))
            return None
        if self.file.seekable() and not as_utf_8:
            self._look_into_part(self.file.tell() - len(begin), size)
            return INNER_VALUE
        if size > LONGEST_INNER:
            raise LimitExceededError(f"a value of more than {LONGEST_INNER} bytes that may be a pickle itself")
        self._look_into(begin + take(self.file, size - len(begin)), as_utf_8)
        return INNER_VALUE

    def _look_into_part(self, start: int, size: int) -> None:
        if self.events.inner:
            self.events.inner(part(self.file, start, start + size))
        self.file.seek(start)
        skip(self.file, size)

    def _look_into(self, value: bytes, as_utf_8: bool = False) -> None:
        if self.events.inner:
            content = value.decode(errors="replace").encode("latin-1", "replace") if as_utf_8 else value
            self.events.inner(in_memory(content))

    def _shift(self, opcode: Opcode) -> None:
        if opcode.to_mark:
            self._down_to_mark()
        for _ in range(opcode.pops):
            self.pop()
        self.stack.extend([UNKNOWN] * opcode.pushes)

    def _import(self, name: ImportedName) -> None:
        self.events.found(name)
        self.stack.append(name)

    def _call(self, by: object, arguments: object) -> None:
        """Push the result of a call, and report a call of a computed function."""
        if isinstance(by, CallResult | PersistentValue):
            self.events.accused("calls something that it computes")
        elif isinstance(by, ImportedName) and by.name in OF_BYTES and not first_is(arguments, InspectedBytes):
            self.events.accused(f"loads bytes that were not looked into by {by.module}.{by.name}")
        elif isinstance(by, ImportedName) and by.name in OF_FILES:
            self.events.accused(f"opens a file by {by.module}.{by.name}")
        keeps = isinstance(by, ImportedName) and by in ENCODES and first_is(arguments, InspectedBytes)
        self.stack.append(INNER_VALUE if keeps else CallResult(by, arguments))

    def _op_global(self, lines: bytes) -> None:
        module, _, name = lines.partition(b"\n")
        self._import(ImportedName(module.decode(errors="replace"), name.decode(errors="replace")))

    def _op_inst(self, lines: bytes) -> None:
        arguments = tuple(self._down_to_mark())
        self._op_global(lines)
        self._call(self.pop(), arguments)

    def _op_obj(self, _: None) -> None:
        by, *arguments = self._down_to_mark() or [UNKNOWN]
        self._call(by, tuple(arguments))

    def _op_persid(self, _: bytes) -> None:
        self.stack.append(PERSISTENT)

    def _op_binpersid(self, _: None) -> None:
        self.pop()
        self.stack.append(PERSISTENT)

    def _op_stack_global(self, _: None) -> None:
        name, module = self.pop(), self.pop()
        self._import(ImportedName(*(value if isinstance(value, str) else None for value in (module, name))))

    def _op_ext1(self, code: bytes) -> None:
        """An import by a registered number."""
        self._import(ImportedName("copyreg", f"extension {int.from_bytes(code, 'little')}"))

    _op_ext2 = _op_ext4 = _op_ext1

    def _op_string(self, line: bytes) -> None:
        quoted = line.strip()
        if self.events.inner and INNER.match(content := unescaped(quoted[1:-1])):
            self._look_into(content)
        plain = b"\\" not in quoted and len(quoted) <= LONGEST_TEXT
        self.stack.append(quoted[1:-1].decode(errors="replace") if plain else UNKNOWN)

    def _op_unicode(self, line: bytes) -> None:
        text = line.decode("raw_unicode_escape", errors="replace")
        if self.events.inner and INNER.match(content := text[:LONGEST_INNER].encode("latin-1", "replace")):
            self._look_into(content)
        self.stack.append(text if len(line) <= LONGEST_TEXT else UNKNOWN)

    def _op_reduce(self, _: None) -> None:
        arguments, by = self.pop(), self.pop()
        self._call(by, arguments)

    def _op_newobj(self, _: None) -> None:
        arguments, by = self.pop(), self.pop()
        self.stack.append(CallResult(by, arguments))

    def _op_newobj_ex(self, _: None) -> None:
        self.pop()
        self._op_newobj(None)

    def _op_build(self, _: None) -> None:
        state = self.pop()
        built = self.stack[-1] if self.stack else UNKNOWN
        if isinstance(built, ImportedName):
            self.events.accused(f"changes {built.module}.{built.name} itself, not an object")
        self.events.built(self, built, state)


EFFECTS: dict[str, Callable[[PickleTrace, object], None]] = {
    name.removeprefix("_op_").upper(): getattr(PickleTrace, name)
    for name in dir(PickleTrace)
    if name.startswith("_op_")
}
"""Opcodes with an effect of their own. Of the others only the number of values they take and leave matters."""


def ignored(*_: object) -> None:
    pass
