"""Who may call a route: its guards declare it, and the document shows it."""

from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPMethod
from typing import TypeVar

from litestar.handlers import BaseRouteHandler

from catalog.errors import ADMINISTRATORS_ONLY, AUTHENTICATION, READ_ONLY_TOKEN, Fault

SAFE = frozenset({HTTPMethod.GET, HTTPMethod.HEAD, HTTPMethod.OPTIONS})

READS = "reads"
"""The option of a route that changes nothing though its method is not safe: tokens that may only read may call it."""

OPTION = "access"
"""The option of a route that checks credentials by itself, without a guard."""

G = TypeVar("G")


@dataclass(frozen=True)
class Access:
    """Who may call a route. `schemes` are names of the document's security schemes; any of them is enough."""

    sentence: str
    schemes: tuple[str, ...] = ()
    faults: tuple[Fault, ...] = ()
    has_scope: bool = False  # whether a personal access token with the scope `read` is refused where it would write

    @property
    def security(self) -> list[dict[str, list[str]]]:
        return [{scheme: []} for scheme in self.schemes]

    def refusals(self, method: str) -> tuple[Fault, ...]:
        """How other callers are refused."""
        of_scope = (READ_ONLY_TOKEN,) if self.has_scope and method.upper() not in SAFE else ()
        return (*self.faults, *of_scope)


USERS = ("jwt", "bearer")

PUBLIC = Access("Anyone, without signing in.")
SIGNED_IN = Access("Any signed-in user, subject to permissions.", USERS, (AUTHENTICATION,), has_scope=True)
ADMINISTRATORS = Access("Administrators of the tenant.", USERS, (AUTHENTICATION, ADMINISTRATORS_ONLY), has_scope=True)
SESSIONS = Access("A signed-in user, with the token of a session, even an expired one.", USERS, (AUTHENTICATION,))
OPERATOR = Access("The operator, with API_TOKEN.", ("operator",), (AUTHENTICATION,))
MONITORING = Access(
    "The operator, with API_TOKEN. With METRICS_ACCESS=loopback also clients on the server's own machine.",
    ("operator",),
    (AUTHENTICATION,),
)


def admits(access: Access) -> Callable[[G], G]:
    """Decorate a guard with what it checks."""

    def marked(guard: G) -> G:
        guard.__dict__[OPTION] = access
        return guard

    return marked


def access_of(handler: BaseRouteHandler) -> Access:
    """Who may call a route, by its guards."""
    for guard in reversed(handler.resolve_guards()):
        if access := vars(guard).get(OPTION):
            return access  # type: ignore[no-any-return]
    return handler.opt.get(OPTION, PUBLIC)  # type: ignore[no-any-return]
