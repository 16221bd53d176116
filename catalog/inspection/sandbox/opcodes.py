"""Follow a pickle's opcodes without running them, and tell what it would import.

The stack is followed as far as texts, numbers and names go: enough to know both operands of every import, whatever way
they took through the memo. Arguments are read as leniently as Python's own unpickler does, since a reader that gives
up where the unpickler goes on is how a threat hides. Nothing that stands in a pickle stops the walk but an unknown
opcode or the end of the bytes.
"""

import codecs
import pickletools
import re
from collections.abc import Callable
from io import BufferedReader, BytesIO, RawIOBase
from typing import Any, NamedTuple, cast

from catalog.inspection.sandbox.views import TooMuch, part

LONGEST_TEXT = 1024
"""Bytes of a text that is kept. No module has such a name."""

LONGEST_TUPLE = 16
"""Values of a tuple that is kept."""

CHUNK = 2**16
LONGEST_INNER = 2**25
"""Bytes of a value that is itself a pickle or packed, where it must be held whole."""

BINARY_TEXTS = {"SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8", "BINSTRING", "SHORT_BINSTRING"}
BYTES = {"SHORT_BINBYTES", "BINBYTES", "BINBYTES8", "BYTEARRAY8", "BINSTRING", "SHORT_BINSTRING"}
VALUES = BINARY_TEXTS | BYTES
AS_UTF_8 = BINARY_TEXTS - BYTES
PREFIX = 256
INNER = re.compile(
    rb"\x80[\x00-\x05]|[(\])}tl0]{0,9}c[A-Za-z_][\w.]*\n[A-Za-z_][\w.]*\n"
    rb"|PK\x03\x04|\x1f\x8b\x08|BZh[1-9]|\xfd7zXZ\x00|\x04\x22\x4d\x18|\x93NUMPY|x[\x01\x5e\x9c\xda]"
)
"""How a value begins that may itself be a pickle, or hold one."""

INNER_AS_UTF_8 = re.compile(rb"\xc2\x80[\x00-\x05]|\xc2\x93NUMPY|PK\x03\x04|[(\])}tl0]{0,9}c[A-Za-z_][\w.]*\n[A-Za-z_]")
"""Likewise, of bytes that are written as a text: how protocol 2 has them."""

CALLS = {"REDUCE", "NEWOBJ", "NEWOBJ_EX", "OBJ", "INST", "BUILD"}
SIZES = {
    pickletools.TAKEN_FROM_ARGUMENT1: 1,
    pickletools.TAKEN_FROM_ARGUMENT4: 4,
    pickletools.TAKEN_FROM_ARGUMENT4U: 4,
    pickletools.TAKEN_FROM_ARGUMENT8U: 8,
}
"""How many bytes say how long an argument is."""


class NotFollowed(Exception):  # noqa: N818  how a walk ends early, which is no error of ours
    """The bytes cannot be followed as a pickle any further."""


class Name(NamedTuple):
    """What an import asks for. None: it is computed, and cannot be known without running the pickle."""

    module: str | None
    name: str | None


class Made(NamedTuple):
    """What a call would give."""

    by: Any
    arguments: Any


class Unknown:
    """Any value that is not followed."""


class Mark:
    pass


class Persistent:
    """What a program keeps beside the pickle."""


class Inner:
    """Bytes that were looked into."""


UNKNOWN, MARK, PERSISTENT, INNER_VALUE = Unknown(), Mark(), Persistent(), Inner()


class Opcode(NamedTuple):
    name: str
    argument: int | None  # bytes, or how they are counted, as `pickletools` says it
    lines: int
    pops: int  # beneath the mark, if it goes down to one
    to_mark: bool
    pushes: int


def _opcode(described: pickletools.OpcodeInfo) -> Opcode:
    before = [item.name for item in described.stack_before]
    to_mark = "mark" in before
    pops = before.index("mark") if to_mark else len(before)
    argument = described.arg.n if described.arg else None
    lines = 2 if described.arg and described.arg.name == "stringnl_noescape_pair" else 1
    return Opcode(described.name, argument, lines, pops, to_mark, len(described.stack_after))


OPCODES = {described.code.encode("latin-1"): _opcode(described) for described in pickletools.opcodes}


class Events(NamedTuple):
    """What is called while a pickle is followed."""

    found: Callable[[Name], None]  # with every import, in order
    built: Callable[["Walk", Any, Any], None]  # with every object that BUILD sets the state of, and that state
    accused: Callable[[str], None]  # with what it does that no writer of pickles does
    inner: Callable[[BufferedReader], None] | None  # with every value that may be a pickle itself


class Walk:
    """One pickle."""

    def __init__(self, file: BufferedReader, events: Events, most: int) -> None:
        self.file = file
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}
        self.sound = True
        """False once it took something from an empty stack: no writer of pickles does."""
        self.calls = 0
        """How often it would call something or set an object's state."""
        self.opcodes = 0
        self.events, self._most = events, most

    def to_stop(self) -> None:
        """Go on until STOP.

        Raises NotFollowed, TooMuch when there are more than `most` opcodes.
        """
        while True:
            code = self.file.read(1)
            opcode = OPCODES.get(code)
            if opcode is None:
                raise NotFollowed(f"{code!r} is no opcode" if code else "it ends before its STOP")
            self.opcodes += 1
            if self.opcodes > self._most:
                raise TooMuch(f"more than {self._most} opcodes")
            argument = self._argument(opcode)
            if opcode.name == "STOP":
                return
            self.calls += opcode.name in CALLS and bool(self.stack)
            if effect := EFFECTS.get(opcode.name):
                effect(self, argument)
            elif argument is INNER_VALUE:
                self.stack.append(argument)
            elif opcode.name in BINARY_TEXTS:
                self.stack.append(_text(argument))
            else:
                self._shift(opcode)

    def pop(self) -> Any:
        if self.stack:
            return self.stack.pop()
        self.sound = False
        return UNKNOWN

    def fork(self, file: BufferedReader, found: Callable[[Name], None], most: int) -> "Walk":
        """Another from here on, over `file`, to which nothing is particular about what is built."""
        other = Walk(file, Events(found, ignored, ignored, None), most)
        other.stack, other.memo, other.sound = list(self.stack), dict(self.memo), self.sound
        return other

    def _argument(self, opcode: Opcode) -> Any:
        size = opcode.argument
        if size is None:
            return None
        if size == pickletools.UP_TO_NEWLINE:
            return b"\n".join(self._line() for _ in range(opcode.lines))
        if size < 0:
            size = int.from_bytes(take(self.file, SIZES[size]), "little")
        if opcode.name in VALUES and self.events.inner:
            return self._value(size, opcode.name in AS_UTF_8)
        if size <= LONGEST_TEXT:
            return take(self.file, size)
        skip(self.file, size)
        return None

    def _value(self, size: int, as_utf_8: bool) -> Any:
        """A text or bytes, looked into where they may hold a pickle, and passed over where they are long."""
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
            raise TooMuch(f"a value of more than {LONGEST_INNER} bytes that may be a pickle itself")
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

    def _line(self) -> bytes:
        line = piece = self.file.readline(CHUNK)
        while not piece.endswith(b"\n"):
            if not piece:
                raise NotFollowed("it ends within a line")
            piece = self.file.readline(CHUNK)
        return line.rstrip(b"\n")

    def _shift(self, opcode: Opcode) -> None:
        if opcode.to_mark:
            self._down_to_mark()
        for _ in range(opcode.pops):
            self.pop()
        self.stack.extend([UNKNOWN] * opcode.pushes)

    def _down_to_mark(self) -> list[Any]:
        values: list[Any] = []
        while self.stack:
            value = self.stack.pop()
            if value is MARK:
                return values[::-1]
            values.append(value)
        self.sound = False
        return values[::-1]

    def _import(self, name: Name) -> None:
        self.events.found(name)
        self.stack.append(name)

    def _call(self, by: Any, arguments: Any) -> None:
        """Take note of what a call gives, and of a call of what only a call could have given."""
        if isinstance(by, Made | Persistent):
            self.events.accused("calls something that it computes")
        elif isinstance(by, Name) and by.name in OF_BYTES and not _first(arguments, Inner):
            self.events.accused(f"loads bytes that were not looked into by {by.module}.{by.name}")
        elif isinstance(by, Name) and by.name in OF_FILES:
            self.events.accused(f"opens a file by {by.module}.{by.name}")
        keeps = isinstance(by, Name) and by in ENCODES and _first(arguments, Inner)
        self.stack.append(INNER_VALUE if keeps else Made(by, arguments))

    def _op_mark(self, _: None) -> None:
        self.stack.append(MARK)

    def _op_dup(self, _: None) -> None:
        self.stack.append(self.stack[-1] if self.stack else UNKNOWN)

    def _op_pop_mark(self, _: None) -> None:
        self._down_to_mark()

    def _op_global(self, lines: bytes) -> None:
        module, _, name = lines.partition(b"\n")
        self._import(Name(module.decode(errors="replace"), name.decode(errors="replace")))

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
        self._import(Name(*(value if isinstance(value, str) else None for value in (module, name))))

    def _op_ext1(self, code: bytes) -> None:
        """An import by a number that programs agree on."""
        self._import(Name("copyreg", f"extension {int.from_bytes(code, 'little')}"))

    _op_ext2 = _op_ext4 = _op_ext1

    def _op_string(self, line: bytes) -> None:
        quoted = line.strip()
        if self.events.inner and INNER.match(content := _unescaped(quoted[1:-1])):
            self._look_into(content)
        plain = b"\\" not in quoted and len(quoted) <= LONGEST_TEXT
        self.stack.append(quoted[1:-1].decode(errors="replace") if plain else UNKNOWN)

    def _op_unicode(self, line: bytes) -> None:
        text = line.decode("raw_unicode_escape", errors="replace")
        if self.events.inner and INNER.match(content := text[:LONGEST_INNER].encode("latin-1", "replace")):
            self._look_into(content)
        self.stack.append(text if len(line) <= LONGEST_TEXT else UNKNOWN)

    def _op_binint1(self, number: bytes) -> None:
        self.stack.append(int.from_bytes(number, "little"))

    _op_binint2 = _op_long1 = _op_binint = _op_binint1

    def _op_put(self, line: bytes) -> None:
        self._memoize(_number(line))

    def _op_binput(self, index: bytes) -> None:
        self._memoize(int.from_bytes(index, "little"))

    _op_long_binput = _op_binput

    def _op_memoize(self, _: None) -> None:
        self._memoize(len(self.memo))

    def _memoize(self, index: int) -> None:
        if not self.stack:
            self.sound = False
        self.memo[index] = self.stack[-1] if self.stack else UNKNOWN

    def _op_get(self, line: bytes) -> None:
        self.stack.append(self.memo.get(_number(line), UNKNOWN))

    def _op_binget(self, index: bytes) -> None:
        self.stack.append(self.memo.get(int.from_bytes(index, "little"), UNKNOWN))

    _op_long_binget = _op_binget

    def _op_empty_tuple(self, _: None) -> None:
        self.stack.append(())

    def _op_tuple(self, _: None) -> None:
        values = self._down_to_mark()
        self.stack.append(tuple(values) if len(values) <= LONGEST_TUPLE else UNKNOWN)

    def _op_tuple1(self, _: None) -> None:
        self.stack.append((self.pop(),))

    def _op_tuple2(self, _: None) -> None:
        second, first = self.pop(), self.pop()
        self.stack.append((first, second))

    def _op_tuple3(self, _: None) -> None:
        third, second, first = self.pop(), self.pop(), self.pop()
        self.stack.append((first, second, third))

    def _op_reduce(self, _: None) -> None:
        arguments, by = self.pop(), self.pop()
        self._call(by, arguments)

    def _op_newobj(self, _: None) -> None:
        arguments, by = self.pop(), self.pop()
        self.stack.append(Made(by, arguments))

    def _op_newobj_ex(self, _: None) -> None:
        self.pop()
        self._op_newobj(None)

    def _op_empty_dict(self, _: None) -> None:
        self.stack.append({})

    def _op_setitems(self, _: None) -> None:
        values = self._down_to_mark()
        into = self.stack[-1] if self.stack else UNKNOWN
        if isinstance(into, dict) and len(values) <= 2 * LONGEST_TUPLE:
            into.update((key, value) for key, value in zip(values[::2], values[1::2], strict=False) if type(key) is str)

    def _op_build(self, _: None) -> None:
        state = self.pop()
        built = self.stack[-1] if self.stack else UNKNOWN
        if isinstance(built, Name):
            self.events.accused(f"changes {built.module}.{built.name} itself, not an object")
        self.events.built(self, built, state)


EFFECTS: dict[str, Callable[[Walk, Any], None]] = {
    name.removeprefix("_op_").upper(): effect for name, effect in vars(Walk).items() if name.startswith("_op_")
}
"""What is particular to an opcode. Of the others only how many values they take and leave is of interest."""


OF_BYTES = {"_load_from_bytes"}
"""How PyTorch has its numbers in plain pickles: as bytes that are a file of its own, with pickles inside."""

OF_FILES = {"memmap"}
"""Classes of arrays that name a file when they are called, and none when their numbers are pickled."""

ENCODES = {Name("_codecs", "encode")}


def ignored(*_: Any) -> None:
    pass


def _first(arguments: Any, kind: type) -> bool:
    return isinstance(arguments, tuple) and bool(arguments) and isinstance(arguments[0], kind)


def _unescaped(content: bytes) -> bytes:
    """The bytes that a text of protocol 0 spells."""
    try:
        return codecs.escape_decode(content[:LONGEST_INNER])[0]
    except ValueError:
        return b""


def in_memory(content: bytes) -> BufferedReader:
    return BufferedReader(cast(RawIOBase, BytesIO(content)), max(1, len(content)))


def _text(argument: bytes | None) -> Any:
    return UNKNOWN if argument is None else argument.decode(errors="replace")


def _number(line: bytes) -> int:
    try:
        return int(line)
    except ValueError:
        raise NotFollowed("a place in the memo that is no number") from None


def take(file: BufferedReader, size: int) -> bytes:
    taken = file.read(size)
    if len(taken) < size:
        raise NotFollowed("it ends within an argument")
    return taken


def skip(file: BufferedReader, size: int) -> None:
    """Leave bytes out: without reading them, where that is possible."""
    if file.seekable():
        end = file.seek(0, 1) + size
        if end >= 2**63:
            raise NotFollowed("it ends within an argument")
        file.seek(end)
        return
    while size > 0:
        passed = len(file.read(min(size, CHUNK)))
        if not passed:
            raise NotFollowed("it ends within an argument")
        size -= passed
