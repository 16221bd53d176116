"""Sizes in words."""

UNITS = ("B", "KiB", "MiB", "GiB", "TiB")
STEP = 1024  # from a unit to the next


def told(count: int) -> str:
    """A number of bytes, as `1.5 GiB`."""
    size, unit = float(count), 0
    while size >= STEP and unit < len(UNITS) - 1:
        size, unit = size / STEP, unit + 1
    return f"{size:.4g} {UNITS[unit]}"
