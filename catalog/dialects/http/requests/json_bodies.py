"""JSON of a client, decoded within bounds: how many values it may have, and how many elements as a list.

Decoding takes up to 70 bytes of memory for each byte of the text, so the values are counted first, with a tokenizer
that keeps nothing. A text that cannot have many is decoded at once; any other in a worker thread.
"""

import asyncio
import re
from codecs import BOM_UTF8

import msgspec

from catalog.errors import BODY_TOO_LARGE, MALFORMED_BODY, Refused

MOST_VALUES = 500_000
FEW = 1000  # values, which are counted and decoded in less than a millisecond

_TOKEN = re.compile(rb'"(?:[^"\\]++|\\.)*+"?|[\[{,\]}]', re.DOTALL)
_COMMA = ord(",")
_OPENING, _CLOSING = frozenset(b"[{"), frozenset(b"]}")
_decoder = msgspec.json.Decoder()


async def decoded(raw: bytes, most_elements: int | None = None, *, most_values: int = MOST_VALUES) -> object:
    """The value of a JSON text, with or without the mark that some programs put before UTF-8. No text is `{}`.

    Raises Refused: MALFORMED_BODY; BODY_TOO_LARGE for a list of more than `most_elements`, or for more than
    `most_values` values in all.
    """
    raw = raw.removeprefix(BOM_UTF8)
    if sum(map(raw.count, (b",", b"[", b"{"))) < min(FEW, most_values, FEW if most_elements is None else most_elements):
        return _decoded(raw)
    await asyncio.to_thread(_refuse_large, raw, most_elements, most_values)
    return await asyncio.to_thread(_decoded, raw)


def _decoded(raw: bytes) -> object:
    try:
        return _decoder.decode(raw) if raw.strip() else {}
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as malformed:
        raise Refused(MALFORMED_BODY, str(malformed)) from None


def _refuse_large(raw: bytes, most_elements: int | None, most_values: int) -> None:
    """Count up to where it is too much. What is no JSON is left to the decoder, which stops where the mistake is."""
    is_list = raw.lstrip().startswith(b"[")
    depth, elements, values = 0, 1, 1
    for token in _TOKEN.finditer(raw):
        character = raw[token.start()]
        if character == _COMMA:
            values += 1
            elements += is_list and depth == 1
        elif character in _OPENING:
            values += 1
            depth += 1
        elif character in _CLOSING:
            depth -= 1
        if most_elements is not None and elements > most_elements:
            raise Refused(
                BODY_TOO_LARGE, f"a list of at most {most_elements} elements: send the rest in further requests"
            )
        if values > most_values:
            raise Refused(BODY_TOO_LARGE, f"at most {most_values} values in the JSON of a request")
