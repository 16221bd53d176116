"""Parses the values of command-line options."""

import json
from collections.abc import Sequence
from typing import Any

from catalog.client import Invalid
from catalog.client.results import Value
from catalog.durations import Size


def pairs(text: Sequence[str]) -> dict[str, Value]:
    """Parse metadata: `accuracy=0.95` is a number, `tuned=true` a boolean, `seed='"7"'` (with quotes) a string.

    Raises Invalid.
    """
    return dict(_pair(each) for each in text)


def _pair(text: str) -> tuple[str, Value]:
    name, equals, text = text.partition("=")
    if not (name and equals):
        raise Invalid(f"{text!r} is not of the form NAME=VALUE", advice="Write it as accuracy=0.95.")
    try:
        value = json.loads(text)
    except ValueError:
        return name, text
    return name, value if isinstance(value, str | int | float) else text


def conditions(text: Sequence[str]) -> dict[str, str]:
    """Parse conditions on metadata: `accuracy=gte:0.9`. Raises Invalid."""
    return {name: str(value) for name, value in (each.partition("=")[::2] for each in text if _pair(each))}


def filters(text: str, tags: Sequence[str]) -> Any:
    """The JSON filter combined with a condition for each tag; None if there is neither. Raises Invalid."""
    parsed = _filter(text) if text else None
    if not tags:
        return parsed
    return {"$and": [*([] if parsed is None else [parsed]), *({"tags": each} for each in tags)]}


def _filter(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        raise Invalid(f"{text} is not JSON", advice="""Write it as '{"status": "production"}'.""") from None


def order(text: Sequence[str]) -> dict[str, str]:
    """Parse a sort order: `name` is ascending, `-timestamp` descending."""
    return {field.removeprefix("-"): "desc" if field.startswith("-") else "asc" for field in text}


def size(text: str) -> int:
    """Parse a size: `500M`, `20G`; return bytes. Raises Invalid."""
    try:
        return Size(text)
    except ValueError:
        raise Invalid(f"{text!r} is not a size", advice="Write it as 500M or 20G.") from None
