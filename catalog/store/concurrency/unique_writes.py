"""Writes that a unique index may refuse, and the reason.

An index says that a record is in the way, not which. When one looks for it, it may be gone: then nothing is in the way
any more, and the write is tried again.
"""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from catalog.errors import BUSY, Refused
from catalog.store.failures import Duplicate

ATTEMPTS = 20
"""How often a write is tried. Each attempt that fails means that another record came and went."""

T = TypeVar("T")


async def write_unless_taken(write: Callable[[], Awaitable[T]], refusal: Callable[[], Awaitable[Refused | None]]) -> T:
    """The result of `write`.

    When a unique index refuses it, `refusal` looks for the record that is in the way, and returns what is said of it;
    None when there is none.

    Raises Refused: what `refusal` returns, BUSY after ATTEMPTS.
    """
    for _ in range(ATTEMPTS):
        try:
            return await write()
        except Duplicate:
            if refused := await refusal():
                raise refused from None
    raise Refused(BUSY, "others create and remove the same again and again")
