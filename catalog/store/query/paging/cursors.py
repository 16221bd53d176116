"""A position in a list: the sort key of the last document, as an opaque text that fits into a URL.

A cursor comes back from a client, so it is checked. It can only narrow a query that the caller may make anyway.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import bson
from bson.codec_options import CodecOptions
from bson.errors import BSONError
from pymongo import ASCENDING, DESCENDING

from catalog.errors import INVALID_QUERY, Refused
from catalog.store.records import Query

__all__ = ["ASCENDING", "DESCENDING", "Order", "cursor_of", "key_of", "steps"]

Order = list[tuple[str, int]]

LONGEST = 8192  # characters; a name has at most 255
_SCALARS = (str, int, float, datetime, bson.ObjectId, type(None))
_AWARE: CodecOptions[dict[str, Any]] = CodecOptions(tz_aware=True)


def cursor_of(order: Order, last: Mapping[str, Any]) -> str:
    key = [last.get(field) for field, _ in order]
    return urlsafe_b64encode(bson.encode({"order": _spelt(order), "key": key})).rstrip(b"=").decode()


def key_of(order: Order, cursor: str) -> list[Any]:
    """The sort key that `cursor` carries.

    Raises Refused: INVALID_QUERY for what is no cursor of a list in this order.
    """
    try:
        decoded = bson.decode(urlsafe_b64decode(cursor[:LONGEST].encode("ascii") + b"=="), _AWARE)
    except (ValueError, BSONError, OverflowError, RecursionError):  # not base64, not ASCII, not BSON
        raise Refused(INVALID_QUERY, "after is not a cursor that a list gave") from None
    key = decoded.get("key")
    if decoded.get("order") != _spelt(order):
        raise Refused(INVALID_QUERY, "after comes from a list in another order")
    if not isinstance(key, list) or len(key) != len(order) or not all(isinstance(each, _SCALARS) for each in key):
        raise Refused(INVALID_QUERY, "after is not a cursor that a list gave")
    return key


def steps(order: Order, key: Sequence[Any]) -> Iterator[Query]:
    """The queries for what comes after `key`, in turn: equal in all fields but the last and beyond it there, and so on.

    One after the other, since the embedded engine answers an `$or` by reading everything.
    """
    for last in reversed(range(len(order))):
        same = {field: value for (field, _), value in zip(order[:last], key, strict=False)}
        field, direction = order[last]
        yield from (same | {field: beyond} for beyond in _beyond(key[last], direction))


def _beyond(value: Any, direction: int) -> list[Any]:
    """A missing value sorts before all others, and comparisons do not find it."""
    if value is None:
        return [{"$ne": None}] if direction > 0 else []
    return [{"$gt": value}] if direction > 0 else [{"$lt": value}, None]


def _spelt(order: Order) -> str:
    return ",".join(f"{field}:{direction}" for field, direction in order)
