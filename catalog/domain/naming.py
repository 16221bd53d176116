"""What a name may be, and when two are the same. Pure: nothing here asks the database.

The rules are for what is new. What exists already is found as it is spelled, so every lookup tries `spellings`.
"""

from collections.abc import Container
from unicodedata import category, normalize

INVISIBLE = frozenset(
    map(chr, (0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2800, 0x3164, 0xFFA0, *range(0x180B, 0x1810)))
) | frozenset(map(chr, range(0xE0100, 0xE01F0)))
"""Characters of other categories that are not seen either: fillers, blanks and selectors of variants."""

REFUSED = {
    "Cc": "a control character",
    "Cf": "a character that is not seen, or turns the direction of text",
    "Cs": "half of a character",
    "Zl": "a line break",
    "Zp": "a line break",
}
"""By Unicode category. Cf has the zero-width characters and the bidirectional controls."""

DOTS = frozenset({".", ".."})


class NameInvalidError(ValueError):
    """The text says in one sentence why a name cannot be given."""


def normalized(text: str) -> str:
    """The form that new names are kept in (Unicode NFC)."""
    return normalize("NFC", text)


def spellings(text: str) -> tuple[str, ...]:
    """The spellings that a lookup tries, in this order: as it stands, then normalized."""
    normal = normalized(text)
    return (text,) if normal == text else (text, normal)


def spelling_in(known: Container[str], text: str) -> str:
    """The spelling of `text` that `known` has, else the normalized one."""
    return text if text in known else normalized(text)


def folded(text: str) -> str:
    """Equal for names that differ by case, width or composition alone (Unicode's compatibility caseless match)."""
    once = normalize("NFKD", normalize("NFD", text).casefold())
    return normalize("NFKD", once.casefold())


def item_name(text: str) -> str:
    """The name of an item, normalized. It may have slashes, such as `facebook/opt-125m`.

    Raises NameInvalidError.
    """
    name = _visible(text)
    if not all(name.split("/")):
        raise NameInvalidError("a slash needs something before and behind it")
    if not DOTS.isdisjoint(name.split("/")):
        raise NameInvalidError("`.` and `..` stand for places, not for names")
    return name


def username(text: str) -> str:
    """The name of a user, normalized. Raises NameInvalidError."""
    name = item_name(text)
    if "/" in name:
        raise NameInvalidError("a slash is not allowed")
    return name


def term(text: str) -> str:
    """A tag or a name of metadata, normalized. Raises NameInvalidError."""
    label = _visible(text)
    if label in DOTS:
        raise NameInvalidError("`.` and `..` stand for places, not for names")
    return label


def _visible(text: str) -> str:
    name = normalized(text)
    if not name:
        raise NameInvalidError("it must not be empty")
    if name != name.strip():
        raise NameInvalidError("it must not begin or end with a space")
    for sign in name:
        if sign in INVISIBLE or category(sign) in REFUSED:
            what = REFUSED.get(category(sign), REFUSED["Cf"])
            raise NameInvalidError(f"U+{ord(sign):04X} is not allowed, {what}")
    return name
