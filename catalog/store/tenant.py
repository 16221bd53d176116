"""The handle of a tenant: the only way to its database."""

from collections.abc import Awaitable, Callable, Hashable, Sequence
from functools import partial
from time import monotonic
from typing import Any, TypeVar

from motor.motor_asyncio import AsyncIOMotorCollection, AsyncIOMotorDatabase
from pymongo import ReturnDocument

from catalog.blobs.protocol import Blobs
from catalog.errors import Refused
from catalog.store.concurrency.batches import Batches, Outcomes
from catalog.store.concurrency.fence import Fence
from catalog.store.query.paging.serial_scan import ScanStatistics
from catalog.store.tenant_collections import OF_A_TENANT, ItemCollection, TenantCollections
from catalog.store.tenant_documents import Raw, SealedDocument, Unbound
from catalog.store.tenant_state import DEFAULT_POLICY, TenantPolicy, TenantState
from catalog.vocabulary import InspectionPolicy, Kind

COUNTERS = "counters"

VERSION_SERIAL = "version_serial"
"""The counter of the serials of versions."""

RECENT = 2.0
"""Seconds that a count is cached where an older, lower value does no harm."""

SELDOM = 60.0
"""Seconds that the size of a collection is cached which may have FAR more documents. (The embedded engines read all of
them to count them: 10 000 take 5 ms on `secantusd-rs`, and 100 ms on the engine in Python.)"""

FAR = 200_000
"""More documents than a collection grows by in that time."""


W = TypeVar("W")
T = TypeVar("T")
WriteAll = Callable[["Tenant", Sequence[W]], Awaitable[Outcomes[T]]]


class Tenant(TenantCollections):
    """One generation of a tenant: a handle of its own database. Nothing else reaches its collections.

    Each write through the handle passes its fence (see `fence`). The fence of a handle `of_caller` checks the rights of
    the caller, too. All handles of a generation share a TenantState.
    """

    def __init__(
        self,
        name: str,
        database: AsyncIOMotorDatabase[Raw],
        generation: str = "",
        *,
        policy: TenantPolicy = DEFAULT_POLICY,
        state: TenantState | None = None,
        fence: Fence | None = None,
        base: "Tenant | None" = None,
    ) -> None:
        super().__init__(database, state or TenantState(), fence)
        self.name = name
        self.generation = generation
        self.policy = policy
        self.base = base or self
        """The handle without a caller: for background jobs, and for what remains to do after a change is committed."""

    def of_caller(self, fence: Fence) -> "Tenant":
        """A handle of the same generation, for one request of a caller."""
        return self._copy(self.policy, fence, self.base)

    def with_policy(self, policy: TenantPolicy) -> "Tenant":
        """A handle of the same generation, with what its record says now."""
        return self._copy(policy, self.fence)

    def _copy(self, policy: TenantPolicy, fence: Fence | None, base: "Tenant | None" = None) -> "Tenant":
        return Tenant(
            self.name, self.database, self.generation, policy=policy, state=self.known, fence=fence, base=base
        )

    async def write_in_batch(self, kind: Hashable, request: W, write_all: WriteAll[W, T]) -> T:
        """Write `request` together with other writes of this `kind` that wait now, of this or another caller.

        `write_all` gets the handle without a caller. It asks the handle of each writer for a `refusal`.
        """
        batches = self.known.batches.get(kind)
        if batches is None:
            batches = self.known.batches[kind] = Batches(partial(write_all, self.base))
        result: T = await batches.write(request)
        return result

    async def refusal(self, document: type[SealedDocument]) -> Refused | None:
        """Check as before a write to the collection of a document, and return why it is refused."""
        try:
            await self.bound(document).cross_fence()
        except Refused as refused:
            return refused
        return None

    async def still_allowed(self) -> None:
        """Check the rights again, as before a write. Raises Refused."""
        if self.fence:
            await self.fence.look()

    @property
    def identity(self) -> str:
        """Identifies the generation in caches of this process: a later tenant of the same name has another identity."""
        return self.generation or self.name

    @property
    def blobs(self) -> Blobs:
        """Where its bytes are stored. Raises Unbound when the database was opened without a storage."""
        if self.known.blobs is None:
            raise Unbound(f"{self.name}: the database was opened without a storage")
        return self.known.blobs

    @blobs.setter
    def blobs(self, blobs: Blobs) -> None:
        self.known.blobs = blobs

    @property
    def quota(self) -> int:
        """The most bytes that its blobs may have together; 0 is no limit."""
        return self.policy.quota

    @property
    def inspection(self) -> InspectionPolicy:
        """The policy for files that an inspection warns of."""
        return self.policy.inspection

    @property
    def arriving(self) -> int:
        """Bytes of uploads that this process is receiving and that are not counted elsewhere yet."""
        return self.known.arriving

    @arriving.setter
    def arriving(self, size: int) -> None:
        self.known.arriving = size

    @property
    def scan_statistics(self) -> ScanStatistics:
        return self.known.scan_statistics

    def __repr__(self) -> str:
        return f"Tenant({self.name!r})"

    def items(self, kind: Kind) -> ItemCollection:
        match kind:
            case Kind.MODEL:
                return self.models
            case Kind.DATASET:
                return self.datasets
            case Kind.ALGORITHM:
                return self.algorithms

    async def next(self, counter: str, steps: int = 1) -> int:
        """Raise a counter, and return its value. The first value is 1; values may be skipped."""
        counted = None
        while counted is None:  # the embedded engine performs concurrent first upserts, but returns nothing
            counted = await self.collection(COUNTERS).find_one_and_update(
                {"_id": counter}, {"$inc": {"value": steps}}, upsert=True, return_document=ReturnDocument.AFTER
            )
        return int(counted["value"])

    async def has_items(self, kind: Kind) -> bool:
        """Whether there are items of a kind. Once there are, it is not asked again."""
        kinds = self.known.kinds
        if kind not in kinds and await self.items(kind).records.find_one({}, {"_id": 1}) is not None:
            kinds.add(kind)
        return kind in kinds

    async def count(self, counter: str) -> int:
        """The value of a counter; 0 before it is first raised."""
        counted = await self.collection(COUNTERS).find_one({"_id": counter})
        return int(counted["value"]) if counted else 0

    async def add(self, counter: str, amount: int, most: int | None = None) -> bool:
        """Raise a counter by `amount`, unless it would exceed `most`. False when it would."""
        counters, raised = self.collection(COUNTERS), {"$inc": {"value": amount}}
        if most is None:
            await counters.update_one({"_id": counter}, raised, upsert=True)
            return True
        low_enough = {"_id": counter, "value": {"$lt": most - amount + 1}}
        while not (await counters.update_one(low_enough, raised)).matched_count:
            if await self.count(counter) + amount > most:
                return False
            # The counter did not exist.
            await counters.update_one({"_id": counter}, {"$inc": {"value": 0}}, upsert=True)
        return True

    async def raise_to(self, counter: str, value: int) -> None:
        """Raise a counter to `value`, unless it is higher."""
        await self.collection(COUNTERS).update_one({"_id": counter}, {"$max": {"value": value}}, upsert=True)

    async def recent(self, counter: str) -> int:
        """The value of a counter at most RECENT seconds ago. It may be higher now."""
        return await self._recent(counter, lambda: self.count(counter))

    async def recent_size(self, collection: AsyncIOMotorCollection[Any], most: int) -> int:
        """About how many documents a collection had a moment ago, of `most` that it may have."""
        name = f"size of {collection.name}"
        size = self.known.counts.get(name, SELDOM)
        if size is not None and size < most - FAR:
            return size
        return await self._recent(name, collection.estimated_document_count)

    async def _recent(self, name: str, count: Callable[[], Awaitable[int]]) -> int:
        value = self.known.counts.get(name, RECENT)
        if value is None:
            asked = monotonic()
            value = await count()
            self.known.counts.put(name, value, asked)
        return value

    async def prepare(self) -> None:
        """Create all indexes that are missing."""
        for document in OF_A_TENANT:
            await self.bound(document).prepare()
