"""Who guesses is slowed down, on every server at once: failures are counted in the catalogue database.

Failures are counted for an *account*, whoever tries it, for an *address*, whichever account it
tries, and for the two together. An account's delay is short, because a stranger can cause it; an
address's is long. An account that has signed in from an address before is a *known* one there: only wrong
passwords for that account from that address delay it. So it is on a known device (see `devices`), wherever
that is, and after choosing a new password with a link that was mailed: no stranger shuts anybody out for good.

Addresses of this machine are not counted, unless a trusted proxy is there: they are a proxy's as often as not, and
everybody's then.
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
from catalog.store.database import Database, Duplicate
from catalog.store.documents import AHEAD, now
from catalog.store.tenant_documents import Raw

AT_ONCE = 2
"""How many passwords a server looks at together, as many as there are threads for it. Guesses that come all at once
take turns too, so that each is counted before the next is looked at."""

MOST_WAITING = 512
"""Beyond this the server is flooded, and says so at once."""

REMEMBERED = timedelta(days=30)
"""How long an address stays known after an account's last day there."""

A_DAY = timedelta(days=1)

NETWORK = 64  # bits of an IPv6 address that a client cannot choose


class Pace(NamedTuple):
    """After `free` failures the next one waits a second, then twice as long each time, at most `longest` seconds."""

    free: int
    longest: float
    forgotten: timedelta

    def wait(self, record: Raw, moment: datetime) -> float:
        """Seconds until the next attempt."""
        over = record["failures"] - self.free
        if over < 0:
            return 0.0
        delay = min(2.0 ** min(over, 30), self.longest)
        return float((record["last"] - moment).total_seconds() + delay)


ACCOUNT = Pace(free=5, longest=30, forgotten=timedelta(minutes=15))
ADDRESS = Pace(free=20, longest=900, forgotten=timedelta(hours=1))
ACCOUNT_AT_ADDRESS = Pace(free=5, longest=60, forgotten=timedelta(hours=1))
MAIL_TO = Pace(free=3, longest=900, forgotten=timedelta(hours=1))
MAIL_FROM = Pace(free=20, longest=900, forgotten=timedelta(hours=1))


class Counter(NamedTuple):
    """Whose failures are counted, under a name of constant length that does not tell it."""

    id: str
    pace: Pace


class Attempts:
    """Counts failed attempts, and refuses who does not wait. Shared by all requests of a server."""

    def __init__(self, database: Database, *, counts_loopback: bool = False) -> None:
        self._kept = database.attempts.raw
        self._counts_loopback = counts_loopback
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._waiting = 0

    @asynccontextmanager
    async def at_password(self, tenant: str, username: str, address: str, device: str = "") -> AsyncIterator[None]:
        """Around a look at a password: what comes out of it as a refusal was a wrong one.

        `device` is the id of one that the account is known on. Raises Refused: TOO_MANY_ATTEMPTS, whether the password
        would have been right or not.
        """
        place = self._place(address)
        account = Counter(_id("account", tenant, username), ACCOUNT)
        around = [Counter(_id("address", place), ADDRESS)] if place else []
        here = [Counter(_id("account at address", tenant, username, place), ACCOUNT_AT_ADDRESS)] if place else []
        mine = [Counter(_id("account on device", tenant, username, device), ACCOUNT_AT_ADDRESS)] if device else []
        known = _id("known", tenant, username, place)
        counters = [account, *around, *here, *mine]
        async with self._turn():
            found = await self._find([known, *(counter.id for counter in counters)])
            _refuse_haste(found, mine or (here if known in found else [account, *around]))
            try:
                yield
            except Refused as refused:
                if refused.fault is AUTHENTICATION:
                    await self._count(counters)
                raise
            await self._forget({counter.id for counter in (account, *here, *mine)} & found.keys())
            if place:
                await self._know(known, found.get(known))

    async def welcome(self, tenant: str, username: str, address: str) -> None:
        """Know an account at an address from which it has shown otherwise whose it is, and forget its failures."""
        place = self._place(address)
        kinds = [("account", tenant, username), ("account at address", tenant, username, place)]
        await self._forget({_id(*kind) for kind in kinds})
        if place:
            await self._know(_id("known", tenant, username, place), None)

    async def at_reset(self, tenant: str, email: str, address: str) -> None:
        """Count a question for a mail, whether or not the address is anybody's.

        Raises Refused: TOO_MANY_ATTEMPTS.
        """
        counters = [Counter(_id("mail to", tenant, email.lower()), MAIL_TO)]
        if place := self._place(address):
            counters.append(Counter(_id("mail from", place), MAIL_FROM))
        async with self._turn():
            _refuse_haste(await self._find([counter.id for counter in counters]), counters)
            await self._count(counters)

    def _place(self, address: str) -> str:
        return network_of(address, loopback=self._counts_loopback)

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        if self._waiting >= MOST_WAITING:
            raise Refused(TOO_MANY_ATTEMPTS, "too many people are signing in just now", headers={"Retry-After": "5"})
        self._waiting += 1
        try:
            async with self._turns:
                yield
        finally:
            self._waiting -= 1

    async def _find(self, ids: Sequence[str]) -> dict[str, Raw]:
        found = await self._kept.find({"_id": {"$in": list(ids)}}).to_list(None)
        moment = now()
        return {
            record["_id"]: record for record in found if record["expires"] > moment and record["last"] < moment + AHEAD
        }

    async def _count(self, counters: Sequence[Counter]) -> None:
        moment = now()
        for counter in counters:
            fields = {"last": moment, "expires": moment + counter.pace.forgotten}
            counting = {"$inc": {"failures": 1}, "$set": fields}
            try:
                await self._kept.update_one({"_id": counter.id}, counting, upsert=True)
            except Duplicate:  # another server counted the first one at the same moment
                await self._kept.update_one({"_id": counter.id}, counting)

    async def _forget(self, ids: set[str]) -> None:
        if ids:
            await self._kept.delete_many({"_id": {"$in": sorted(ids)}})

    async def _know(self, known: str, record: Raw | None) -> None:
        """Written once a day at most, so that most sign-ins write nothing."""
        moment = now()
        if record is None or record["expires"] < moment + REMEMBERED - A_DAY:
            fields = {"failures": 0, "last": moment, "expires": moment + REMEMBERED}
            await self._kept.update_one({"_id": known}, {"$set": fields}, upsert=True)


def network_of(address: str, *, loopback: bool = False) -> str:
    """What one client may be taken for: an IPv4 address, an IPv6 network, or nothing for the unknown.

    This machine is nothing, too, unless its `loopback` addresses are to count.

    Who has an IPv6 network has as many addresses in it as there are grains of sand.
    """
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return ""
    ip = (ip.ipv4_mapped or ip) if isinstance(ip, ipaddress.IPv6Address) else ip
    if ip.is_loopback and not loopback:
        return ""
    return str(ip) if ip.version == 4 else str(ipaddress.ip_network((ip, NETWORK), strict=False))  # noqa: PLR2004


def _refuse_haste(found: dict[str, Raw], counters: Sequence[Counter]) -> None:
    moment = now()
    wait = max((counter.pace.wait(found[counter.id], moment) for counter in counters if counter.id in found), default=0)
    if wait > 0:
        seconds = math.ceil(wait)
        raise Refused(TOO_MANY_ATTEMPTS, f"try again in {seconds} s", headers={"Retry-After": str(seconds)})


def _id(*words: str) -> str:
    return hashlib.sha256("\0".join(words).encode(errors="surrogatepass")).hexdigest()
