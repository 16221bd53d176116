"""Pages of answers, bounded in bytes."""

from collections.abc import Iterable
from typing import Any

import msgspec

LARGEST = 8 * 2**20
"""Bytes of JSON of the elements of one page. A page that would have more ends earlier, with a token to go on."""

_encoder = msgspec.json.Encoder()


def fitting(elements: Iterable[Any], room: int = LARGEST) -> list[msgspec.Raw]:
    """The first elements, encoded, of at most `room` bytes together; at least one."""
    fit: list[msgspec.Raw] = []
    for element in elements:
        encoded = _encoder.encode(element)
        room -= len(encoded)
        if fit and room < 0:
            break
        fit.append(msgspec.Raw(encoded))
    return fit
