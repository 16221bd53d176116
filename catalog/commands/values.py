"""What people write on a command line, as values."""

import json
from collections.abc import Sequence
from typing import Any

from catalog.client import Invalid
from catalog.client.results import Value
from catalog.durations import Size


def pairs(written: Sequence[str]) -> dict[str, Value]:
    """`accuracy=0.95` is a number, `tuned=true` is true; in quotes, `seed='"7"'`, it is a text.

    Raises Invalid.
    """
    return dict(_pair(each) for each in written)


def _pair(written: str) -> tuple[str, Value]:
    name, equals, text = written.partition("=")
    if not (name and equals):
        raise Invalid(f"{written!r} is not of the form NAME=VALUE", advice="Write it as accuracy=0.95.")
    try:
        value = json.loads(text)
    except ValueError:
        return name, text
    return name, value if isinstance(value, str | int | float) else text


def conditions(written: Sequence[str]) -> dict[str, str]:
    """`accuracy=gte:0.9`. Raises Invalid."""
    return {name: str(value) for name, value in (each.partition("=")[::2] for each in written if _pair(each))}


def filters(written: str, tags: Sequence[str]) -> Any:
    """What is written in JSON, and each of the tags as well; None for neither. Raises Invalid."""
    wanted = _filter(written) if written else None
    if not tags:
        return wanted
    return {"$and": [*([] if wanted is None else [wanted]), *({"tags": each} for each in tags)]}


def _filter(written: str) -> Any:
    try:
        return json.loads(written)
    except ValueError:
        raise Invalid(f"{written} is not JSON", advice="""Write it as '{"status": "production"}'.""") from None


def order(written: Sequence[str]) -> dict[str, str]:
    """`name` goes up, `-timestamp` goes down."""
    return {field.removeprefix("-"): "desc" if field.startswith("-") else "asc" for field in written}


def size(text: str) -> int:
    """Bytes: `500M`, `20G`. Raises Invalid."""
    try:
        return Size(text)
    except ValueError:
        raise Invalid(f"{text!r} is no size", advice="Write it as 500M or 20G.") from None
