"""The handle of a tenant: all that reaches its database."""

from collections.abc import Awaitable, Callable, Hashable, Sequence
from functools import partial
from time import monotonic
from typing import Any, Generic, TypeVar, cast

from motor.motor_asyncio import AsyncIOMotorCollection, AsyncIOMotorDatabase
from pymongo import ReturnDocument

from catalog.blobs.protocol import Blobs
from catalog.errors import Refused
from catalog.store.concurrency.batches import Batches, Outcomes
from catalog.store.concurrency.fence import Fence, Fenced
from catalog.store.documents.around_items import (
    AliasMoveDocument,
    CardDocument,
    RetentionDocument,
    SearchEntryDocument,
    TrashDocument,
)
from catalog.store.documents.files import ArtifactFileDocument, BlobDocument, PartUploadDocument, UploadDocument
from catalog.store.documents.items import AlgorithmDocument, DatasetDocument, ModelDocument
from catalog.store.documents.journal import LogDocument
from catalog.store.documents.people import AccessTokenDocument, GroupDocument, PasswordResetDocument, UserDocument
from catalog.store.documents.registry import OF_A_TENANT
from catalog.store.documents.terms import MetadataNameDocument, TagDocument
from catalog.store.documents.tracking import (
    ArtifactDocument,
    EnvironmentDocument,
    ExperimentDocument,
    ExperimentRunDocument,
    MetricPointDocument,
    ServedModelDocument,
    ServiceDocument,
)
from catalog.store.documents.versions import VersionDocument, VersionFileDocument
from catalog.store.query.paging.serial_scan import ScanStatistics
from catalog.store.records import (
    AccessTokenRecord,
    AliasMoveRecord,
    ArtifactFileRecord,
    ArtifactRecord,
    BlobRecord,
    CardRecord,
    EnvironmentRecord,
    ExperimentRecord,
    ExperimentRunRecord,
    GroupRecord,
    ItemRecord,
    LogRecord,
    MetricPointRecord,
    PartUploadRecord,
    PasswordResetRecord,
    RetentionRecord,
    SearchEntryRecord,
    ServedModelRecord,
    ServiceRecord,
    TermRecord,
    TrashRecord,
    UploadRecord,
    UserRecord,
    VersionFileRecord,
    VersionRecord,
)
from catalog.store.tenant_documents import BoundCollection, D, R, Raw, SealedDocument, Unbound
from catalog.store.tenant_state import DEFAULT_POLICY, TenantPolicy, TenantState
from catalog.vocabulary import InspectionPolicy, Kind

COUNTERS = "counters"

VERSION_SERIAL = "version_serial"
"""The counter of the serials of versions."""

RECENT = 2.0
"""Seconds that a count is cached which may as well be higher."""

SELDOM = 60.0
"""Seconds that the size of a collection is cached which may have FAR more documents. (The embedded engines read all of
them to count them: 10 000 take 5 ms on `secantusd-rs`, and 100 ms on the engine in Python.)"""

FAR = 200_000
"""More documents than a collection grows by in that time."""


class Collection(Generic[D, R]):
    """A collection of a tenant, bound at its first use: a request needs three of many."""

    def __init__(self, document: type[D]) -> None:
        self._document = document

    def __set_name__(self, _: type, name: str) -> None:
        self._name = name

    def __get__(self, tenant: "Tenant", _: type) -> BoundCollection[D, R]:
        bound: BoundCollection[D, R] = tenant.bound(self._document)
        tenant.__dict__[self._name] = bound  # the next lookup finds this first
        return bound


ItemCollection = (
    BoundCollection[ModelDocument, ItemRecord]
    | BoundCollection[DatasetDocument, ItemRecord]
    | BoundCollection[AlgorithmDocument, ItemRecord]
)
TermCollection = BoundCollection[TagDocument, TermRecord] | BoundCollection[MetadataNameDocument, TermRecord]


W = TypeVar("W")
T = TypeVar("T")
WriteAll = Callable[["Tenant", Sequence[W]], Awaitable[Outcomes[T]]]


class Tenant:
    """One generation of a tenant: a handle of its own database. Nothing else reaches its collections.

    Each write through the handle passes its fence (see `fence`). The fence of a handle `of_caller` checks the rights of
    the caller, too. All handles of a generation share a TenantState.
    """

    users = Collection[UserDocument, UserRecord](UserDocument)
    groups = Collection[GroupDocument, GroupRecord](GroupDocument)
    access_tokens = Collection[AccessTokenDocument, AccessTokenRecord](AccessTokenDocument)
    password_resets = Collection[PasswordResetDocument, PasswordResetRecord](PasswordResetDocument)
    models = Collection[ModelDocument, ItemRecord](ModelDocument)
    datasets = Collection[DatasetDocument, ItemRecord](DatasetDocument)
    algorithms = Collection[AlgorithmDocument, ItemRecord](AlgorithmDocument)
    versions = Collection[VersionDocument, VersionRecord](VersionDocument)
    alias_moves = Collection[AliasMoveDocument, AliasMoveRecord](AliasMoveDocument)
    files = Collection[VersionFileDocument, VersionFileRecord](VersionFileDocument)
    cards = Collection[CardDocument, CardRecord](CardDocument)
    blob_records = Collection[BlobDocument, BlobRecord](BlobDocument)
    uploads = Collection[UploadDocument, UploadRecord](UploadDocument)
    artifact_files = Collection[ArtifactFileDocument, ArtifactFileRecord](ArtifactFileDocument)
    part_uploads = Collection[PartUploadDocument, PartUploadRecord](PartUploadDocument)
    retention = Collection[RetentionDocument, RetentionRecord](RetentionDocument)
    trash = Collection[TrashDocument, TrashRecord](TrashDocument)
    search_entries = Collection[SearchEntryDocument, SearchEntryRecord](SearchEntryDocument)
    tags = Collection[TagDocument, TermRecord](TagDocument)
    metadata = Collection[MetadataNameDocument, TermRecord](MetadataNameDocument)
    log = Collection[LogDocument, LogRecord](LogDocument)
    experiments = Collection[ExperimentDocument, ExperimentRecord](ExperimentDocument)
    runs = Collection[ExperimentRunDocument, ExperimentRunRecord](ExperimentRunDocument)
    artifacts = Collection[ArtifactDocument, ArtifactRecord](ArtifactDocument)
    metric_points = Collection[MetricPointDocument, MetricPointRecord](MetricPointDocument)
    environments = Collection[EnvironmentDocument, EnvironmentRecord](EnvironmentDocument)
    services = Collection[ServiceDocument, ServiceRecord](ServiceDocument)
    served_models = Collection[ServedModelDocument, ServedModelRecord](ServedModelDocument)

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
        self.name = name
        self.database = database
        self.generation = generation
        self.policy = policy
        self.known = state or TenantState()
        self.fence = fence
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

    async def write_in_batch(self, kind: Hashable, wanted: W, write_all: WriteAll[W, T]) -> T:
        """Write `wanted` together with other writes of this `kind` that wait now, of this or another caller.

        `write_all` gets the handle without a caller. It asks the handle of each writer for a `refusal`.
        """
        batches = self.known.batches.get(kind)
        if batches is None:
            batches = self.known.batches[kind] = Batches(partial(write_all, self.base))
        result: T = await batches.write(wanted)
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
        """What keys in the memory of a server are made of: a later tenant of the same name has another."""
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
            await counters.update_one(
                {"_id": counter}, {"$inc": {"value": 0}}, upsert=True
            )  # the counter did not exist
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

    def bound(self, document: type[D]) -> BoundCollection[D, Any]:
        return BoundCollection(document, self.collection(document.collection_name()))

    def collection(self, name: str) -> AsyncIOMotorCollection[Raw]:
        """A collection of this database, behind the fence."""
        collections = self.known.collections
        collection = collections.get(name)
        if collection is None:
            collection = collections[name] = self.database[name]
        return cast("AsyncIOMotorCollection[Raw]", Fenced(collection, name, self.fence)) if self.fence else collection
