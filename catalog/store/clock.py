"""The time, as the database stores it, and how far clocks may differ."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

Clock = Callable[[], datetime]

Sleep = Callable[[float], Awaitable[object]]
"""Waits for some seconds."""


def now() -> datetime:
    """The time, cut to milliseconds as the database stores it."""
    moment = datetime.now(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def later_than(moment: datetime) -> datetime:
    """Now, but after `moment`: two changes in a row have different times."""
    return max(now(), moment + timedelta(milliseconds=1))


AHEAD = timedelta(minutes=10)
"""How far the clocks of servers may differ. A moment further in the future comes from a clock that was wrong."""
