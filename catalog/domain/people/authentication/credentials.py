"""Passwords and tokens."""

import asyncio
import math
import re
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

import jwt
from bson import ObjectId
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from passlib.context import CryptContext

from catalog.errors import AUTHENTICATION, INVALID_FIELD, Refused
from catalog.store.clock import AHEAD, now
from catalog.store.ids import object_id
from catalog.store.records import Changes, Query, UserRecord

# Two threads, 19 MiB each and a short queue keep memory flat and the event loop free: with the library's defaults
# 16 sign-ins at once took 575 MB.
_POOL = ThreadPoolExecutor(2, thread_name_prefix="password")


def hashes(memory: int = 19 * 1024, passes: int = 2) -> CryptContext:
    """Argon2id with `memory` in KiB, by default as OWASP advises, and bcrypt for hashes of other registries."""
    return CryptContext(
        schemes=["argon2", "bcrypt"],
        deprecated="auto",
        argon2__type="ID",
        argon2__memory_cost=memory,
        argon2__time_cost=passes,
        argon2__parallelism=1,
    )


_HASHES = hashes()

_BCRYPT_LIMIT = 72  # bytes that bcrypt looks at

LONGEST_PASSWORD = 1024  # characters; hashing longer ones is work for an attacker's benefit

SIGNING_BYTES = 32
"""The length of a SHA-256, which HS256 requires of a key."""

REMEMBERED = 10_000
"""How many tokens are cached with their claims: verifying a signature takes 0.1 ms of a read of 0.8 ms."""

# The levels of the reference's `check-password-strength`: kinds of characters, length.
_STRENGTHS = ((0, 0), (2, 6), (4, 8), (4, 10))
_STRENGTH_NAMES = ("Too weak", "Weak", "Medium", "Strong")
_KINDS = (r"[a-z]", r"[A-Z]", r"[0-9]", r"[^a-zA-Z0-9]")


class PasswordPolicy(NamedTuple):
    """How strong a password must be, and for how many days it is valid (0: for ever)."""

    strength: int
    days: int


def strength(password: str) -> int:
    """How hard a password is to guess, 0 (too weak) to 3 (strong)."""
    kinds = sum(bool(re.search(kind, password)) for kind in _KINDS)
    return max(
        level for level, (needed, length) in enumerate(_STRENGTHS) if kinds >= needed and len(password) >= length
    )


def strength_name(level: int) -> str:
    return _STRENGTH_NAMES[level]


async def hash_password(password: str) -> str:
    """The Argon2id hash of a password."""
    return await asyncio.get_running_loop().run_in_executor(_POOL, _HASHES.hash, password)


async def verify_password(password: str, stored_hash: str | None) -> tuple[bool, str | None]:
    """Whether a password has this hash, and a better hash of it when the stored one is of an older kind.

    Without a stored hash the same work is done and the answer is no, so that an unknown
    user takes as long as a wrong password.
    """
    return await asyncio.get_running_loop().run_in_executor(_POOL, _verify, password, stored_hash)


def _verify(password: str, stored_hash: str | None) -> tuple[bool, str | None]:
    if stored_hash is None:
        _HASHES.dummy_verify()
        return False, None
    if stored_hash.startswith("$2"):
        is_right = _HASHES.verify(password.encode()[:_BCRYPT_LIMIT], stored_hash)
        return is_right, _HASHES.hash(password) if is_right else None
    is_right, better_hash = _HASHES.verify_and_update(password, stored_hash)
    return bool(is_right), better_hash


def sign_out() -> Changes:
    """The fields of a change to a user that ends all credentials: sessions, personal tokens and reset links."""
    return {"signed_out": now()}


def has_ended(user: UserRecord, issued: float) -> bool:
    """Whether all credentials of the user were ended after this one was issued, in seconds since the epoch."""
    since = user.get("signed_out")
    return since is not None and issued < since.timestamp()


def not_ended(issued: datetime) -> Query:
    """The opposite as a condition on a user, for a write that requires that the credential is still valid."""
    return {"$or": [{"signed_out": None}, {"signed_out": {"$lte": issued}}]}


class Claims(NamedTuple):
    """The claims of a token. `issued` and `expires` are seconds since the epoch."""

    user: ObjectId
    tenant: str
    issued: float
    expires: float
    generation: str | None = None  # of the tenant; tokens of older versions have none


def signing_key(secret: str) -> bytes:
    """The key that signs tokens: the secret, or a key derived from one that is shorter than HS256 requires.

    Deriving does not make a short secret harder to guess: short secrets are for servers on loopback.
    """
    key = secret.encode()
    if len(key) >= SIGNING_BYTES:
        return key
    return HKDF(algorithm=SHA256(), length=SIGNING_BYTES, salt=None, info=b"catalog: tokens").derive(key)


class SessionTokens:
    """JSON Web Tokens (RFC 7519), signed with HS256 and nothing else."""

    def __init__(self, secret: str, life: timedelta, renewal: timedelta) -> None:
        self._secret = signing_key(secret)
        self._life = life
        self._renewal = renewal
        self._verified = lru_cache(REMEMBERED)(self._verify)  # a valid signature stays valid

    def issue(self, user: ObjectId, tenant: str, generation: str = "") -> str:
        issued = now()
        claims = {
            "sub": str(user),
            "tenant": tenant,
            **({"generation": generation} if generation else {}),
            "iat": issued.timestamp(),
            "exp": (issued + self._life).timestamp(),
            "jti": uuid.uuid4().hex,
        }
        return jwt.encode(claims, self._secret, algorithm="HS256")

    def read(self, token: str, *, for_renewal: bool = False) -> Claims:
        """The claims of a token whose signature is valid and that has not expired.

        An expired token can be renewed until JWT_RENEW_EXPIRATIONTIME after it was issued.

        Raises Refused: AUTHENTICATION.
        """
        claims = self._verified(token)
        moment = now().timestamp()
        if claims.issued > moment + AHEAD.total_seconds():
            raise Refused(AUTHENTICATION, "The token is from the future, please sign in again")
        if for_renewal and claims.issued + self._renewal.total_seconds() < moment:
            raise Refused(AUTHENTICATION, "The token is too old to be renewed, please sign in again")
        if not for_renewal and claims.expires <= moment:
            raise Refused(AUTHENTICATION, "The token has expired, please sign in again")
        return claims

    def _verify(self, token: str) -> Claims:
        """The claims of a token of any age."""
        try:
            claims = jwt.decode(
                token,
                self._secret,
                algorithms=["HS256"],
                options={"require": ["sub", "tenant", "iat", "exp", "jti"], "verify_exp": False, "verify_iat": False},
            )
        except jwt.InvalidSignatureError:
            raise Refused(AUTHENTICATION, "The token is signed with another key, please sign in again") from None
        except (jwt.InvalidTokenError, ValueError, RecursionError):  # also JSON beyond Python's limits
            raise Refused(AUTHENTICATION, "The token is not valid") from None
        user, tenant = object_id(claims["sub"]), claims["tenant"]
        issued, expires = _seconds(claims["iat"]), _seconds(claims["exp"])
        named = isinstance(tenant, str) and tenant and tenant.isascii()
        if user is None or not named or issued is None or expires is None:
            raise Refused(AUTHENTICATION, "The token is not valid")
        return Claims(user, tenant, issued, expires, claims.get("generation"))


def _seconds(claim: object) -> float | None:
    """A moment in a token, which is a finite number. None for any other value."""
    if isinstance(claim, bool) or not isinstance(claim, int | float):
        return None
    try:
        return float(claim) if math.isfinite(claim) else None
    except OverflowError:
        return None


def refuse_expired(user: UserRecord) -> None:
    """Raises Refused: AUTHENTICATION."""
    days = user["validityPasswordDays"]
    if days and user["createdPassword"] + timedelta(days=days) < now():
        raise Refused(AUTHENTICATION, "The password has expired, please ask for a new one")


def refuse_weak(password: str, policy: PasswordPolicy) -> None:
    """Raises Refused: INVALID_FIELD."""
    level = strength(password)
    if level < policy.strength:
        details = f"The password strength is {strength_name(level)}, please choose a stronger password"
        raise Refused(INVALID_FIELD, details)
