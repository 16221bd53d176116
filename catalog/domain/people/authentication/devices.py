"""Known devices: a signed cookie that names the accounts that signed in from a browser lately.

The cookie is not a credential. With it, wrong passwords from elsewhere do not delay a sign-in from this device. A
thief of the cookie gains the few attempts of that device.
"""

import hmac
import secrets
from collections.abc import Sequence
from datetime import timedelta
from typing import NamedTuple

import jwt

from catalog.domain.versions.files.links import derived_key
from catalog.store.clock import now

LIFE = timedelta(days=30)
"""How long a device is known after the last sign-in from it."""

MOST_ACCOUNTS = 8
"""How many accounts a cookie names, the latest ones: it must not grow."""

_LENGTH = 16  # hexadecimal digits of an account's keyed hash


class Device(NamedTuple):
    """A device, and keyed hashes of the accounts that are known on it."""

    id: str = ""
    accounts: Sequence[str] = ()


class Devices:
    """Signs and reads the cookies of devices."""

    def __init__(self, secret: str) -> None:
        self._key = derived_key(secret, "devices")

    def identify(self, cookie: str, tenant: str, username: str) -> str:
        """The id of the device with this cookie, if the account has signed in from it; else an empty string."""
        device = self._read(cookie)
        return device.id if self._account(tenant, username) in device.accounts else ""

    def remember(self, cookie: str, tenant: str, username: str) -> str:
        """The cookie of a device after a sign-in. A device that sent a `cookie` keeps its id, and so its failures."""
        device, account = self._read(cookie), self._account(tenant, username)
        others = [other for other in device.accounts if other != account]
        claims = {
            "jti": device.id or secrets.token_hex(16),
            "accounts": [account, *others][:MOST_ACCOUNTS],
            "exp": (now() + LIFE).timestamp(),
        }
        return jwt.encode(claims, self._key, algorithm="HS256")

    def _read(self, cookie: str) -> Device:
        try:
            claims = jwt.decode(
                cookie, self._key, algorithms=["HS256"], options={"require": ["jti", "accounts", "exp"]}
            )
            return Device(str(claims["jti"]), [str(account) for account in claims["accounts"]])
        except (jwt.InvalidTokenError, TypeError, ValueError, OverflowError, RecursionError):
            return Device()

    def _account(self, tenant: str, username: str) -> str:
        account = f"{tenant}\0{username}".encode(errors="surrogatepass")
        return hmac.new(self._key, account, "sha256").hexdigest()[:_LENGTH]
