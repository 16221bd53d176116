"""Devices that people have signed in from: what a browser keeps to be told from strangers who guess.

The mark of a device is signed, and names the accounts that signed in from it lately. It signs nobody in: it only makes
wrong guesses from elsewhere count no more against the device. Who steals one has that device's few guesses.
"""

import hmac
import secrets
from collections.abc import Sequence
from datetime import timedelta
from typing import NamedTuple

import jwt

from catalog.domain.versions.links import derived_key
from catalog.store.documents import now

LIFE = timedelta(days=30)
"""How long a device is known after the last sign-in from it."""

MOST_ACCOUNTS = 8
"""How many accounts are known on a device, those that signed in last: its mark must not grow."""

_LENGTH = 16  # hexadecimal digits that tell an account


class Device(NamedTuple):
    """A device, and the accounts that are known on it, under names that do not tell them."""

    id: str = ""
    accounts: Sequence[str] = ()


class Devices:
    """Makes the marks of devices and reads them."""

    def __init__(self, secret: str) -> None:
        self._key = derived_key(secret, "devices")

    def known(self, mark: str, tenant: str, username: str) -> str:
        """The id of the device that has this mark, when the account has signed in from it; else nothing."""
        device = self._read(mark)
        return device.id if self._account(tenant, username) in device.accounts else ""

    def mark(self, before: str, tenant: str, username: str) -> str:
        """What the device keeps after a sign-in. One that had a mark `before` keeps its id, and so its failures."""
        device, account = self._read(before), self._account(tenant, username)
        others = [other for other in device.accounts if other != account]
        claims = {
            "jti": device.id or secrets.token_hex(16),
            "accounts": [account, *others][:MOST_ACCOUNTS],
            "exp": (now() + LIFE).timestamp(),
        }
        return jwt.encode(claims, self._key, algorithm="HS256")

    def _read(self, mark: str) -> Device:
        try:
            claims = jwt.decode(mark, self._key, algorithms=["HS256"], options={"require": ["jti", "accounts", "exp"]})
            return Device(str(claims["jti"]), [str(account) for account in claims["accounts"]])
        except (jwt.InvalidTokenError, TypeError, ValueError, OverflowError, RecursionError):
            return Device()

    def _account(self, tenant: str, username: str) -> str:
        account = f"{tenant}\0{username}".encode(errors="surrogatepass")
        return hmac.new(self._key, account, "sha256").hexdigest()[:_LENGTH]
