"""Basic authentication (RFC 7617), for dialects whose clients send it: routes with BASIC in their options.

The name is `username` or `tenant/username`, the password that of the user or a personal access token. Verifying a
password takes as much time as a sign-in, so a verified one is remembered for REMEMBERED seconds, by a keyed hash. It
counts as a session that began when the password was verified: a user who is removed, or whose password changes, is
refused.
"""

import asyncio
import hmac
import secrets
from base64 import b64decode
from collections.abc import Awaitable, Callable
from time import monotonic
from weakref import WeakValueDictionary

from litestar.types import Scope

from catalog.dialects.http.request_log import set_subject
from catalog.dialects.http.requests.client_ip import TrustedProxies
from catalog.dialects.http.requests.headers import raw_header
from catalog.dialects.http.sessions import Sessions, no_other_check
from catalog.domain import naming
from catalog.domain.access import Caller
from catalog.domain.people.authentication import access_tokens, sign_in
from catalog.domain.people.authentication.credentials import LONGEST_PASSWORD, Claims
from catalog.domain.people.authentication.login_throttle import LoginThrottle
from catalog.errors import AUTHENTICATION, Refused
from catalog.store.caches import AnswerCache
from catalog.store.clock import now

BASIC = "basic"
"""The option of routes that take Basic authentication."""

TENANT_HEADER = "tenant_header"
"""The option of routes that names the header in which a client says the tenant. Its value is in lower case."""

REMEMBERED = 60.0  # seconds
MOST = 10_000

SCHEME = "basic "


class Passwords:
    """Turns names and passwords into callers."""

    def __init__(self, sessions: Sessions, throttle: LoginThrottle, proxies: TrustedProxies, tenant: str) -> None:
        self._sessions = sessions
        self._throttle = throttle
        self._proxies = proxies
        self._default_tenant = tenant
        self._key = secrets.token_bytes(32)
        self._verified: AnswerCache[Claims] = AnswerCache(MOST)
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def read(self, scope: Scope, authorization: str, check: Callable[[], None]) -> Awaitable[Caller] | None:
        """The user of a header `Basic ...` on a route that takes it; None for any other header or route."""
        options = scope["route_handler"].opt
        if BASIC not in options or not is_basic(authorization):
            return None
        header = str(options.get(TENANT_HEADER, "")).encode()
        tenant = (raw_header(scope["headers"], header) if header else None) or b""
        return self.caller(scope, authorization, tenant.decode("latin-1"), check)

    async def caller(
        self, scope: Scope, authorization: str, tenant: str = "", check: Callable[[], None] = no_other_check
    ) -> Caller:
        """The user of a header `Basic ...`. `tenant` is that of a name without one; empty: the default tenant.

        Raises Refused: AUTHENTICATION, TOO_MANY_ATTEMPTS.
        """
        name, password = _pair(authorization)
        named, slash, username = name.rpartition("/")
        if of_token := access_tokens.tenant_of(password):
            caller = await self._sessions.caller(password, check=check)
            if username not in {"", caller.username} or (slash and named != of_token):
                raise Refused(AUTHENTICATION, "The token is that of another user")
            return caller
        claims = await self._claims(scope, named or tenant or self._default_tenant, username, password)
        return await self._sessions.caller_of(claims, check)

    async def _claims(self, scope: Scope, tenant: str, username: str, password: str) -> Claims:
        text = f"{tenant}\0{username}\0{password}".encode(errors="surrogatepass")
        key = hmac.digest(self._key, text, "sha256").hex()
        async with self._locks.setdefault(key, asyncio.Lock()):  # requests that arrive together verify it once
            claims = self._verified.get(key, REMEMBERED)
            if claims is None:
                verified = monotonic()
                claims = await self._verify(scope, tenant, username, password)
                self._verified.put(key, claims, verified)
        return claims

    async def _verify(self, scope: Scope, name: str, username: str, password: str) -> Claims:
        began = now().timestamp()
        address, account = self._proxies.client_ip(scope), naming.normalized(username)
        async with self._throttle.password_attempt(name, account, address):
            tenant = await self._sessions.tenant(name)
            set_subject(scope, tenant, username[:LONGEST_PASSWORD])
            user = await sign_in.sign_in(tenant, username, password)
        if tenant is None:
            raise Refused(AUTHENTICATION, "Incorrect tenant")
        self._sessions.forget(name, user["_id"])  # what was cached a moment ago may refuse what is verified now
        return Claims(user["_id"], tenant.name, began, began + REMEMBERED, tenant.generation)


def is_basic(authorization: str) -> bool:
    return authorization[: len(SCHEME)].lower() == SCHEME


def _pair(authorization: str) -> tuple[str, str]:
    """Raises Refused: AUTHENTICATION."""
    try:
        text = b64decode(authorization[len(SCHEME) :].strip(), validate=True).decode()
    except ValueError:
        raise Refused(AUTHENTICATION, "The header Authorization is not Basic of RFC 7617") from None
    name, colon, password = text.partition(":")
    if not colon:
        raise Refused(AUTHENTICATION, "The header Authorization is not Basic of RFC 7617")
    return name, password
