"""Lengths of time and numbers of bytes, as people write and read them."""

import re
from collections.abc import Callable
from datetime import timedelta
from fractions import Fraction
from typing import Self

SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}
BYTES = {"": 1, "k": 2**10, "m": 2**20, "g": 2**30, "t": 2**40}
CENTURY = timedelta(days=36500)
ZERO = ("none", "off", "0", "0s")

UNITS = ("B", "KiB", "MiB", "GiB", "TiB")
STEP = 1024  # from a unit to the next


class Duration(timedelta):
    """A length of time that remembers how it was written: `30m`, `12h`, `7d`; a bare number is seconds."""

    text: str

    def __new__(cls, text: str) -> Self:
        """Raises ValueError, also for no time at all and for more than a century."""
        written = re.fullmatch(r"([0-9]{1,9})([smhd]?)", text)
        length = timedelta(seconds=int(written[1]) * SECONDS[written[2]]) if written else timedelta()
        if not timedelta() < length <= CENTURY:
            raise ValueError("should be a duration such as 45s, 30m, 12h or 7d (a bare number is seconds)")
        return cls._of(length, text)

    @classmethod
    def or_zero(cls, text: str) -> Self:
        """As the constructor, and `0`, `none` or `off` for no time at all."""
        return cls._of(timedelta(), text) if text in ZERO else cls(text)

    @classmethod
    def _of(cls, length: timedelta, text: str) -> Self:
        duration = super().__new__(cls, seconds=length.total_seconds())
        duration.text = text
        return duration

    def __reduce__(self) -> tuple[Callable[[str], "Duration"], tuple[str]]:
        return Duration.or_zero, (self.text,)


class Size(int):
    """A number of bytes that remembers how it was written: `500K`, `1.5G`, `2TiB`; a bare number is bytes."""

    text: str

    def __new__(cls, text: str) -> Self:
        """Raises ValueError."""
        written = re.fullmatch(r"([0-9]{1,15}(?:\.[0-9]{1,9})?)([kmgt]?)(?:i?b)?", text.lower())
        if not written:
            raise ValueError("should be a size such as 500K, 20M or 10G (a bare number is bytes; 0 is no limit)")
        size = super().__new__(cls, Fraction(written[1]) * BYTES[written[2]])
        size.text = text
        return size

    def __reduce__(self) -> tuple[Callable[[str], "Size"], tuple[str]]:
        return Size, (self.text,)


def human_size(count: int) -> str:
    """A number of bytes for people: `1.5 GiB`."""
    size, unit = float(count), 0
    while size >= STEP and unit < len(UNITS) - 1:
        size, unit = size / STEP, unit + 1
    return f"{size:.4g} {UNITS[unit]}"
