"""Untrusted JSON: its values are counted before it is parsed, and numbers that take long to parse stay texts."""

import json

from catalog.inspection.formats.window import MalformedError

LONGEST_INTEGER = 20
"""Characters: 64 bits have no more digits, with the sign."""

LONGEST_FLOAT = 32


class Repeated(dict[str, object]):
    """An object that has a key more than once."""


def values(text: bytes) -> int:
    """At most how many values a JSON text has, whether it is well-formed or not."""
    return 1 + text.count(b",") + text.count(b"[") + text.count(b"{")


def parsed(text: bytes, most: int, over: type[Exception]) -> object:
    """The value of a JSON text of at most `most` values.

    An object with a key twice is a `Repeated`. Raises MalformedError, and `over` where there are more values.
    """
    _counted(text, most, over)
    try:
        return json.loads(
            text.decode(), parse_int=_integer, parse_float=_number, parse_constant=_refused, object_pairs_hook=_object
        )
    except (ValueError, RecursionError) as failure:
        raise MalformedError(f"its header is no JSON: {str(failure)[:100]}") from None


def parsed_as_python_does(text: bytes, most: int, over: type[Exception]) -> object:
    """The same for all that the reader of Python accepts: other encodings, `NaN`, numbers of any length as texts.

    Raises MalformedError, and `over` where there are more values or levels.
    """
    _counted(text, most, over)
    try:
        return json.loads(text, parse_int=str, parse_float=str)
    except RecursionError:
        raise over("JSON of too many levels") from None
    except ValueError as failure:
        raise MalformedError(f"it is no JSON: {str(failure)[:100]}") from None


def _counted(text: bytes, most: int, over: type[Exception]) -> None:
    count = values(text)
    if count > most:
        raise over(f"JSON of {count} values; up to {most} are read")


def _integer(digits: str) -> int:
    if len(digits) > LONGEST_INTEGER:
        raise ValueError(f"an integer of {len(digits)} digits")
    return int(digits)


def _number(digits: str) -> float:
    if len(digits) > LONGEST_FLOAT:
        raise ValueError(f"a number of {len(digits)} digits")
    return float(digits)


def _refused(word: str) -> None:
    raise ValueError(f"{word} is no JSON")


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    return found if len(found) == len(pairs) else Repeated(found)
