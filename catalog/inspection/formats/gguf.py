"""GGUF: counts, then metadata of typed values, then a row for each tensor, then the numbers."""

import re
import struct

from catalog.inspection.formats.summary import LARGEST, HeaderSummary
from catalog.inspection.formats.window import MalformedError, Window

MAGIC = b"GGUF"
SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
TEXT, ARRAY = 8, 9
TEMPLATE = "tokenizer.chat_template"
INTERNALS = re.compile("__(class|globals|subclasses|mro|base|bases|import|builtins|init)__")
"""Attributes through which a template breaks out of Jinja."""

DEEPEST = 4
KEPT = 2**16
"""Bytes of a text that are read: a chat template, for instance."""

TYPES = {
    0: "F32", 1: "F16", 2: "Q4_0", 3: "Q4_1", 6: "Q5_0", 7: "Q5_1", 8: "Q8_0", 9: "Q8_1", 10: "Q2_K", 11: "Q3_K",
    12: "Q4_K", 13: "Q5_K", 14: "Q6_K", 15: "Q8_K", 16: "IQ2_XXS", 17: "IQ2_XS", 18: "IQ3_XXS", 19: "IQ1_S",
    20: "IQ4_NL", 21: "IQ3_S", 22: "IQ2_S", 23: "IQ4_XS", 24: "I8", 25: "I16", 26: "I32", 27: "I64", 28: "F64",
    29: "IQ1_M", 30: "BF16", 34: "TQ1_0", 35: "TQ2_0", 39: "MXFP4",
}  # fmt: skip


def matches(head: bytes) -> bool:
    return head.startswith(MAGIC)


def read(window: Window, summary: HeaderSummary) -> None:
    """Read a GGUF file of version 2 or later.

    Raises MalformedError, LimitExceededError, SandboxNeededError.
    """
    window.skip(len(MAGIC))
    version = window.number(4)
    if version not in range(2, 2**16):  # a file of big-endian numbers begins as one of an impossible version
        raise MalformedError(f"version {version} is not one that is read")
    summary.details["version"] = version
    tensors, metadata = window.number(8), window.number(8)
    for _ in range(_within(metadata, LARGEST, "metadata")):
        window.step()
        name = _text(window)
        value = _value(window, window.number(4), 0)
        summary.add_metadata(name, value)
        if name.startswith(TEMPLATE):
            _check_template(name, value, summary)
    for _ in range(_within(tensors, LARGEST, "tensors")):
        window.step()
        name = _text(window)
        shape = [window.number(8) for _ in range(_within(window.number(4), 8, "dimensions"))]
        kind = window.number(4)
        window.skip(8)
        summary.tensors.add(name, TYPES.get(kind, f"type {kind}"), shape)


def _check_template(name: str, template: str, summary: HeaderSummary) -> None:
    if INTERNALS.search(template):
        summary.add_suspicious("reaches for Python's internals, which a chat template has no use for", name)
    if len(template.encode()) >= KEPT:
        summary.add_suspicious(f"is a chat template of more than {KEPT} bytes, the rest of which is not read", name)


def _text(window: Window) -> str:
    size = window.number(8)
    window.need(size)
    text = window.take(min(size, KEPT)).decode(errors="replace")
    window.skip(max(0, size - KEPT))
    return text


def _value(window: Window, kind: int, depth: int) -> str:
    if kind == TEXT:
        return _text(window)
    if kind == ARRAY and depth < DEEPEST:
        return _array(window, depth)
    if kind not in SCALARS:
        raise MalformedError(f"a value of the unknown type {kind}")
    code = SCALARS[kind]
    (value,) = struct.unpack(f"<{code}", window.take(struct.calcsize(code)))
    return str(value)


def _array(window: Window, depth: int) -> str:
    kind, count = window.number(4), window.number(8)
    if kind in SCALARS:
        window.skip(_within(count, LARGEST, "values") * struct.calcsize(SCALARS[kind]))
    elif kind == TEXT:
        window.skip_texts(count)
    else:
        for _ in range(_within(count, LARGEST, "values")):
            window.step()
            _value(window, kind, depth + 1)
    return f"{count} values"


def _within(count: int, most: int, what: str) -> int:
    if count > most:
        raise MalformedError(f"{count} {what}")
    return count
