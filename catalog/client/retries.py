"""When a request is sent once more, and after how long.

Only where nothing can happen twice: it never left, it changes nothing, it says the whole of what shall be, or the
server says that it did nothing.
"""

from catalog.client.effects import Request
from catalog.client.errors import CatalogError, TooManyAttempts, Unavailable

ATTEMPTS = 5
FIRST = 0.25
LONGEST = 30.0
"""Seconds that a server may ask us to wait; if it asks for more, our caller decides."""

NOT_DONE = 110
"""What the server answers when too many changed something at once, and it did nothing."""


def delay(request: Request, error: CatalogError, attempt: int, chance: float) -> float | None:
    """Seconds until the next attempt, after attempt number `attempt` failed; None: there is none.

    `chance` (0 to 1) spreads the clients that failed together.
    """
    if not isinstance(error, Unavailable) or not is_safe(request, error):
        return None
    return wait(error, attempt, chance)


def wait(error: Unavailable, attempt: int, chance: float) -> float | None:
    """As `delay`, of something that may be repeated."""
    asked: float = error.retry_after or 0.0
    if attempt >= ATTEMPTS or asked > LONGEST:
        return None
    return asked + FIRST * 2.0 ** (attempt - 1) * (0.5 + chance / 2)


def is_safe(request: Request, error: Unavailable) -> bool:
    if isinstance(error, TooManyAttempts):
        return False
    if not error.sent or error.value == NOT_DONE:
        return True
    # A PUT with a condition that was carried out would fail when it is repeated.
    return request.method in {"GET", "HEAD"} or (request.method == "PUT" and "If-Match" not in request.headers)
