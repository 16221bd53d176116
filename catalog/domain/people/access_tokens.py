"""Personal access tokens, for scripts: `cat_<tenant>_<43 letters and digits>`.

The beginning is for people and for whoever looks for leaked secrets, the tenant leads to its
database, and the rest is 256 bits of chance. What is kept is its SHA-256: a slow hash protects
what can be guessed, and this cannot.
"""

import hashlib
import re
import secrets
import string
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from bson import ObjectId

from catalog.domain.access import ACCESS_TOKENS, Caller, refuse_out_of_scope
from catalog.errors import CANNOT_CREATE, CANNOT_DELETE, INVALID_FIELD, LIMIT_REACHED, NAME_TAKEN, NOT_FOUND, Refused
from catalog.store.database import Duplicate, Tenant
from catalog.store.documents import AccessToken, now, object_id
from catalog.store.records import AccessTokenRecord, Query
from catalog.vocabulary import Scope

PREFIX = "cat_"

ALPHABET = string.ascii_letters + string.digits
LENGTH = 43  # 256 bits, at 5.95 a character

WRITTEN = re.compile(rf"{PREFIX}([A-Za-z0-9][A-Za-z0-9_-]{{0,62}})_[A-Za-z0-9]{{{LENGTH}}}")

LIFE = timedelta(days=90)
LONGEST_LIFE = timedelta(days=3650)
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}

MOST = 100
"""How many tokens a user has."""

USE_IS_WRITTEN = timedelta(minutes=1)
"""So often at most, since it costs a write."""


class Made(NamedTuple):
    """A new token. `token` itself is shown this once."""

    record: AccessToken
    token: str


@dataclass(frozen=True)
class TokenInput:
    """A token to create. `expires_in` is a number of seconds, or text such as 12h or 90d; `expires` is a date."""

    name: str
    scopes: Sequence[Scope] = ()
    expires_in: int | str | None = None
    expires: str | None = None


async def create(caller: Caller, new: TokenInput) -> Made:
    """Create a token for the caller.

    Raises Refused: INVALID_FIELD, NAME_TAKEN, LIMIT_REACHED, CANNOT_CREATE if the caller signed in with such a token.
    """
    refuse_out_of_scope(caller, ACCESS_TOKENS, CANNOT_CREATE)
    tenant = caller.tenant
    if await tenant.access_tokens.records.count_documents({"user": caller.user}, limit=MOST) >= MOST:
        raise Refused(LIMIT_REACHED, f"A user may have {MOST} tokens: revoke some")
    token = f"{PREFIX}{tenant.name}_{''.join(secrets.choice(ALPHABET) for _ in range(LENGTH))}"
    record = AccessToken(
        user=caller.user,
        name=new.name,
        digest=digest(token),
        scopes=list(dict.fromkeys(new.scopes)) or [Scope.READ],
        expires=_expiry(new),
    )
    try:
        return Made(await tenant.access_tokens.insert(record), token)
    except Duplicate:
        raise Refused(NAME_TAKEN, f"name: a token of this name is there already ({new.name})") from None


def seen_by(caller: Caller) -> Query:
    """The filter of the tokens that the caller sees and may revoke."""
    return {} if caller.is_admin else {"user": caller.user}


async def revoke(caller: Caller, key: str) -> AccessTokenRecord:
    """End a token, and return its record.

    A token may end itself, and no other. Raises Refused: NOT_FOUND, CANNOT_DELETE.
    """
    identity, tenant = object_id(key), caller.tenant
    if identity == caller.token:
        await caller.still_allowed()
        tenant = tenant.base  # through the caller's own it changes no token
    else:
        refuse_out_of_scope(caller, ACCESS_TOKENS, CANNOT_DELETE)
    removed = await tenant.access_tokens.records.find_one_and_delete({"_id": identity, **seen_by(caller)})
    if removed is None:
        raise Refused(NOT_FOUND, key)
    return removed


async def revoke_all(tenant: Tenant, user: ObjectId) -> None:
    """Remove all tokens of a user. (They are already refused: `signed_out` is newer.)"""
    await tenant.access_tokens.records.delete_many({"user": user})


def tenant_of(token: str) -> str | None:
    """The tenant that a text leads to, when it is written as a token is."""
    written = WRITTEN.fullmatch(token)
    return written[1] if written else None


async def find(tenant: Tenant, digest: str) -> AccessTokenRecord | None:
    """What is kept of a token, whether or not it still serves. Its use is written down, at most once a minute."""
    found = await tenant.access_tokens.records.find_one({"digest": digest})
    moment = now()
    if found and ((used := found.get("used")) is None or used < moment - USE_IS_WRITTEN):
        await tenant.access_tokens.records.update_one({"_id": found["_id"]}, {"$set": {"used": moment}})
    return found


def digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def scope_of(record: AccessTokenRecord) -> Scope:
    return Scope.WRITE if Scope.WRITE in record["scopes"] else Scope.READ


def _expiry(new: TokenInput) -> datetime:
    if new.expires_in is not None and new.expires is not None:
        raise Refused(INVALID_FIELD, "expires: give either expires_in or expires")
    moment = now()
    expires = moment + _life(new.expires_in) if new.expires is None else _date(new.expires)
    if not moment < expires <= moment + LONGEST_LIFE:
        raise Refused(INVALID_FIELD, f"expires: it must be later than now, by at most {LONGEST_LIFE.days} days")
    return expires


def _life(text: int | str | None) -> timedelta:
    if text is None:
        return LIFE
    written = re.fullmatch(r"([0-9]{1,9})([smhd]?)", str(text))
    if written is None:
        raise Refused(INVALID_FIELD, "expires_in: seconds, or a text such as 45m, 12h or 90d is needed")
    return timedelta(seconds=int(written[1]) * UNITS.get(written[2], 1))


def _date(text: str) -> datetime:
    try:
        date = datetime.fromisoformat(text)
    except ValueError:
        raise Refused(INVALID_FIELD, "expires: a date such as 2030-12-31T23:59:59Z is needed") from None
    aware = date if date.tzinfo else date.replace(tzinfo=UTC)
    return aware.astimezone(UTC).replace(microsecond=0)
