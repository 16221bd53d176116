"""What all results have in common: frozen and typed. Fields that a newer server adds are ignored."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any, Generic, Self, TypeVar

from catalog.client.display import html_table, short_repr

T = TypeVar("T")

Value = str | float | bool
"""The value of a metadata pair."""

Raw = Mapping[str, Any]

NEVER = datetime.fromtimestamp(0, UTC)


class ShortDisplay:
    """Is shown short, in a console and in a notebook."""

    __slots__ = ()

    def __repr__(self) -> str:
        return short_repr(self)

    def _repr_html_(self) -> str:
        return html_table(self)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Result(ShortDisplay):
    """A JSON document of the native API. Attributes have the names of its fields, but `id` stands for `_id`."""

    @classmethod
    def of(cls, raw: Raw) -> Self:
        known = {each.name for each in fields(cls)}
        return cls(**{name: value for name, value in cls._read(raw).items() if name in known and value is not None})

    @classmethod
    def _read(cls, raw: Raw) -> dict[str, Any]:
        return {**raw, "id": raw.get("_id", "")} | {
            name: parse_time(raw[name])
            for name in ("timestamp", "lastmod", "removed", "until", "expires", "used", "moved", "shared")
            if raw.get(name)
        }


@dataclass(frozen=True, slots=True, repr=False)
class Page(ShortDisplay, Generic[T]):
    """One page of a list. `next_cursor` leads to the next page; None on the last one."""

    docs: Sequence[T]
    next_cursor: str | None


def pairs(raw: Raw) -> dict[str, Value]:
    return {pair["name"]: pair["value"] for pair in raw.get("metadata") or ()}


def parse_time(text: str) -> datetime:
    return datetime.fromisoformat(text)
