"""What all handles of one generation of a tenant share."""

import math
from collections.abc import Hashable
from datetime import datetime
from typing import Any, NamedTuple

from cachetools import LRUCache
from motor.motor_asyncio import AsyncIOMotorCollection

from catalog.blobs.protocol import Blobs
from catalog.store.caches import AnswerCache
from catalog.store.concurrency.batches import Batches
from catalog.store.concurrency.shared_reads import SharedReads
from catalog.store.query.paging.cuts import Samples
from catalog.store.query.paging.serial_scan import ScanStatistics
from catalog.store.tenant_documents import Raw
from catalog.vocabulary import InspectionPolicy, Kind

MOST_COUNTS = 64
"""How many counts of a tenant are cached. It has fewer."""

MOST_TERMS = 2000
"""How many terms of a tenant are remembered as used."""


class TenantPolicy(NamedTuple):
    """What the record of a tenant says, as of the last read of it."""

    quota: int = 0
    inspection: InspectionPolicy = InspectionPolicy.WARN
    created: datetime | None = None


DEFAULT_POLICY = TenantPolicy()


class TenantState:
    """The state that all handles of one generation of a tenant share."""

    def __init__(self) -> None:
        self.arriving = 0
        self.blobs: Blobs | None = None
        self.seen = -math.inf
        """When the database last answered that the tenant exists, in seconds of the monotonic clock."""
        self.scan_statistics = ScanStatistics()
        self.samples = Samples()
        self.counts: AnswerCache[int] = AnswerCache(MOST_COUNTS)
        self.collections: dict[str, AsyncIOMotorCollection[Raw]] = {}
        self.kinds: set[Kind] = set()
        """The kinds of which there was an item when it was last asked."""
        self.used_terms: LRUCache[tuple[str, str], bool] = LRUCache(MOST_TERMS)
        """Terms that were there when they were last used, by collection and name. They may be gone by now."""
        self.most_apart = math.inf
        """How many writes to several collections are sent as a command for each, see `concurrency.combined_writes`."""
        self.batches: dict[Hashable, Batches[Any, Any]] = {}
        """Writes that share commands, by their kind."""
        self.reads = SharedReads()
