"""Personal access tokens, for scripts: `cat_<tenant>_<43 letters and digits>`.

The prefix lets people and scanners for leaked secrets recognise a token, the tenant names the database, and the rest is
256 random bits. Only the SHA-256 is stored: a slow hash protects what can be guessed, which a random token cannot.
"""

import hashlib
import re
import secrets
import string
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from bson import ObjectId

from catalog.domain.access import ACCESS_TOKENS, Caller, refuse_out_of_scope
from catalog.errors import CANNOT_CREATE, CANNOT_DELETE, INVALID_FIELD, LIMIT_REACHED, NAME_TAKEN, NOT_FOUND, Refused
from catalog.store.clock import now
from catalog.store.documents.people import AccessTokenDocument
from catalog.store.failures import Duplicate
from catalog.store.ids import document_id, object_id
from catalog.store.records import AccessTokenRecord, Query
from catalog.store.tenant import Tenant
from catalog.vocabulary import Scope

PREFIX = "cat_"

ALPHABET = string.ascii_letters + string.digits
LENGTH = 43  # 256 bits, at 5.95 a character

FORM = re.compile(rf"{PREFIX}([A-Za-z0-9][A-Za-z0-9_-]{{0,62}})_[A-Za-z0-9]{{{LENGTH}}}")

LIFE = timedelta(days=90)
LONGEST_LIFE = timedelta(days=3650)

MOST = 100
"""How many tokens a user may have."""

USE_WRITTEN_EVERY = timedelta(minutes=1)
"""How often the last use of a token is written at most."""


class CreatedToken(NamedTuple):
    """A token that was just created. `token` itself is shown only once."""

    record: AccessTokenDocument
    token: str


@dataclass(frozen=True)
class TokenInput:
    """A token to create. It expires at a moment, or after a time, by default LIFE."""

    name: str
    scopes: Sequence[Scope] = ()
    expires: datetime | None = None
    life: timedelta = LIFE


async def create(caller: Caller, new: TokenInput) -> CreatedToken:
    """Create a token for the caller.

    Raises Refused: INVALID_FIELD, NAME_TAKEN, LIMIT_REACHED, CANNOT_CREATE if the caller signed in with such a token.
    """
    refuse_out_of_scope(caller, ACCESS_TOKENS, CANNOT_CREATE)
    tenant = caller.tenant
    if await tenant.access_tokens.records.count_documents({"user": caller.user}, limit=MOST) >= MOST:
        raise Refused(LIMIT_REACHED, f"A user may have {MOST} tokens: revoke some")
    return await issue(tenant, caller.user, new)


async def issue(tenant: Tenant, user: ObjectId, new: TokenInput) -> CreatedToken:
    """A new token of a user or a robot. Raises Refused: INVALID_FIELD, NAME_TAKEN."""
    token = f"{PREFIX}{tenant.name}_{''.join(secrets.choice(ALPHABET) for _ in range(LENGTH))}"
    record = AccessTokenDocument(
        user=document_id(user),
        name=new.name,
        digest=digest(token),
        scopes=list(dict.fromkeys(new.scopes)) or [Scope.READ],
        expires=expiry(new),
    )
    try:
        return CreatedToken(await tenant.access_tokens.insert(record), token)
    except Duplicate:
        raise Refused(NAME_TAKEN, f"name: a token of this name exists already ({new.name})") from None


def visible_to(caller: Caller) -> Query:
    """The filter of the tokens that the caller may see and revoke."""
    return {} if caller.is_admin else {"user": caller.user}


async def revoke(caller: Caller, key: str) -> AccessTokenRecord:
    """End a token, and return its record.

    A token may end itself, and no other. Raises Refused: NOT_FOUND, CANNOT_DELETE.
    """
    identity, tenant = object_id(key), caller.tenant
    if identity == caller.token:
        await caller.still_allowed()
        tenant = tenant.base  # the handle of the caller would refuse a token
    else:
        refuse_out_of_scope(caller, ACCESS_TOKENS, CANNOT_DELETE)
    mine = {"_id": identity, **visible_to(caller)}
    token = await tenant.access_tokens.records.find_one(mine)
    if token is None or not (await tenant.access_tokens.records.delete_one(mine)).deleted_count:
        raise Refused(NOT_FOUND, key)
    return token


async def revoke_all(tenant: Tenant, user: ObjectId) -> None:
    """Remove all tokens of a user. (They are already refused: `signed_out` is newer.)"""
    await tenant.access_tokens.records.delete_many({"user": user})


def tenant_of(token: str) -> str | None:
    """The tenant of a token; None for text in another form."""
    written = FORM.fullmatch(token)
    return written[1] if written else None


async def find(tenant: Tenant, digest: str) -> AccessTokenRecord | None:
    """The record of a token, also of an expired one. Its last use is written at most once a minute."""
    found = await tenant.access_tokens.records.find_one({"digest": digest})
    moment = now()
    if found and ((used := found.get("used")) is None or used < moment - USE_WRITTEN_EVERY):
        await tenant.access_tokens.records.update_one({"_id": found["_id"]}, {"$set": {"used": moment}})
    return found


def digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def scope_of(record: AccessTokenRecord) -> Scope:
    return Scope.WRITE if Scope.WRITE in record["scopes"] else Scope.READ


def expiry(new: TokenInput) -> datetime:
    """When a token that is made now expires. Raises Refused: INVALID_FIELD."""
    moment = now()
    life = new.expires.replace(microsecond=0) - moment if new.expires else new.life
    if not timedelta() < life <= LONGEST_LIFE:
        raise Refused(INVALID_FIELD, f"expires: it must be later than now, by at most {LONGEST_LIFE.days} days")
    return moment + life
