"""Which names an alias may have: none that could be taken for another way to name a version."""

import re

from catalog.domain.naming import normalized
from catalog.errors import INVALID_FIELD, Refused
from catalog.store.records import ItemRecord

LATEST = "latest"
"""Names the newest version, unless a version has this ordinal."""

LONGEST = 255  # characters

ALLOWED = re.compile(rf"[\w-]{{1,{LONGEST}}}")
NUMBER = re.compile(r"[vV]?-?\d+")


def checked(name: str) -> str:
    """A new alias, normalized. Raises Refused: INVALID_FIELD."""
    name = normalized(name)
    if not ALLOWED.fullmatch(name):
        raise Refused(INVALID_FIELD, f"alias: 1 to {LONGEST} letters, digits, _ and - are allowed")
    if NUMBER.fullmatch(name) or is_latest(name):
        raise Refused(INVALID_FIELD, f"alias: {name} is reserved: numbers, v<number> and {LATEST} are not aliases")
    return name


def is_latest(which: str) -> bool:
    return which.casefold() == LATEST


def same(name: str, ordinal: str) -> bool:
    return name.casefold() == ordinal.casefold()


def equals_an_alias(item: ItemRecord, ordinal: str) -> bool:
    """Whether an ordinal is the name of an alias. Ordinals are compared without regard to case."""
    return any(same(alias["name"], ordinal) for alias in item.get("aliases", ()))
