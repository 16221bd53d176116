"""How results are shown in a console and in a notebook: short, and without empty fields.

A list has fewer fields of an item than `get`. Fields that were not loaded are left out, not shown as empty.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from html import escape

from msgspec import NODEFAULT, Struct
from msgspec.structs import FieldInfo, fields

LONGEST = 60
"""Characters of a text."""

MOST = 5
"""Elements of a list or a mapping."""

FIRST = ("name", "reference", "ordinal", "username", "path", "id")
"""Fields that name a result; the others follow in their order."""

NOT_SHOWN = {"token", "raw"}
"""Fields that are a secret, or repeat the others."""


def short_repr(result: Struct) -> str:
    """`Model(name='iris', id='...', tags=('flowers',), versions=<3>)`."""
    shown = ", ".join(f"{name}={_short(value)}" for name, value in _shown(result))
    return f"{type(result).__name__}({shown})"


def html_table(result: Struct) -> str:
    """The same as a table; texts of other users are escaped."""
    rows = "".join(f"<tr><th>{escape(name)}</th><td>{escape(_cell(value))}</td></tr>" for name, value in _shown(result))
    return f"<table><caption>{escape(type(result).__name__)}</caption><tbody>{rows}</tbody></table>"


def _shown(result: Struct) -> Iterator[tuple[str, object]]:
    own = [each for each in fields(result) if each.name not in NOT_SHOWN]
    for each in sorted(own, key=lambda each: FIRST.index(each.name) if each.name in FIRST else len(FIRST)):
        value = getattr(result, each.name)
        if value != _default(each) and value not in ("", None):
            yield each.name, value


def _default(each: FieldInfo) -> object:
    return each.default if each.default_factory is NODEFAULT else each.default_factory()


def _short(value: object) -> str:
    match value:
        case str():
            return repr(value if len(value) <= LONGEST else f"{value[:LONGEST]}...")
        case datetime():
            return repr(_moment(value))
        case Mapping():
            shown = [f"{name!r}: {_short(each)}" for name, each in list(value.items())[:MOST]]
            return "{" + ", ".join([*shown, *_more(value)]) + "}"
        case Sequence() if any(isinstance(each, Struct) for each in value):
            return f"<{len(value)}>"
        case Sequence():
            shown = [_short(each) for each in value[:MOST]]
            return "(" + ", ".join([*shown, *_more(value)]) + ("," if len(value) == 1 else "") + ")"
        case _:
            return repr(value)


def _cell(value: object) -> str:
    match value:
        case str():
            return value if len(value) <= MOST * LONGEST else f"{value[: MOST * LONGEST]}..."
        case datetime():
            return _moment(value)
        case Mapping():
            return ", ".join([*(f"{name} = {_cell(each)}" for name, each in list(value.items())[:MOST]), *_more(value)])
        case Sequence():
            return ", ".join([*(_cell(getattr(each, "ordinal", each)) for each in value[-MOST:]), *_more(value)])
        case Struct():
            return short_repr(value)
        case _:
            return str(value)


def _more(value: Mapping[object, object] | Sequence[object]) -> list[str]:
    return [f"... {len(value) - MOST} more"] if len(value) > MOST else []


def _moment(value: datetime) -> str:
    return value.strftime("%Y-%m-%d %H:%M UTC")
