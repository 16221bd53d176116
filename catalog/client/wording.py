"""Lists in sentences."""

from collections.abc import Sequence

MOST_LISTED = 5


def listed(texts: Sequence[str], most: int = MOST_LISTED) -> str:
    """`a, b, c and 7 more`."""
    more = len(texts) - most
    return ", ".join(texts[:most]) + (f" and {more} more" if more > 0 else "")


def counted(number: int, noun: str) -> str:
    """`1 file`, `2 files`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
