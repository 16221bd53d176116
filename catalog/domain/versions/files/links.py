"""Links: anyone who has one downloads one file for a while, without a token.

A link is signed with a key of its own. It names its maker, and opens what that user may read: it ends with the version,
the item, the tenant or the maker's right to read.
"""

import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta

import jwt
from bson import ObjectId

from catalog.domain.access import CALLER_FIELDS, Caller, may_read
from catalog.domain.items.references import Reference
from catalog.domain.versions import reading
from catalog.domain.versions.files import version_files
from catalog.errors import LINK_INVALID, Refused
from catalog.store.clock import now
from catalog.store.ids import parse_id
from catalog.store.records import VersionRecord
from catalog.store.tenant import Tenant
from catalog.vocabulary import Kind, VersionState

SHORTEST = timedelta(seconds=1)
LONGEST = timedelta(days=1)
USUAL = timedelta(minutes=5)
"""How long a link lives."""

CLAIMS = ("sub", "tenant", "version", "path", "exp")


@dataclass(frozen=True, slots=True)
class SignedLink:
    token: str
    expires: datetime


@dataclass(frozen=True, slots=True)
class LinkTarget:
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

    def sign(self, target: LinkTarget, expires: datetime) -> str:
        claims = {
            "sub": str(target.user),
            "tenant": target.tenant,
            "version": str(target.version),
            "path": target.path,
        }
        claims |= {"generation": target.generation} if target.generation else {}
        return jwt.encode({**claims, "exp": expires.timestamp()}, self._key, algorithm="HS256")

    def read(self, token: str) -> LinkTarget:
        """Raises Refused: LINK_INVALID, and never says why."""
        try:
            claims = jwt.decode(token, self._key, algorithms=["HS256"], options={"require": list(CLAIMS)})
            maker, version = parse_id(claims["sub"]), parse_id(claims["version"])
            return LinkTarget(claims["tenant"], maker, version, claims["path"], claims.get("generation", ""))
        except (jwt.InvalidTokenError, TypeError, ValueError, OverflowError, RecursionError):
            raise Refused(LINK_INVALID) from None


async def create(
    caller: Caller, kind: Kind, reference: Reference, links: Links, *, life: timedelta = USUAL, path: str = ""
) -> SignedLink:
    """A link to a version that the caller may read, or to the file of it that has this `path`.

    Raises Refused: NOT_FOUND, CANNOT_READ, QUARANTINED, VERSION_DRAFT.
    """
    version = await reading.read_content(caller, kind, reference)
    reading.refuse_draft(version)
    if path:
        await version_files.at(caller.tenant, version, path)
    tenant, expires = caller.tenant, now() + life
    target = LinkTarget(tenant.name, caller.user, version["_id"], path, tenant.generation)
    return SignedLink(links.sign(target, expires), expires)


async def follow(tenant: Tenant, target: LinkTarget) -> VersionRecord:
    """The version that a link leads to.

    Raises Refused: LINK_INVALID, for every reason.
    """
    version = await _find(tenant, target) if target.generation in {"", tenant.generation} else None
    if version is None:
        raise Refused(LINK_INVALID)
    return version


async def _find(tenant: Tenant, target: LinkTarget) -> VersionRecord | None:
    version = await tenant.versions.records.find_one({"_id": target.version})
    if version is None or version["state"] not in {VersionState.LIVE, VersionState.ARCHIVED}:
        return None
    item = await tenant.items(Kind(version["kind"])).records.find_one({"_id": version["item"]})
    maker = await tenant.users.records.find_one({"_id": target.user}, CALLER_FIELDS)
    if item is None or maker is None:
        return None
    return version if may_read(Caller.of(tenant, maker), item) else None
