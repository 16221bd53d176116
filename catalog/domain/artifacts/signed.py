"""Signed addresses: each permits for a while to read one file of the artifact tree, or to send one part of an upload.

An address names the user whom it was made for, and does what that user may do: it ends with the user's rights, with all
credentials of the user, and with the personal access token that asked for it.
"""

from dataclasses import dataclass
from datetime import timedelta

import jwt
from bson import ObjectId

from catalog.domain.access import CALLER_FIELDS, Caller, permits
from catalog.domain.people.authentication import access_tokens
from catalog.domain.people.authentication.credentials import has_ended
from catalog.domain.versions.files.links import derived_key
from catalog.errors import LINK_INVALID, Refused
from catalog.store.clock import now
from catalog.store.concurrency.fence import Fence
from catalog.store.ids import object_id, parse_id
from catalog.store.tenant import Tenant

CLAIMS = ("sub", "tenant", "generation", "iat", "exp", "what")


@dataclass(frozen=True, slots=True)
class SignedTarget:
    """The permission in an address: reading the file `path`, or sending the part `part` of `upload`."""

    path: str = ""
    upload: str = ""
    part: int = 0


@dataclass(frozen=True, slots=True)
class SignedClaims:
    target: SignedTarget
    tenant: str
    generation: str
    user: ObjectId
    token: ObjectId | None
    issued: float


class SignedAddresses:
    """Signs and reads the last segment of such addresses."""

    def __init__(self, secret: str) -> None:
        self._key = derived_key(secret, "artifact addresses")

    def sign(self, caller: Caller, target: SignedTarget, life: timedelta) -> str:
        issued = now()
        claims = {
            "sub": str(caller.user),
            "tenant": caller.tenant.name,
            "generation": caller.tenant.generation,
            "iat": issued.timestamp(),
            "exp": (issued + life).timestamp(),
            "what": [target.path, target.upload, target.part],
            **({"token": str(caller.token)} if caller.token else {}),
        }
        return jwt.encode(claims, self._key, algorithm="HS256")

    def read(self, text: str) -> SignedClaims:
        """Raises Refused: LINK_INVALID, and never says why."""
        try:
            claims = jwt.decode(
                text, self._key, algorithms=["HS256"], options={"require": list(CLAIMS), "verify_iat": False}
            )
            path, upload, part = claims["what"]
            token = object_id(claims.get("token"))
            return SignedClaims(
                SignedTarget(str(path), str(upload), int(part)),
                claims["tenant"],
                claims["generation"],
                parse_id(claims["sub"]),
                token,
                float(claims["iat"]),
            )
        except (jwt.InvalidTokenError, TypeError, ValueError, OverflowError, RecursionError):
            raise Refused(LINK_INVALID) from None


async def caller_of(tenant: Tenant | None, claims: SignedClaims) -> Caller:
    """The user for whom an address was made. Each write checks the user again. Raises Refused: LINK_INVALID."""
    if tenant is None or tenant.generation != claims.generation:
        raise Refused(LINK_INVALID)
    first = await _read(tenant, claims)

    async def check_again(_: float) -> None:
        current = await _read(tenant, claims)
        if (current.role, current.scope, current.reach) != (first.role, first.scope, first.reach):
            raise Refused(LINK_INVALID)

    return first.through(tenant.of_caller(Fence(check_again, permits(first.scope))))


async def _read(tenant: Tenant, claims: SignedClaims) -> Caller:
    fields = {**CALLER_FIELDS, "signed_out": 1}
    user = await tenant.users.records.find_one({"_id": claims.user}, fields)
    if user is None or has_ended(user, claims.issued):
        raise Refused(LINK_INVALID)
    if claims.token is None:
        return Caller.of(tenant, user)
    valid = {"_id": claims.token, "user": claims.user, "expires": {"$gt": now()}}
    token = await tenant.access_tokens.records.find_one(valid)
    if token is None:
        raise Refused(LINK_INVALID)
    return Caller.of(tenant, user, access_tokens.scope_of(token), claims.token)
