"""The rules of names, and when two names are the same. Nothing here asks the database.

The rules apply to new names. An older name may break them and is found as it is spelled, so that every lookup tries
`spellings`.
"""

from collections.abc import Container
from unicodedata import category, normalize

INVISIBLE = frozenset(
    map(chr, (0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2800, 0x3164, 0xFFA0, *range(0x180B, 0x1810)))
) | frozenset(map(chr, range(0xE0100, 0xE01F0)))
"""Invisible characters of other categories: fillers, blanks and variation selectors."""

REFUSED = {
    "Cc": "a control character",
    "Cf": "an invisible character, or one that changes the direction of text",
    "Cs": "half of a character",
    "Zl": "a line break",
    "Zp": "a line break",
}
"""Refused Unicode categories. Cf holds the zero-width characters and the bidirectional controls."""

BREAKS = frozenset({"Cc", "Cs", "Zl", "Zp"})
"""Unicode categories that no line of text holds."""

DOTS = frozenset({".", ".."})


class NameInvalidError(ValueError):
    """The text is one sentence that says why a name is not allowed."""


def normalized(text: str) -> str:
    """The form in which new names are stored (Unicode NFC)."""
    return normalize("NFC", text)


def spellings(text: str) -> tuple[str, ...]:
    """The spellings that a lookup tries, in this order: as it stands, then normalized."""
    normal = normalized(text)
    return (text,) if normal == text else (text, normal)


def spelling_in(known: Container[str], text: str) -> str:
    """The spelling of `text` that `known` has, else the normalized one."""
    return text if text in known else normalized(text)


def item_name(text: str) -> str:
    """The name of an item, normalized. It may have slashes, such as `facebook/opt-125m`.

    Raises NameInvalidError.
    """
    name = _visible(text)
    if not all(name.split("/")):
        raise NameInvalidError("a slash needs text before and after it")
    if not DOTS.isdisjoint(name.split("/")):
        raise NameInvalidError("`.` and `..` are not names")
    return name


def username(text: str) -> str:
    """The name of a user, normalized. Raises NameInvalidError."""
    name = item_name(text)
    if "/" in name:
        raise NameInvalidError("a slash is not allowed")
    return name


def term(text: str) -> str:
    """A tag or a metadata name, normalized. Raises NameInvalidError."""
    name = _visible(text)
    if name in DOTS:
        raise NameInvalidError("`.` and `..` are not names")
    return name


def _visible(text: str) -> str:
    if text.isascii() and text.isprintable() and text and text == text.strip():  # most names: no table is needed
        return text
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
