"""The journal: who did what, when, from where, and what came of it. A tenant's administrators read it.

Its size is bounded: every field is cut, each tenant's entries have at most LOG_SIZE bytes together, and requests of
nobody for what is not there become one entry a minute.

An entry is noted in a queue, and written a moment later with the others: a request never waits for its entry. A server
that is stopped writes what is left; one that is killed loses the entries of its last half second.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from itertools import accumulate, groupby, islice
from operator import itemgetter
from typing import Any, NamedTuple, Self, cast

from bson import ObjectId

from catalog.domain.jobs import Jobs
from catalog.domain.tenants import tenants
from catalog.store.database import UNAVAILABLE, Database, DatabaseError, Tenant
from catalog.store.documents import now
from catalog.store.records import LogRecord

logger = logging.getLogger(__name__)

COUNTER = "log"
"""Of the serials of entries."""

WRITTEN = "log_bytes"
"""The count of the bytes of all entries ever written. Each entry knows where it ends in them."""

FIRST = "log_first"
"""The count below which no serial is left."""

LONGEST = {"user": 255, "method": 16, "route": 200, "path": 500, "item": 255, "address": 64, "request_id": 64}
"""Characters of each text that are kept."""

UNKNOWN_EVERY = timedelta(minutes=1)
"""Time for which requests of nobody for what is not there become one entry."""

LOOSE = 10
"""A journal is cut back when it has grown by a LOOSEth of its size: by so much it may be larger meanwhile."""

EVERY = 0.5
"""Seconds between two writes."""

MOST_WAITING = 10_000
"""Entries, at about 1 KB each. What is more than the database can take is counted and dropped."""

AT_ONCE = 500
"""Entries in one write, or in one removal: the embedded database takes 0.2 s for them, and does nothing else."""

FORGETS_EVERY = 3600.0
FORGETS_AFTER = 60.0
"""Seconds between two removals of old entries, and before the first."""

PAUSE = 0.1
"""Seconds between two removals."""

PER_FIELD = 8
"""Bytes of a field beside its name and its value."""


class Entry(NamedTuple):
    """What is known of a request. Never its body, its query string or a token."""

    date: datetime  # when it came
    user: str | None  # a username, `operator`, or nobody
    method: str
    route: str | None  # the pattern that answered, as /v1/models/{key}
    path: str
    item: str | None  # as the path names it
    address: str | None
    result: int  # the status of the answer
    fault: int | None  # the value of a refusal
    duration: float  # milliseconds
    request_id: str
    requests: int | None = None  # that the entry stands for, when they are several

    def cut(self) -> Self:
        """The entry with no text longer than LONGEST says."""
        given = {name: getattr(self, name) for name in LONGEST}
        return self._replace(**{name: text[: LONGEST[name]] for name, text in given.items() if text})


class Journal:
    """Takes entries in, and writes them by and by. `dropped` and `written` count since the start.

    `size` is how many bytes the entries of a tenant may have (0: any number); `reads` is whether it wants what was only
    looked at, too.
    """

    def __init__(self, database: Database, days: int, *, size: int = 0, reads: bool = False) -> None:
        self.reads = reads
        self.dropped = 0
        self.written = 0
        self._database = database
        self._days = timedelta(days=days)
        self._size = size
        self._grown: dict[str, int] = {}  # bytes written since a tenant's journal was cut back, by its name
        self._unknown: Entry | None = None
        self._waiting: deque[tuple[str, Entry]] = deque()
        self._unwritten: list[tuple[Tenant, list[LogRecord]]] = []
        self._said = 0
        self._turn = asyncio.Lock()

    @property
    def waiting(self) -> int:
        """How many entries are still to be written."""
        return len(self._waiting) + sum(len(entries) for _, entries in self._unwritten)

    def note(self, tenant: Tenant | None, entry: Entry) -> None:
        """Keep an entry of a tenant, or of none, for the operator."""
        if len(self._waiting) >= MOST_WAITING:
            self.dropped += 1
        else:
            self._waiting.append((tenant.name if tenant else "", entry.cut()))

    def count(self, entry: Entry) -> None:
        """Keep one entry for this request of nobody and those that follow: the first one's, with their number."""
        known = self._unknown
        if known is None:
            self._unknown = entry.cut()
        else:
            address = known.address if known.address == entry.address else None
            self._unknown = known._replace(requests=(known.requests or 1) + 1, address=address)

    def _note_counted(self, before: datetime) -> None:
        if self._unknown and self._unknown.date <= before:
            self.note(None, self._unknown)
            self._unknown = None

    def schedule(self, jobs: Jobs) -> None:
        """Write new entries, and remove old ones. The first removal waits: a start has other things to do."""
        jobs.every(EVERY, self.write, "the journal")
        jobs.every(FORGETS_EVERY, self.expire, "the removal of old journal entries", first=FORGETS_AFTER)

    async def write(self) -> None:
        """Write what was noted. Entries that the database refuses are dropped."""
        self._note_counted(now() - UNKNOWN_EVERY)
        try:
            await self.flush()
            await self.cut_back()
        except Exception as failure:
            if not isinstance(failure, UNAVAILABLE):
                self._pass_over()
            raise
        finally:
            self._say_what_was_dropped()

    async def flush(self) -> None:
        """Write what was noted. What the database did not take, because it is away, is kept for the next time."""
        async with self._turn:
            while self._unwritten or self._waiting:
                if not self._unwritten:
                    self._unwritten = await self._next()
                while self._unwritten:
                    tenant, entries = self._unwritten[0]
                    await _insert(tenant, entries)
                    self.written += len(entries)
                    self._unwritten.pop(0)

    async def _next(self) -> list[tuple[Tenant, list[LogRecord]]]:
        """Up to AT_ONCE entries, by tenant, with their numbers. Those of a tenant that has gone are gone too."""
        taken = sorted(islice(self._waiting, AT_ONCE), key=itemgetter(0))
        found = []
        for name, noted in groupby(taken, key=itemgetter(0)):
            entries = [entry._asdict() for _, entry in noted]
            tenant = await tenants.enter(self._database, name) if name else self._database.operator
            if tenant is not None:
                last = await tenant.next(COUNTER, len(entries))
                first = last - len(entries) + 1
                numbered = [
                    cast("LogRecord", {"_id": ObjectId(), "serial": first + at} | entry)
                    for at, entry in enumerate(entries)
                ]
                await self._measure(tenant, numbered)
                found.append((tenant, numbered))
        for _ in taken:  # only now: a database that is away has raised before
            self._waiting.popleft()
        return found

    async def _measure(self, tenant: Tenant, entries: list[LogRecord]) -> None:
        """Write on each entry where it ends among the bytes of all."""
        ends = list(accumulate(map(_size, entries)))
        begin = await tenant.next(WRITTEN, ends[-1]) - ends[-1]
        for entry, end in zip(entries, ends, strict=True):
            entry["end"] = begin + end
        self._grown[tenant.name] = self._grown.get(tenant.name, 0) + ends[-1]

    async def cut_back(self) -> None:
        """Remove the oldest entries of the journals that have grown by much lately, as far as they are too large."""
        for name in [name for name, grown in self._grown.items() if self._size and grown * LOOSE >= self._size]:
            tenant = await tenants.enter(self._database, name) if name else self._database.operator
            if tenant is not None:
                await shrink(tenant, self._size)
            self._grown.pop(name, None)

    async def expire(self) -> None:
        """Remove what is older than LOG_DAYS and what is more than LOG_SIZE, of each tenant and of the operator."""
        await self._expire(self._database.operator)
        async for record in self._database.tenants.find({"state": "ready"}):
            await self._expire(self._database.tenant(record))

    async def _expire(self, tenant: Tenant) -> None:
        await expire(tenant, self._days)
        if self._size:
            await shrink(tenant, self._size)

    def _pass_over(self) -> None:
        """Drop the entries that cannot be written, so that they do not stand in the way of all others."""
        if self._unwritten:
            self.dropped += len(self._unwritten.pop(0)[1])
        else:
            batch = min(AT_ONCE, len(self._waiting))
            self.dropped += batch
            for _ in range(batch):
                self._waiting.popleft()

    def _say_what_was_dropped(self) -> None:
        if self.dropped > self._said:
            logger.warning("the journal cannot keep up: %d entries were dropped", self.dropped - self._said)
            self._said = self.dropped

    async def close(self, patience: float) -> None:
        """Write what is left, for at most `patience` seconds. The jobs have ended before."""
        self._note_counted(now())
        try:
            async with asyncio.timeout(patience):
                await self.flush()
        except (TimeoutError, *UNAVAILABLE):
            logger.warning("the database did not take the last %d entries of the journal", self.waiting)


def _size(entry: Mapping[str, Any]) -> int:
    """About how many bytes an entry takes, also one that the database will not take."""
    return sum(len(name) + len(str(value).encode(errors="replace")) + PER_FIELD for name, value in entry.items())


async def _insert(tenant: Tenant, entries: Sequence[LogRecord]) -> None:
    try:
        # Some may be there already, from a write whose answer was lost.
        await tenant.log.insert_missing(entries)
    except UNAVAILABLE:
        raise
    except DatabaseError as failure:
        logger.warning("the database of %s refuses entries of the journal: %s", tenant, failure)


async def expire(tenant: Tenant, days: timedelta) -> int:
    """Remove the entries that are older than `days`, and say how many.

    In small steps with pauses: the embedded database lets nobody else in while it removes.
    """
    old = {"date": {"$lt": now() - days}}
    removed = 0
    while ids := [entry["_id"] async for entry in tenant.log.raw.find(old, {"_id": 1}).limit(AT_ONCE)]:
        removed += (await tenant.log.raw.delete_many({"_id": {"$in": ids}})).deleted_count
        await asyncio.sleep(PAUSE)
    return removed


async def shrink(tenant: Tenant, size: int) -> int:
    """Remove the oldest entries until those that are left have at most `size` bytes together, and say how many.

    In small steps with pauses, and by ranges of serials: the embedded database reads all that it sorts.
    """
    beyond = await tenant.count(WRITTEN) - size
    if beyond <= 0:
        return 0
    first, last, width, removed = await tenant.count(FIRST), await tenant.count(COUNTER), AT_ONCE, 0
    while first <= last:
        query = {"serial": {"$gte": first, "$lt": first + width}}
        here = [entry async for entry in tenant.log.raw.find(query, {"serial": 1, "end": 1})]
        # What has no end was written before ends were: it is older than all that have one.
        old = [entry["_id"] for entry in here if entry.get("end", 0) <= beyond]
        for at in range(0, len(old), AT_ONCE):
            removed += (await tenant.log.raw.delete_many({"_id": {"$in": old[at : at + AT_ONCE]}})).deleted_count
            await asyncio.sleep(PAUSE)
        if len(old) < len(here):
            first = min(entry["serial"] for entry in here if entry.get("end", 0) > beyond)
            break
        first += width
        width = AT_ONCE if here else 2 * width
    await tenant.raise_to(FIRST, first)
    return removed
