"""Parses the values of command-line options."""

import json
import re
from collections.abc import Mapping, Sequence

from catalog import client
from catalog.durations import Size


def pairs(text: Sequence[str]) -> dict[str, "client.results.Value"]:
    """Parse metadata: `accuracy=0.95` is a number, `tuned=true` a boolean, `version=1.10` a text.

    A number is a number only if it reads back the same, so that no digit is lost: `1.10`, `12345e6` and `007` are
    texts. `NAME:=VALUE` takes the value as JSON: `rate:=1e-3` is a number, and `seed:='"7"'` a text.

    Raises Invalid.
    """
    return dict(_pair(each) for each in text)


def _pair(text: str) -> tuple[str, "client.results.Value"]:
    name, equals, value = text.partition("=")
    if not (name.removesuffix(":") and equals):
        raise client.Invalid(f"{text!r} is not of the form NAME=VALUE", advice="Write it as accuracy=0.95.")
    if name.endswith(":"):
        return name.removesuffix(":"), _json(name, value)
    try:
        parsed = json.loads(value, parse_constant=_refuse)
    except ValueError:
        return name, value
    is_same = isinstance(parsed, bool | int | float) and json.dumps(parsed) == value
    return name, parsed if is_same or isinstance(parsed, str) else value


def _refuse(constant: str) -> None:
    """NaN and infinity are no JSON."""
    raise ValueError(constant)


def _json(name: str, text: str) -> "client.results.Value":
    try:
        value = json.loads(text, parse_constant=_refuse)
    except ValueError:
        value = None
    if not isinstance(value, str | bool | int | float):
        raise client.Invalid(
            f"{name}={text} is not a text, a number, or true or false in JSON", advice="Write rate:=1e-3."
        )
    return value


def conditions(text: Sequence[str]) -> dict[str, str]:
    """Parse conditions on metadata: `accuracy=gte:0.9`. Raises Invalid."""
    return {name: str(value) for name, value in (each.partition("=")[::2] for each in text if _pair(each))}


def filters(
    text: str, tags: Sequence[str], fields: Mapping[str, str | None] | None = None
) -> "client.resources.item_filters.FilterExpression | None":
    """The JSON filter combined with a condition for each tag and each field that has a value; None without any.

    Raises Invalid.
    """
    parts: list[client.resources.item_filters.FilterExpression] = [_filter(text)] if text else []
    parts += [{"tags": each} for each in tags]
    parts += [{name: value} for name, value in (fields or {}).items() if value]
    return (parts[0] if len(parts) == 1 else {"$and": parts}) if parts else None


def _filter(text: str) -> "client.resources.item_filters.FilterExpression":
    advice = """Write it as '{"status": "production"}'."""
    try:
        parsed = json.loads(text)
    except ValueError:
        raise client.Invalid(f"{text} is not JSON", advice=advice) from None
    if not isinstance(parsed, dict | list):
        raise client.Invalid(f"{text} is not an object of JSON", advice=advice)
    return parsed


def order(text: Sequence[str]) -> dict[str, str]:
    """Parse a sort order: `name` is ascending, `-timestamp` descending."""
    return {field.removeprefix("-"): "desc" if field.startswith("-") else "asc" for field in text}


def size(text: str) -> int:
    """Parse a size: `500M`, `20G`; return bytes. Raises Invalid."""
    try:
        return Size(text)
    except ValueError:
        raise client.Invalid(f"{text!r} is not a size", advice="Write it as 500M or 20G.") from None


def profile_name(text: str) -> str:
    """Raises Invalid for a text that cannot be the name of a profile."""
    if not re.fullmatch(r"[\w.-]{1,64}", text):
        raise client.errors.Invalid(
            f"{text!r} is not a name of a profile", advice="Use letters, digits, dots, - and _."
        )
    return text
