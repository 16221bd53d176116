"""Converts a client's plain values to the types that the database stores."""

import json
import math
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from bson import ObjectId

from catalog.errors import INVALID_QUERY, Refused
from catalog.store.query.declarations import Field, FieldType, shown

_ID = re.compile("[0-9a-fA-F]{24}")


def literal(field: Field, value: Any) -> Any:
    """`value` in the type of the field. Text that is not an id stays text, which matches no id.

    Raises Refused: INVALID_QUERY, naming the field.
    """
    if field.type not in _READERS:
        raise Refused(INVALID_QUERY, f"{field.path} is {field.type.value}: ask for one of them, or with $elemMatch")
    try:
        return _READERS[field.type](value)
    except (TypeError, ValueError, OverflowError):
        raise Refused(INVALID_QUERY, f"{field.path}: {_spelt(value)} is not {field.type.value}") from None


def _spelt(value: Any) -> str:
    """As the client wrote it. A list or an object may be too deep to be written out."""
    return "a list or an object" if isinstance(value, list | dict) else shown(json.dumps(value))


def text(value: Any) -> str:
    """`value`, if it is text that can be stored: half of a surrogate pair cannot."""
    if not isinstance(value, str):
        raise TypeError
    value.encode()
    return value


def _id(value: Any) -> ObjectId | str:
    return ObjectId(value) if _ID.fullmatch(text(value)) else text(value)


def _date(value: Any) -> datetime:
    date = datetime.fromisoformat(text(value))
    date = date.astimezone(UTC) if date.tzinfo else date.replace(tzinfo=UTC)
    return date.replace(microsecond=date.microsecond // 1000 * 1000)  # the database stores milliseconds


def _number(value: Any) -> int | float:
    if isinstance(value, int) and not isinstance(value, bool) and -(1 << 63) <= value < 1 << 63:
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    raise ValueError


def _boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError
    return value


def _scalar(value: Any) -> str | float | bool:
    if isinstance(value, bool):
        return value
    return text(value) if isinstance(value, str) else _number(value)


_READERS: dict[FieldType, Callable[[Any], Any]] = {
    FieldType.TEXT: text,
    FieldType.ID: _id,
    FieldType.DATE: _date,
    FieldType.NUMBER: _number,
    FieldType.BOOLEAN: _boolean,
    FieldType.SCALAR: _scalar,
}
