"""Links: whoever has one fetches one file for a while, without a token.

A link is signed with a key of its own. It says who made it, and is worth what he may read: it dies with the
version, the item, the tenant or its maker's right to read.
"""

import hmac
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import jwt
from bson import ObjectId
from bson.errors import InvalidId

from catalog.domain.access import Caller, may_read
from catalog.domain.body_fields import Form
from catalog.domain.files.filenames import LONGEST_PATH
from catalog.domain.versions import versions
from catalog.domain.versions.drafts import file_at
from catalog.errors import LINK_INVALID, NOT_CREATED, Refused
from catalog.store.database import Tenant
from catalog.store.documents import now
from catalog.store.tenant_documents import Raw
from catalog.vocabulary import Kind, Role, VersionState

FIELDS = frozenset({"expires_in", "path"})
SHORTEST = 1
LONGEST = 86_400
USUAL = 300
"""Seconds that a link lives."""

CLAIMS = ("sub", "tenant", "version", "path", "exp")


class Link(NamedTuple):
    token: str
    expires: datetime


class Aim(NamedTuple):
    """What a link leads to. Without a `path` it is the whole version."""

    tenant: str
    user: ObjectId  # who made it
    version: ObjectId
    path: str
    generation: str = ""  # of the tenant; older links do not say it


def derived_key(secret: str, purpose: str) -> bytes:
    """A key for one purpose alone, so that nothing signed for it serves for another."""
    return hmac.digest(secret.encode(), f"catalog: {purpose}".encode(), "sha256")


class Links:
    """Signs links and reads them."""

    def __init__(self, secret: str) -> None:
        self._key = derived_key(secret, "links")

    def sign(self, aim: Aim, expires: datetime) -> str:
        claims = {"sub": str(aim.user), "tenant": aim.tenant, "version": str(aim.version), "path": aim.path}
        claims |= {"generation": aim.generation} if aim.generation else {}
        return jwt.encode({**claims, "exp": expires.timestamp()}, self._key, algorithm="HS256")

    def read(self, token: str) -> Aim:
        """Raises Refused: LINK_INVALID, and never says why."""
        try:
            claims = jwt.decode(token, self._key, algorithms=["HS256"], options={"require": list(CLAIMS)})
            maker, version = ObjectId(claims["sub"]), ObjectId(claims["version"])
            return Aim(claims["tenant"], maker, version, claims["path"], claims.get("generation", ""))
        except (jwt.InvalidTokenError, InvalidId, TypeError, ValueError, OverflowError, RecursionError):
            raise Refused(LINK_INVALID) from None


async def make(links: Links, tenant: Tenant, kind: Kind, key: str, which: str, body: Any, caller: Caller) -> Link:
    """A link to a version that the caller may read: `{expires_in: seconds, path: of one file of several}`.

    Raises Refused: NOT_FOUND, CANNOT_READ, QUARANTINED, VERSION_DRAFT, NOT_CREATED.
    """
    form = Form(body, NOT_CREATED, FIELDS)
    seconds = body.get("expires_in", USUAL)
    if not isinstance(seconds, int) or isinstance(seconds, bool) or not SHORTEST <= seconds <= LONGEST:
        form.refuse(f"expires_in: {SHORTEST} to {LONGEST} seconds are possible")
    path = form.text("path", LONGEST_PATH) or ""
    version = await versions.openable(tenant, kind, key, which, caller)
    versions.refuse_draft(version)
    if path:
        file_at(version, path)
    expires = now() + timedelta(seconds=seconds)
    aim = Aim(tenant.name, caller.user, version["_id"], path, tenant.generation)
    return Link(links.sign(aim, expires), expires)


async def follow(tenant: Tenant, aim: Aim) -> Raw:
    """The version that a link leads to.

    Raises Refused: LINK_INVALID, whatever has become of it.
    """
    version = await _version(tenant, aim) if aim.generation in {"", tenant.generation} else None
    if version is None:
        raise Refused(LINK_INVALID)
    return version


async def _version(tenant: Tenant, aim: Aim) -> Raw | None:
    version: Raw | None = await tenant.versions.raw.find_one({"_id": aim.version})
    if version is None or version["state"] not in {VersionState.LIVE, VersionState.ARCHIVED}:
        return None
    item = await tenant.items(Kind(version["kind"])).raw.find_one({"_id": version["item"]})
    maker = await tenant.users.raw.find_one({"_id": aim.user}, {"username": 1, "role": 1})
    if item is None or maker is None:
        return None
    caller = Caller(tenant, maker["_id"], maker["username"], Role(maker["role"]))
    return version if may_read(caller, item) else None
