"""Who are you: from the Authorization header to a caller.

A user's standing and a personal access token are remembered for some seconds (FRESH), so whoever
is removed, gets another role or another password, and a token that is revoked, is out within that
time on every server.
"""

from collections import OrderedDict
from collections.abc import Hashable
from time import monotonic
from typing import Generic, TypeVar

from bson import ObjectId
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Receive, Scope, Send

from catalog.domain import access_tokens, tenants
from catalog.domain.access import Caller
from catalog.domain.credentials import Tokens, has_ended
from catalog.domain.tenants import FRESH
from catalog.errors import AUTHENTICATION, READ_ONLY_TOKEN, Refused
from catalog.store.database import Database, Tenant
from catalog.store.documents import now
from catalog.store.seam import Raw
from catalog.vocabulary import Role

T = TypeVar("T")

SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}

REMEMBERED = 10_000

SCHEMES = ("bearer ", "jwt ")


class Recent(Generic[T]):
    """What was learnt lately. The oldest is forgotten first."""

    def __init__(self) -> None:
        self._known: OrderedDict[Hashable, tuple[float, T]] = OrderedDict()

    def get(self, key: Hashable) -> T | None:
        learnt, value = self._known.get(key, (0.0, None))
        return value if monotonic() - learnt < FRESH else None

    def learn(self, key: Hashable, value: T) -> None:
        self._known[key] = monotonic(), value
        self._known.move_to_end(key)
        if len(self._known) > REMEMBERED:
            self._known.popitem(last=False)

    def forget(self, key: Hashable) -> None:
        self._known.pop(key, None)


class Sessions:
    """Turns tokens into callers."""

    def __init__(self, database: Database, tokens: Tokens) -> None:
        self._database = database
        self._tokens = tokens
        self._tenants: Recent[Tenant] = Recent()
        self._users: Recent[Raw] = Recent()
        self._access_tokens: Recent[Raw] = Recent()

    async def caller(self, authorization: str, *, for_renewal: bool = False) -> Caller:
        """Whoever the token in an Authorization header was issued to. A personal access token is not renewed.

        Raises Refused: AUTHENTICATION.
        """
        token = bare(authorization)
        if name := access_tokens.tenant_of(token):
            if for_renewal:
                raise Refused(AUTHENTICATION, "A personal access token is not renewed")
            return await self._script(name, access_tokens.digest(token))
        claims = self._tokens.read(token, for_renewal=for_renewal)
        tenant = await self.tenant(claims.tenant)
        user = await self._user(tenant, claims.user) if tenant else None
        if tenant is None or user is None or has_ended(user, claims.issued):
            raise Refused(AUTHENTICATION, "The token is no longer valid, please sign in again")
        return Caller(tenant, user["_id"], user["username"], Role(user["role"]))

    async def _script(self, name: str, digest: str) -> Caller:
        """Whoever made a personal access token."""
        tenant = await self.tenant(name)
        token = await self._access_token(tenant, digest) if tenant else None
        user = await self._user(tenant, token["user"]) if tenant and token else None
        if tenant is None or token is None or user is None or has_ended(user, token["timestamp"].timestamp()):
            raise Refused(AUTHENTICATION, "The token is not valid, or was revoked")
        if token["expires"] <= now():
            raise Refused(AUTHENTICATION, "The token has expired, please make another")
        return Caller(tenant, user["_id"], user["username"], Role(user["role"]), access_tokens.scope_of(token))

    async def tenant(self, name: str) -> Tenant | None:
        known = self._tenants.get(name)
        if known is None:
            known = await tenants.enter(self._database, name)
            if known is not None:
                self._tenants.learn(name, known)
        return known

    def issue(self, user: ObjectId, tenant: str) -> str:
        return self._tokens.issue(user, tenant)

    def forget(self, tenant: str, user: ObjectId | None = None) -> None:
        """Ask the database again at once about a user who was changed here, or about a tenant that was."""
        self._tenants.forget(tenant)
        self._users.forget((tenant, user))

    def forget_access_token(self, tenant: str, digest: str) -> None:
        """Ask the database again at once about a token that was revoked here."""
        self._access_tokens.forget((tenant, digest))

    async def _access_token(self, tenant: Tenant, digest: str) -> Raw | None:
        known = self._access_tokens.get((tenant.name, digest))
        if known is None:
            known = await access_tokens.find(tenant, digest)
            if known is not None:
                self._access_tokens.learn((tenant.name, digest), known)
        return known

    async def _user(self, tenant: Tenant, user: ObjectId) -> Raw | None:
        known = self._users.get((tenant.name, user))
        if known is None:
            known = await tenant.users.raw.find_one({"_id": user}, {"username": 1, "role": 1, "signed_out": 1})
            if known is not None:
                self._users.learn((tenant.name, user), known)
        return known


def bare(authorization: str) -> str:
    """The token of `Bearer <token>`, `JWT <token>` or `<token>`."""
    for scheme in SCHEMES:
        if authorization[: len(scheme)].lower() == scheme:
            return authorization[len(scheme) :].strip()
    return authorization.strip()


class Authentication(ASGIMiddleware):
    """Sets the caller of each request, or None without a token. Routes with `public` in their `opt` are left alone.

    Here is also where a token that may only read is stopped.
    """

    exclude_opt_key = "public"

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        authorization = next((value for name, value in scope["headers"] if name == b"authorization"), None)
        caller = await self._sessions.caller(authorization.decode("latin-1")) if authorization else None
        if caller and not caller.may_write and scope.get("method") not in SAFE_METHODS:
            raise Refused(READ_ONLY_TOKEN)
        scope["user"] = caller
        await next_app(scope, receive, send)
