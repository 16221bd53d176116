"""The values on the stack of a traced pickle, and the values inside a pickle that may hold pickles themselves."""

import codecs
import re
from typing import NamedTuple

LONGEST_TEXT = 1024
"""Bytes of a text that is stored. No module has a longer name."""

LONGEST_TUPLE = 16
"""Values of a tuple that is stored."""

LONGEST_INNER = 2**25
"""Bytes of a value that may be a pickle or archive and must be held in memory."""

BINARY_TEXTS = {"SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8", "BINSTRING", "SHORT_BINSTRING"}
BYTES = {"SHORT_BINBYTES", "BINBYTES", "BINBYTES8", "BYTEARRAY8", "BINSTRING", "SHORT_BINSTRING"}
VALUES = BINARY_TEXTS | BYTES
AS_UTF_8 = BINARY_TEXTS - BYTES
PREFIX = 256
INNER = re.compile(
    rb"\x80[\x00-\x05]|[(\])}tl0]{0,9}c[A-Za-z_][\w.]*\n[A-Za-z_][\w.]*\n"
    rb"|PK\x03\x04|\x1f\x8b\x08|BZh[1-9]|\xfd7zXZ\x00|\x04\x22\x4d\x18|\x93NUMPY|x[\x01\x5e\x9c\xda]"
)
"""The beginnings of a value that may be, or contain, a pickle."""

INNER_AS_UTF_8 = re.compile(rb"\xc2\x80[\x00-\x05]|\xc2\x93NUMPY|PK\x03\x04|[(\])}tl0]{0,9}c[A-Za-z_][\w.]*\n[A-Za-z_]")
"""The same for bytes that are stored as a text, as in protocol 2."""


class ImportedName(NamedTuple):
    """The target of an import. None: it is computed, and unknown unless the pickle is executed."""

    module: str | None
    name: str | None


class CallResult(NamedTuple):
    """The result of a call."""

    by: object
    arguments: object


class UnknownValue:
    """Any value that is not traced."""


class StackMark:
    pass


class PersistentValue:
    """A value that is stored outside the pickle."""


class InspectedBytes:
    """Bytes that were inspected."""


UNKNOWN, MARK, PERSISTENT, INNER_VALUE = UnknownValue(), StackMark(), PersistentValue(), InspectedBytes()


def first_is(arguments: object, kind: type) -> bool:
    return isinstance(arguments, tuple) and bool(arguments) and isinstance(arguments[0], kind)


def unescaped(content: bytes) -> bytes:
    """Return the bytes of an escaped text of protocol 0."""
    try:
        return codecs.escape_decode(content[:LONGEST_INNER])[0]
    except ValueError:
        return b""


def as_text(argument: bytes | None) -> object:
    return UNKNOWN if argument is None else argument.decode(errors="replace")
