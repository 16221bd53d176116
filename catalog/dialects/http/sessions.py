"""Authentication: from the Authorization header to a caller.

The user and the personal access token of a caller are cached for some seconds (FRESH). A user who is removed, leaves a
group, or gets another role or password, and a token that is revoked, therefore lose access within that time on every
server. So do requests that had begun: the caller's handle of the tenant checks again before it writes (see
`store.concurrency.fence`). A cached record of one generation of a tenant is not used for the next.
"""

from collections.abc import Awaitable, Callable, Hashable
from time import monotonic
from typing import Generic, NamedTuple, TypeVar

from bson import ObjectId
from litestar.types import ASGIApp, Receive, ReceiveMessage, Send
from litestar.types import Scope as Connection

from catalog.dialects.http.access import READS, SAFE
from catalog.dialects.http.requests.cancellation import cancellation
from catalog.dialects.http.requests.headers import raw_header
from catalog.domain.access import CALLER_FIELDS, Caller, permits
from catalog.domain.people.authentication import access_tokens
from catalog.domain.people.authentication.credentials import Claims, SessionTokens, has_ended
from catalog.domain.tenants import tenants
from catalog.errors import AUTHENTICATION, READ_ONLY_TOKEN, Refused
from catalog.store.caches import AnswerCache
from catalog.store.clock import Clock, now
from catalog.store.concurrency.fence import FRESH, Fence
from catalog.store.database import Database
from catalog.store.records import AccessTokenRecord, UserRecord
from catalog.store.tenant import Tenant

T = TypeVar("T")

REMEMBERED = 10_000

USER_FIELDS = {**CALLER_FIELDS, "signed_out": 1}

SCHEMES = ("bearer ", "jwt ")


class CachedRecord(NamedTuple, Generic[T]):
    """A record of one generation of a tenant."""

    generation: str
    record: T


class AccessTokenClaims(NamedTuple):
    """The content of a personal access token."""

    tenant: str
    digest: str


def no_other_check() -> None:
    """Check only the credentials."""


class Sessions:
    """Turns tokens into callers."""

    def __init__(self, database: Database, tokens: SessionTokens, clock: Clock = now) -> None:
        self._database = database
        self._tokens = tokens
        self._now = clock
        self._tenants: AnswerCache[Tenant] = AnswerCache(REMEMBERED)
        self._users: AnswerCache[CachedRecord[UserRecord]] = AnswerCache(REMEMBERED)
        self._access_tokens: AnswerCache[CachedRecord[AccessTokenRecord]] = AnswerCache(REMEMBERED)

    async def caller(
        self, authorization: str, *, for_renewal: bool = False, check: Callable[[], None] = no_other_check
    ) -> Caller:
        """The user to whom the token in an Authorization header was issued. A personal access token is not renewed.

        Later writes of the caller are refused when the token no longer gives the same rights, or when `check` raises.

        Raises Refused: AUTHENTICATION.
        """
        token = bare_token(authorization)
        credential: Claims | AccessTokenClaims
        if name := access_tokens.tenant_of(token):
            if for_renewal:
                raise Refused(AUTHENTICATION, "A personal access token is not renewed")
            credential = AccessTokenClaims(name, access_tokens.digest(token))
        else:
            credential = self._tokens.read(token, for_renewal=for_renewal)
        return await self.caller_of(credential, check)

    async def caller_of(
        self, credential: Claims | AccessTokenClaims, check: Callable[[], None] = no_other_check
    ) -> Caller:
        """The user whom verified credentials name. Later writes are refused as `caller` says.

        Raises Refused: AUTHENTICATION.
        """
        first = await self._read_caller(credential, FRESH)

        async def check_again(age: float) -> None:
            check()
            if not _has_rights_of(first, await self._read_caller(credential, age)):
                raise Refused(AUTHENTICATION, "Your rights have changed meanwhile, please sign in again")

        tenant = first.tenant.of_caller(Fence(check_again, permits(first.scope)))
        return first.through(tenant)

    async def _read_caller(self, credential: Claims | AccessTokenClaims, age: float) -> Caller:
        """The caller, as the database answered at most `age` seconds ago. The expiry of a session is checked before."""
        if isinstance(credential, AccessTokenClaims):
            return await self._owner_of_token(credential, age)
        tenant = await self.tenant(credential.tenant, age)
        user = await self._user(tenant, credential.user, age) if tenant else None
        if tenant is None or user is None or _is_of_another(tenant, credential):
            raise Refused(AUTHENTICATION, "The token is no longer valid, please sign in again")
        if has_ended(user, credential.issued):
            raise Refused(AUTHENTICATION, "The token is no longer valid, please sign in again")
        return Caller.of(tenant, user)

    async def _owner_of_token(self, claims: AccessTokenClaims, age: float) -> Caller:
        """The user who created a personal access token."""
        tenant = await self.tenant(claims.tenant, age)
        token = await self._access_token(tenant, claims.digest, age) if tenant else None
        user = await self._user(tenant, token["user"], age) if tenant and token else None
        if tenant is None or token is None or user is None or has_ended(user, token["timestamp"].timestamp()):
            raise Refused(AUTHENTICATION, "The token is not valid, or was revoked")
        if token["expires"] <= self._now():
            raise Refused(AUTHENTICATION, "The token has expired, please make another")
        return Caller.of(tenant, user, access_tokens.scope_of(token), token["_id"])

    async def tenant(self, name: str, age: float = FRESH) -> Tenant | None:
        known = self._tenants.get(name, age)
        if known is None:
            asked = monotonic()
            known = await tenants.enter(self._database, name)
            if known is not None:
                self._tenants.put(name, known, asked)
        return known

    def issue(self, user: ObjectId, tenant: Tenant) -> str:
        return self._tokens.issue(user, tenant.name, tenant.generation)

    def forget(self, tenant: str, user: ObjectId | None = None) -> None:
        """Ask the database again at the next request, after a user or a tenant was changed here."""
        self._tenants.forget(tenant)
        self._users.forget((tenant, user))

    def forget_access_token(self, tenant: str, digest: str) -> None:
        """Ask the database again at the next request, after a token was revoked here."""
        self._access_tokens.forget((tenant, digest))

    async def _access_token(self, tenant: Tenant, digest: str, age: float) -> AccessTokenRecord | None:
        return await self._cached(self._access_tokens, tenant, digest, age, lambda: access_tokens.find(tenant, digest))

    async def _user(self, tenant: Tenant, user: ObjectId, age: float) -> UserRecord | None:
        return await self._cached(
            self._users, tenant, user, age, lambda: tenant.users.records.find_one({"_id": user}, USER_FIELDS)
        )

    async def _cached(
        self,
        cache: AnswerCache[CachedRecord[T]],
        tenant: Tenant,
        key: Hashable,
        age: float,
        ask: Callable[[], Awaitable[T | None]],
    ) -> T | None:
        """The cached record of this generation of a tenant, else what the database answers."""
        known = cache.get((tenant.name, key), age)
        if known is not None and known.generation == tenant.generation:
            return known.record
        asked = monotonic()
        found = await ask()
        if found is not None:
            cache.put((tenant.name, key), CachedRecord(tenant.generation, found), asked)
        return found


def _has_rights_of(first: Caller, now: Caller) -> bool:
    """Whether a caller who is checked again has all rights that the first check found."""
    same = (first.tenant.generation, first.username, first.role, first.scope, first.reach)
    later = (now.tenant.generation, now.username, now.role, now.scope, now.reach)
    return same == later and first.groups <= now.groups


def _is_of_another(tenant: Tenant, claims: Claims) -> bool:
    """Whether a token was issued in another generation of the tenant. Older versions did not say in which.

    Theirs may be of the second in which the tenant was made. Between two generations there are LINGERING.
    """
    if claims.generation is not None:
        return claims.generation != tenant.generation
    created = tenant.policy.created
    return created is not None and claims.issued + 1 < created.timestamp()


def bare_token(authorization: str) -> str:
    """The token of `Bearer <token>`, `JWT <token>` or `<token>`."""
    for scheme in SCHEMES:
        if authorization[: len(scheme)].lower() == scheme:
            return authorization[len(scheme) :].strip()
    return authorization.strip()


OtherSchemes = Callable[[Connection, str, Callable[[], None]], Awaitable[Caller] | None]
"""Reads an Authorization header of a scheme that only some routes take. None: it is none."""


class Authentication:
    """Sets the caller of each request, or None without a token. Routes with `public` in their `opt` are skipped.

    It also refuses writes with a token that may only read, and checks the caller again while the body arrives.
    """

    def __init__(self, app: ASGIApp, sessions: Sessions, other_schemes: OtherSchemes | None = None) -> None:
        self._app = app
        self._sessions = sessions
        self._other_schemes = other_schemes

    async def __call__(self, scope: Connection, receive: Receive, send: Send) -> None:
        options = scope["route_handler"].opt
        if options.get("public"):
            await self._app(scope, receive, send)
            return
        authorization = raw_header(scope["headers"], b"authorization")
        if authorization is None:
            scope["user"] = None
            await self._app(scope, receive, send)
            return
        check = cancellation(scope).refuse_client_gone
        header = authorization.decode("latin-1")
        other = self._other_schemes(scope, header, check) if self._other_schemes else None
        caller = await (other or self._sessions.caller(header, check=check))
        if not caller.may_write and scope.get("method") not in SAFE and READS not in options:
            raise Refused(READ_ONLY_TOKEN)
        scope["user"] = caller
        await self._app(scope, check_while_receiving(receive, caller), send)


def check_while_receiving(receive: Receive, caller: Caller) -> Receive:
    """Refuse a body whose sender loses the right to send it: while it arrives, and again when it is complete."""
    fence = caller.tenant.fence

    async def receiving() -> ReceiveMessage:
        message = await receive()
        if fence and message["type"] == "http.request":
            await (fence.keep() if message["more_body"] else fence.look())
        return message

    return receiving
