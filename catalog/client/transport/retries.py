"""Which requests are retried, and after how long.

A request is retried only if nothing can happen twice: it was not sent, it is idempotent, or the server says that it did
nothing.
"""

from catalog.client.errors import CatalogError, TooManyAttempts, Unavailable
from catalog.client.transport.effects import Request

ATTEMPTS = 5
FIRST = 0.25
LONGEST = 30.0
"""The longest Retry-After, in seconds, that is waited for; a longer one is raised to the caller."""

NOT_DONE = 110
"""The server's error value for a conflict of concurrent changes: it did nothing."""


def retry_delay(request: Request, error: CatalogError, attempt: int, jitter: float) -> float | None:
    """Seconds until the next attempt, after attempt number `attempt` failed; None: do not retry.

    `chance` (0 to 1) spreads clients that failed at the same moment.
    """
    if not isinstance(error, Unavailable) or not is_repeatable(request, error):
        return None
    return backoff(error, attempt, jitter)


def backoff(error: Unavailable, attempt: int, jitter: float) -> float | None:
    """As `retry_delay`, for a request that is known to be repeatable."""
    requested: float = error.retry_after or 0.0
    if attempt >= ATTEMPTS or requested > LONGEST:
        return None
    return requested + FIRST * 2.0 ** (attempt - 1) * (0.5 + jitter / 2)


def is_repeatable(request: Request, error: Unavailable) -> bool:
    if isinstance(error, TooManyAttempts):
        return False
    if not error.sent or error.value == NOT_DONE:
        return True
    # A conditional PUT that succeeded would fail when repeated.
    return request.method in {"GET", "HEAD"} or (request.method == "PUT" and "If-Match" not in request.headers)
