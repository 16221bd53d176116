"""The journal: which user made which request, when, from where, and its result. A tenant's administrators read it.

Its size is bounded: texts are truncated, the entries of a tenant have at most LOG_SIZE bytes together, and requests
without credentials for what does not exist become one entry a minute.

Entries are queued and written in batches: a request never waits for its entry. A server that stops writes the rest of
the queue; one that is killed loses the entries of its last half second.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from itertools import accumulate, groupby, islice
from operator import itemgetter
from typing import NamedTuple, Self, cast

from bson import ObjectId

from catalog.domain.jobs import Jobs
from catalog.domain.tenants import tenants
from catalog.errors import Refused
from catalog.store.clock import now
from catalog.store.database import Database
from catalog.store.failures import UNAVAILABLE, DatabaseError
from catalog.store.migrations.opening import open_all
from catalog.store.records import LogRecord, Query
from catalog.store.tenant import Tenant

logger = logging.getLogger(__name__)

COUNTER = "log"
"""The counter of the serials of entries."""

WRITTEN = "log_bytes"
"""The counter of the bytes of all entries ever written. Each entry records where it ends in them."""

FIRST = "log_first"
"""The counter below which no serial is left."""

LONGEST = {"user": 255, "method": 16, "route": 200, "path": 500, "item": 255, "address": 64, "request_id": 64}
"""The most characters of each text."""

UNKNOWN_EVERY = timedelta(minutes=1)
"""The time in which requests without credentials for what does not exist become one entry."""

SLACK = 10
"""A journal is shrunk when it has grown by 1/SLACK of its largest size, which it may exceed by as much meanwhile."""

EVERY = 0.5
"""Seconds between two writes."""

MOST_WAITING = 10_000
"""Entries in the queue, at about 1 KB each. More are dropped and counted: the database cannot keep up."""

BATCH = 500
"""Entries in one write or one removal: the embedded database needs 0.2 s for them, and does nothing else meanwhile."""

EXPIRES_EVERY = 3600.0
EXPIRES_FIRST = 60.0
"""Seconds between two removals of old entries, and before the first."""

PAUSE = 0.1
"""Seconds between two removals."""

PER_FIELD = 8
"""Bytes of a field in addition to its name and its value."""


class LoggedRequest(NamedTuple):
    """A request, without its body, its query string and its token."""

    date: datetime  # when it arrived
    user: str | None  # a username, `operator`, or None
    method: str
    route: str | None  # the pattern of the route, such as /v1/models/{key}
    path: str
    item: str | None  # as written in the path
    address: str | None
    result: int  # the status of the answer
    fault: int | None  # the value of a refusal
    duration: float  # milliseconds
    request_id: str
    requests: int | None = None  # how many requests the entry stands for, if several

    def truncated(self) -> Self:
        """The request with texts of at most LONGEST characters."""
        texts = {name: getattr(self, name) for name in LONGEST}
        return self._replace(**{name: text[: LONGEST[name]] for name, text in texts.items() if text})


class Journal:
    """Queues entries and writes them. `dropped` and `written` count since the start.

    `size` is how many bytes the entries of a tenant may have (0: any number); `reads` is whether requests that only
    read are logged as well.
    """

    def __init__(self, database: Database, days: int, *, size: int = 0, reads: bool = False) -> None:
        self.reads = reads
        self.dropped = 0
        self.written = 0
        self._database = database
        self._days = timedelta(days=days)
        self._size = size
        self._grown: dict[str, int] = {}  # bytes written since a tenant's journal was shrunk, by name
        self._unknown: LoggedRequest | None = None
        self._waiting: deque[tuple[str, LoggedRequest]] = deque()
        self._unwritten: list[tuple[Tenant, list[LogRecord]]] = []
        self._logged_drops = 0
        self._lock = asyncio.Lock()

    @property
    def waiting(self) -> int:
        """How many entries are not yet written."""
        return len(self._waiting) + sum(len(entries) for _, entries in self._unwritten)

    def add(self, tenant: Tenant | None, entry: LoggedRequest) -> None:
        """Queue an entry of a tenant, or, without a tenant, of the operator's journal."""
        if len(self._waiting) >= MOST_WAITING:
            self.dropped += 1
        else:
            self._waiting.append((tenant.name if tenant else "", entry.truncated()))

    def add_unknown(self, entry: LoggedRequest) -> None:
        """Queue one entry for this request without credentials and those that follow: the first, with their number."""
        known = self._unknown
        if known is None:
            self._unknown = entry.truncated()
        else:
            address = known.address if known.address == entry.address else None
            self._unknown = known._replace(requests=(known.requests or 1) + 1, address=address)

    def _add_unknown_requests(self, before: datetime) -> None:
        if self._unknown and self._unknown.date <= before:
            self.add(None, self._unknown)
            self._unknown = None

    def schedule(self, jobs: Jobs) -> None:
        """Write new entries, and remove old ones. The first removal waits: a start has other things to do."""
        jobs.every(EVERY, self.write, "the journal")
        jobs.every(EXPIRES_EVERY, self.expire, "the removal of old journal entries", first=EXPIRES_FIRST)

    async def write(self) -> None:
        """Write the queue. Entries that the database refuses are dropped."""
        self._add_unknown_requests(now() - UNKNOWN_EVERY)
        try:
            await self.flush()
            await self.shrink_grown()
        except Exception as failure:
            if not isinstance(failure, UNAVAILABLE):
                self._drop_unwritable()
            raise
        finally:
            self._log_drops()

    async def flush(self) -> None:
        """Write what the queue has now. While the database is unavailable, entries stay in the queue.

        Entries that are queued meanwhile wait for the next write: under load, to follow them would write a few at a
        time without a pause.
        """
        async with self._lock:
            left = len(self._waiting)
            while self._unwritten or left > 0:
                if not self._unwritten:
                    self._unwritten = await self._next()
                    left -= BATCH
                while self._unwritten:
                    tenant, entries = self._unwritten[0]
                    await _insert(tenant, entries)
                    self.written += len(entries)
                    self._unwritten.pop(0)

    async def _next(self) -> list[tuple[Tenant, list[LogRecord]]]:
        """Up to BATCH entries, by tenant, with their serials.

        Those of a tenant that is removed or cannot be opened are dropped.
        """
        taken = sorted(islice(self._waiting, BATCH), key=itemgetter(0))
        found = []
        for name, queued in groupby(taken, key=itemgetter(0)):
            entries = [entry._asdict() for _, entry in queued]
            tenant = await self._tenant(name)
            if tenant is not None:
                last = await tenant.next(COUNTER, len(entries))
                first = last - len(entries) + 1
                numbered = [
                    cast("LogRecord", {"_id": ObjectId(), "serial": first + at} | entry)
                    for at, entry in enumerate(entries)
                ]
                await self._measure(tenant, numbered)
                found.append((tenant, numbered))
        for _ in taken:  # only now: an unavailable database has raised before
            self._waiting.popleft()
        return found

    async def _tenant(self, name: str) -> Tenant | None:
        """The tenant of this name, or the operator's journal without one."""
        try:
            return await tenants.enter(self._database, name) if name else self._database.operator
        except Refused:  # a newer server has upgraded it meanwhile
            return None

    async def _measure(self, tenant: Tenant, entries: list[LogRecord]) -> None:
        """Record on each entry where it ends among the bytes of all."""
        ends = list(accumulate(map(_size, entries)))
        begin = await tenant.next(WRITTEN, ends[-1]) - ends[-1]
        for entry, end in zip(entries, ends, strict=True):
            entry["end"] = begin + end
        self._grown[tenant.name] = self._grown.get(tenant.name, 0) + ends[-1]

    async def shrink_grown(self) -> None:
        """Remove the oldest entries of journals that have grown much since they were shrunk, and are too large."""
        for name in [name for name, grown in self._grown.items() if self._size and grown * SLACK >= self._size]:
            tenant = await self._tenant(name)
            if tenant is not None:
                await shrink(tenant, self._size)
            self._grown.pop(name, None)

    async def expire(self) -> None:
        """Remove what is older than LOG_DAYS or exceeds LOG_SIZE, of each tenant and of the operator."""
        await self._expire(self._database.operator)
        async for tenant in open_all(self._database):
            await self._expire(tenant)

    async def _expire(self, tenant: Tenant) -> None:
        await expire(tenant, self._days)
        if self._size:
            await shrink(tenant, self._size)

    def _drop_unwritable(self) -> None:
        """Drop the entries that cannot be written, so that they do not block all others."""
        if self._unwritten:
            self.dropped += len(self._unwritten.pop(0)[1])
        else:
            batch = min(BATCH, len(self._waiting))
            self.dropped += batch
            for _ in range(batch):
                self._waiting.popleft()

    def _log_drops(self) -> None:
        if self.dropped > self._logged_drops:
            logger.warning("the journal cannot keep up: %d entries were dropped", self.dropped - self._logged_drops)
            self._logged_drops = self.dropped

    async def close(self, patience: float) -> None:
        """Write the rest of the queue, for at most `patience` seconds, after the jobs have ended."""
        self._add_unknown_requests(now())
        try:
            async with asyncio.timeout(patience):
                await self.flush()
        except (TimeoutError, *UNAVAILABLE):
            logger.warning("the database did not take the last %d entries of the journal", self.waiting)


def _size(entry: Mapping[str, object]) -> int:
    """About how many bytes an entry has, also one that the database refuses."""
    return sum(len(name) + len(str(value).encode(errors="replace")) + PER_FIELD for name, value in entry.items())


async def _insert(tenant: Tenant, entries: Sequence[LogRecord]) -> None:
    try:
        # Some may be there already, from a write whose answer was lost.
        await tenant.log.insert_missing(entries)
    except UNAVAILABLE:
        raise
    except Refused:  # it was removed meanwhile, and its journal with it
        pass
    except DatabaseError as failure:
        logger.warning("the database of %s refuses entries of the journal: %s", tenant, failure)


async def expire(tenant: Tenant, days: timedelta) -> int:
    """Remove the entries that are older than `days`, and return how many.

    In small steps with pauses: the embedded database serves no other request while it removes.
    """
    old = {"date": {"$lt": now() - days}}
    removed = 0
    while ids := [entry["_id"] async for entry in tenant.log.records.find(old, {"_id": 1}).limit(BATCH)]:
        removed += (await tenant.log.records.delete_many({"_id": {"$in": ids}})).deleted_count
        await asyncio.sleep(PAUSE)
    return removed


async def count_old(tenant: Tenant, days: timedelta | None, size: int | None) -> int:
    """How many entries `expire` and `shrink` would remove. None is no limit."""
    old: list[Query] = [] if days is None else [{"date": {"$lt": now() - days}}]
    if size is not None and (beyond := await tenant.count(WRITTEN) - size) > 0:
        old.append({"$or": [{"end": {"$lte": beyond}}, {"end": None}]})
    return await tenant.log.records.count_documents({"$or": old}) if old else 0


async def shrink(tenant: Tenant, size: int) -> int:
    """Remove the oldest entries until the rest has at most `size` bytes together, and return how many.

    In small steps with pauses, and by ranges of serials: the embedded database reads all that it sorts.
    """
    beyond = await tenant.count(WRITTEN) - size
    if beyond <= 0:
        return 0
    first, last, width, removed = await tenant.count(FIRST), await tenant.count(COUNTER), BATCH, 0
    while first <= last:
        query = {"serial": {"$gte": first, "$lt": first + width}}
        here = [entry async for entry in tenant.log.records.find(query, {"serial": 1, "end": 1})]
        # An entry without `end` is older than all that have one.
        old = [entry["_id"] for entry in here if entry.get("end", 0) <= beyond]
        for at in range(0, len(old), BATCH):
            removed += (await tenant.log.records.delete_many({"_id": {"$in": old[at : at + BATCH]}})).deleted_count
            await asyncio.sleep(PAUSE)
        if len(old) < len(here):
            first = min(entry["serial"] for entry in here if entry.get("end", 0) > beyond)
            break
        first += width
        width = BATCH if here else 2 * width
    await tenant.raise_to(FIRST, first)
    return removed
