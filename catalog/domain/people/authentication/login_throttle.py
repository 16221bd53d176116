"""Throttling of guessed passwords, on all servers together: failures are counted in the catalogue database.

Failures are counted for an *account*, from any address; for an *address*, with any account; and for an account at an
address. The delay of an account is short, because a stranger can cause it; that of an address is long. An account that
has signed in from an address before is *known* there: only wrong passwords for that account from that address delay it.
The same holds for a known device (see `devices`) at any address, and after a new password was chosen with a link that
was mailed. So no stranger locks a user out permanently.

Loopback addresses are not counted, unless there is a trusted proxy: without one they may be a proxy's own address.
"""

import asyncio
import hashlib
import ipaddress
import math
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import NamedTuple

from catalog.errors import AUTHENTICATION, TOO_MANY_ATTEMPTS, Refused
from catalog.store.clock import AHEAD, Clock, now
from catalog.store.database import Database
from catalog.store.failures import Duplicate
from catalog.store.records import FailedAttemptsRecord

CONCURRENCY = 2
"""How many passwords a server verifies at the same time, which is the number of threads for it. Guesses that arrive
together are queued as well, so that each is counted before the next is verified."""

LONGEST_QUEUE = 512
"""A longer queue means a flood: the server refuses at once."""

KNOWN_FOR = timedelta(days=30)
"""For how long an address stays known after an account's last day there."""

A_DAY = timedelta(days=1)

NETWORK = 64  # bits of an IPv6 address that a client cannot choose


class Pace(NamedTuple):
    """After `free` failures the next attempt waits a second, then twice as long each time, at most `longest` seconds.

    Failures are forgotten after `expires`.
    """

    free: int
    longest: float
    expires: timedelta

    def wait(self, record: FailedAttemptsRecord, moment: datetime) -> float:
        """Seconds until the next attempt."""
        over = record["failures"] - self.free
        if over < 0:
            return 0.0
        delay = min(2.0 ** min(over, 30), self.longest)
        return float((record["last"] - moment).total_seconds() + delay)


ACCOUNT = Pace(free=5, longest=30, expires=timedelta(minutes=15))
ADDRESS = Pace(free=20, longest=900, expires=timedelta(hours=1))
ACCOUNT_AT_ADDRESS = Pace(free=5, longest=60, expires=timedelta(hours=1))
MAIL_TO = Pace(free=3, longest=900, expires=timedelta(hours=1))
MAIL_FROM = Pace(free=20, longest=900, expires=timedelta(hours=1))


class Counter(NamedTuple):
    """A counter of failures. The id is a hash: it has a constant length and does not show what is counted."""

    id: str
    pace: Pace


class LoginThrottle:
    """Counts failed attempts, and refuses clients that do not wait. All requests of a server share it."""

    def __init__(self, database: Database, *, counts_loopback: bool = False, clock: Clock = now) -> None:
        self._records = database.attempts.records
        self._counts_loopback = counts_loopback
        self._now = clock
        self._slots = asyncio.Semaphore(CONCURRENCY)
        self._waiting = 0

    @asynccontextmanager
    async def password_attempt(self, tenant: str, username: str, address: str, device: str = "") -> AsyncIterator[None]:
        """The context in which a password is verified: a refusal that it raises counts as a wrong password.

        `device` is the id of a device that the account is known on.

        Raises Refused: TOO_MANY_ATTEMPTS, for a right password as for a wrong one.
        """
        network = self._network(address)
        account = Counter(_id("account", tenant, username), ACCOUNT)
        of_address = [Counter(_id("address", network), ADDRESS)] if network else []
        here = [Counter(_id("account at address", tenant, username, network), ACCOUNT_AT_ADDRESS)] if network else []
        of_device = [Counter(_id("account on device", tenant, username, device), ACCOUNT_AT_ADDRESS)] if device else []
        known = _id("known", tenant, username, network)
        counters = [account, *of_address, *here, *of_device]
        async with self._slot():
            found = await self._find([known, *(counter.id for counter in counters)])
            self._refuse_haste(found, of_device or (here if known in found else [account, *of_address]))
            try:
                yield
            except Refused as refused:
                if refused.fault is AUTHENTICATION:
                    await self._count(counters)
                raise
            await self._clear({counter.id for counter in (account, *here, *of_device)} & found.keys())
            if network:
                await self._remember(known, found.get(known))

    async def clear(self, tenant: str, username: str, address: str) -> None:
        """Forget the failures of an account that proved itself otherwise, and know it at this address from now on."""
        network = self._network(address)
        kinds = [("account", tenant, username), ("account at address", tenant, username, network)]
        await self._clear({_id(*kind) for kind in kinds})
        if network:
            await self._remember(_id("known", tenant, username, network), None)

    async def count_mail(self, tenant: str, email: str, address: str) -> None:
        """Count a request for a mail, whether or not a user has the email.

        Raises Refused: TOO_MANY_ATTEMPTS.
        """
        counters = [Counter(_id("mail to", tenant, email.lower()), MAIL_TO)]
        if network := self._network(address):
            counters.append(Counter(_id("mail from", network), MAIL_FROM))
        async with self._slot():
            self._refuse_haste(await self._find([counter.id for counter in counters]), counters)
            await self._count(counters)

    def _network(self, address: str) -> str:
        return network_of(address, loopback=self._counts_loopback)

    @asynccontextmanager
    async def _slot(self) -> AsyncIterator[None]:
        if self._waiting >= LONGEST_QUEUE:
            raise Refused(
                TOO_MANY_ATTEMPTS, "too many users are signing in, try again soon", headers={"Retry-After": "5"}
            )
        self._waiting += 1
        try:
            async with self._slots:
                yield
        finally:
            self._waiting -= 1

    def _refuse_haste(self, found: dict[str, FailedAttemptsRecord], counters: Sequence[Counter]) -> None:
        moment = self._now()
        wait = max(
            (counter.pace.wait(found[counter.id], moment) for counter in counters if counter.id in found), default=0
        )
        if wait > 0:
            seconds = math.ceil(wait)
            raise Refused(TOO_MANY_ATTEMPTS, f"try again in {seconds} s", headers={"Retry-After": str(seconds)})

    async def _find(self, ids: Sequence[str]) -> dict[str, FailedAttemptsRecord]:
        found = await self._records.find({"_id": {"$in": list(ids)}}).to_list(None)
        moment = self._now()
        return {
            record["_id"]: record for record in found if record["expires"] > moment and record["last"] < moment + AHEAD
        }

    async def _count(self, counters: Sequence[Counter]) -> None:
        moment = self._now()
        for counter in counters:
            fields = {"last": moment, "expires": moment + counter.pace.expires}
            counting = {"$inc": {"failures": 1}, "$set": fields}
            try:
                await self._records.update_one({"_id": counter.id}, counting, upsert=True)
            except Duplicate:  # another server counted the first failure at the same moment
                await self._records.update_one({"_id": counter.id}, counting)

    async def _clear(self, ids: set[str]) -> None:
        if ids:
            await self._records.delete_many({"_id": {"$in": sorted(ids)}})

    async def _remember(self, known: str, record: FailedAttemptsRecord | None) -> None:
        """At most one write a day, so that most sign-ins write nothing."""
        moment = self._now()
        if record is None or record["expires"] < moment + KNOWN_FOR - A_DAY:
            fields = {"failures": 0, "last": moment, "expires": moment + KNOWN_FOR}
            await self._records.update_one({"_id": known}, {"$set": fields}, upsert=True)


def network_of(address: str, *, loopback: bool = False) -> str:
    """What belongs to one client: an IPv4 address or an IPv6 network, of which a client has all addresses.

    An empty string for an unknown address and, unless `loopback` addresses count, for this machine.
    """
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return ""
    ip = (ip.ipv4_mapped or ip) if isinstance(ip, ipaddress.IPv6Address) else ip
    if ip.is_loopback and not loopback:
        return ""
    return str(ip) if ip.version == 4 else str(ipaddress.ip_network((ip, NETWORK), strict=False))  # noqa: PLR2004


def _id(*words: str) -> str:
    return hashlib.sha256("\0".join(words).encode(errors="surrogatepass")).hexdigest()
