"""Who are you: from the Authorization header to a caller.

A user's standing and a personal access token are remembered for some seconds (FRESH), so whoever
is removed, gets another role or another password, and a token that is revoked, is out within that
time on every server. So is a request of theirs that had begun: a caller's handle of the tenant looks again before it
writes (see `store.fence`). What is remembered of one generation of a tenant says nothing in the next.
"""

from collections.abc import Awaitable, Callable, Hashable
from time import monotonic
from typing import Generic, NamedTuple, TypeVar

from bson import ObjectId
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Receive, ReceiveMessage, Send
from litestar.types import Scope as Connection

from catalog.dialects.http.request_log import wanted
from catalog.domain.access import Caller, permits
from catalog.domain.people import access_tokens
from catalog.domain.people.credentials import Claims, Tokens, has_ended
from catalog.domain.tenants import tenants
from catalog.errors import AUTHENTICATION, READ_ONLY_TOKEN, Refused
from catalog.store.caches import AnswerCache
from catalog.store.database import Database, Tenant
from catalog.store.documents import now
from catalog.store.fence import FRESH, Fence
from catalog.store.records import AccessTokenRecord, UserRecord
from catalog.vocabulary import Role, Scope

T = TypeVar("T")

SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}

REMEMBERED = 10_000

SCHEMES = ("bearer ", "jwt ")


class Remembered(NamedTuple, Generic[T]):
    """A record of one generation of a tenant."""

    generation: str
    record: T


class Script(NamedTuple):
    """What a personal access token says."""

    tenant: str
    digest: str


def nothing_else() -> None:
    """Look at nothing but the credentials."""


class Sessions:
    """Turns tokens into callers."""

    def __init__(self, database: Database, tokens: Tokens) -> None:
        self._database = database
        self._tokens = tokens
        self._tenants: AnswerCache[Tenant] = AnswerCache(REMEMBERED)
        self._users: AnswerCache[Remembered[UserRecord]] = AnswerCache(REMEMBERED)
        self._access_tokens: AnswerCache[Remembered[AccessTokenRecord]] = AnswerCache(REMEMBERED)

    async def caller(
        self, authorization: str, *, for_renewal: bool = False, also: Callable[[], None] = nothing_else
    ) -> Caller:
        """Whoever the token in an Authorization header was issued to. A personal access token is not renewed.

        What the caller writes later is refused when the token would no longer be worth the same, or when `also` raises.

        Raises Refused: AUTHENTICATION.
        """
        token = bare(authorization)
        credential: Claims | Script
        if name := access_tokens.tenant_of(token):
            if for_renewal:
                raise Refused(AUTHENTICATION, "A personal access token is not renewed")
            credential = Script(name, access_tokens.digest(token))
        else:
            credential = self._tokens.read(token, for_renewal=for_renewal)
        first = await self._look(credential, FRESH)

        async def look_again(age: float) -> None:
            also()
            if _worth(await self._look(credential, age)) != _worth(first):
                raise Refused(AUTHENTICATION, "Your rights have changed meanwhile, please sign in again")

        tenant = first.tenant.of_caller(Fence(look_again, permits(first.scope)))
        return Caller(tenant, first.user, first.username, first.role, first.scope, first.token)

    async def _look(self, credential: Claims | Script, age: float) -> Caller:
        """The caller, as the database said at most `age` seconds ago. An expiry is looked at by who read the token."""
        if isinstance(credential, Script):
            return await self._script(credential, age)
        tenant = await self.tenant(credential.tenant, age)
        user = await self._user(tenant, credential.user, age) if tenant else None
        if tenant is None or user is None or _is_of_another(tenant, credential):
            raise Refused(AUTHENTICATION, "The token is no longer valid, please sign in again")
        if has_ended(user, credential.issued):
            raise Refused(AUTHENTICATION, "The token is no longer valid, please sign in again")
        return Caller(tenant, user["_id"], user["username"], Role(user["role"]))

    async def _script(self, script: Script, age: float) -> Caller:
        """Whoever made a personal access token."""
        tenant = await self.tenant(script.tenant, age)
        token = await self._access_token(tenant, script.digest, age) if tenant else None
        user = await self._user(tenant, token["user"], age) if tenant and token else None
        if tenant is None or token is None or user is None or has_ended(user, token["timestamp"].timestamp()):
            raise Refused(AUTHENTICATION, "The token is not valid, or was revoked")
        if token["expires"] <= now():
            raise Refused(AUTHENTICATION, "The token has expired, please make another")
        scope = access_tokens.scope_of(token)
        return Caller(tenant, user["_id"], user["username"], Role(user["role"]), scope, token["_id"])

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
        """Ask the database again at once about a user who was changed here, or about a tenant that was."""
        self._tenants.forget(tenant)
        self._users.forget((tenant, user))

    def forget_access_token(self, tenant: str, digest: str) -> None:
        """Ask the database again at once about a token that was revoked here."""
        self._access_tokens.forget((tenant, digest))

    async def _access_token(self, tenant: Tenant, digest: str, age: float) -> AccessTokenRecord | None:
        return await self._known(self._access_tokens, tenant, digest, age, lambda: access_tokens.find(tenant, digest))

    async def _user(self, tenant: Tenant, user: ObjectId, age: float) -> UserRecord | None:
        fields = {"username": 1, "role": 1, "signed_out": 1}
        return await self._known(
            self._users, tenant, user, age, lambda: tenant.users.records.find_one({"_id": user}, fields)
        )

    async def _known(
        self,
        cache: AnswerCache[Remembered[T]],
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
            cache.put((tenant.name, key), Remembered(tenant.generation, found), asked)
        return found


def _worth(caller: Caller) -> tuple[str, str, Role, Scope | None]:
    """What must be the same when it is looked at again."""
    return caller.tenant.generation, caller.username, caller.role, caller.scope


def _is_of_another(tenant: Tenant, claims: Claims) -> bool:
    """Whether a token was issued in another generation of the tenant. Older versions did not say in which.

    Theirs may be of the second in which the tenant was made. Between two generations there are LINGERING.
    """
    if claims.generation is not None:
        return claims.generation != tenant.generation
    created = tenant.known.created
    return created is not None and claims.issued + 1 < created.timestamp()


def bare(authorization: str) -> str:
    """The token of `Bearer <token>`, `JWT <token>` or `<token>`."""
    for scheme in SCHEMES:
        if authorization[: len(scheme)].lower() == scheme:
            return authorization[len(scheme) :].strip()
    return authorization.strip()


class Authentication(ASGIMiddleware):
    """Sets the caller of each request, or None without a token. Routes with `public` in their `opt` are left alone.

    Here is also where a token that may only read is stopped, and where the caller is looked at again as the body comes.
    """

    exclude_opt_key = "public"

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    async def handle(self, scope: Connection, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        authorization = next((value for name, value in scope["headers"] if name == b"authorization"), None)
        if authorization is None:
            scope["user"] = None
            await next_app(scope, receive, send)
            return
        also = wanted(scope).refuse_vanished
        caller = await self._sessions.caller(authorization.decode("latin-1"), also=also)
        if not caller.may_write and scope.get("method") not in SAFE_METHODS:
            raise Refused(READ_ONLY_TOKEN)
        scope["user"] = caller
        await next_app(scope, watched(receive, caller), send)


def watched(receive: Receive, caller: Caller) -> Receive:
    """Refuse a body whose sender loses the right to send it: while it comes, and once more when it is whole."""
    fence = caller.tenant.fence

    async def receiving() -> ReceiveMessage:
        message = await receive()
        if fence and message["type"] == "http.request":
            await (fence.keep() if message["more_body"] else fence.look())
        return message

    return receiving
