"""The database: one connection, the catalogue of tenants, and a handle for each tenant.

Only `store/` imports the driver. `UNAVAILABLE` and `Duplicate` are failures of the driver that the layers above handle.
"""

import logging
import math
from asyncio import Task, gather, sleep
from collections.abc import Awaitable, Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import cached_property, lru_cache, partial
from time import monotonic
from typing import Any, Generic, TypeVar, cast

from motor.motor_asyncio import AsyncIOMotorClient, AsyncIOMotorCollection, AsyncIOMotorDatabase
from pymongo import ReturnDocument
from pymongo.errors import (
    ConnectionFailure,
    DuplicateKeyError,
    ExecutionTimeout,
    OperationFailure,
    PyMongoError,
)
from pymongo.uri_parser import parse_uri

from catalog.blobs.protocol import Blobs, Storage
from catalog.errors import NOT_FOUND, Refused
from catalog.store.caches import AnswerCache
from catalog.store.concurrency.batches import Batches, Outcomes
from catalog.store.concurrency.fence import Fence, Fenced
from catalog.store.documents.around_items import AliasMove, Card, SearchEntry, TrashEntry
from catalog.store.documents.files import ArtifactFile, PartUpload, StoredBlob, Upload
from catalog.store.documents.items import Algorithm, Dataset, Model
from catalog.store.documents.journal import LogEntry
from catalog.store.documents.people import AccessToken, Group, PasswordReset, User
from catalog.store.documents.registry import OF_A_TENANT
from catalog.store.documents.tenants import FailedAttempts, RegisteredTenant
from catalog.store.documents.terms import MetadataName, Tag
from catalog.store.documents.tracking import (
    Artifact,
    Environment,
    Experiment,
    ExperimentRun,
    MetricPoint,
    ServedModel,
    Service,
)
from catalog.store.documents.versions import Version, VersionFile
from catalog.store.embedded.process import DatabaseUnavailable
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
    FailedAttemptsRecord,
    GroupRecord,
    ItemRecord,
    LogRecord,
    MetricPointRecord,
    PartUploadRecord,
    PasswordResetRecord,
    SearchEntryRecord,
    ServedModelRecord,
    ServiceRecord,
    TenantRecord,
    TermRecord,
    TrashRecord,
    UploadRecord,
    UserRecord,
    VersionFileRecord,
    VersionRecord,
)
from catalog.store.tenant_documents import Bound, D, R, Raw, SealedDocument, Unbound, seal
from catalog.vocabulary import InspectionPolicy, Kind

logger = logging.getLogger(__name__)

UNAVAILABLE = (ConnectionFailure, ExecutionTimeout)
"""The database does not answer, or too slowly. A later attempt may succeed."""

DatabaseError = PyMongoError
"""Any failure of the database or of its driver."""

Duplicate = DuplicateKeyError
"""A unique index refused the write."""

CATALOGUE = "registry-catalog"
"""The catalogue database, unless DATABASE names another."""

COUNTERS = "counters"

VERSION_SERIAL = "version_serial"
"""The counter of the serials of versions."""

HANDLES = 256
"""How many tenants' handles are cached. A handle takes 0.1 KB, and microseconds to create."""

RECENT = 2.0
"""Seconds that a count is cached which may as well be higher."""

MOST_COUNTS = 64
"""How many counts of a tenant are cached. It has fewer."""

RETRY = 1.0
"""Seconds between two attempts to reach the database at the start."""

PATIENCE_MS = 3000
"""How long a request waits for a database that does not answer."""

LOOKED_AT_MS = 3000
"""How often the driver checks each server of the database. A server that hangs is detected after this and PATIENCE_MS,
and requests that wait for it fail then."""

OPTIONS: dict[str, Any] = {
    "w": "majority",
    "journal": True,
    "serverSelectionTimeoutMS": PATIENCE_MS,
    "connectTimeoutMS": PATIENCE_MS,
    "heartbeatFrequencyMS": LOOKED_AT_MS,
}


class Collection(Generic[D, R]):
    """A collection of a tenant, bound at its first use: a request needs three of many."""

    def __init__(self, document: type[D]) -> None:
        self._document = document

    def __set_name__(self, _: type, name: str) -> None:
        self._name = name

    def __get__(self, tenant: "Tenant", _: type) -> Bound[D, R]:
        bound: Bound[D, R] = tenant.bound(self._document)
        tenant.__dict__[self._name] = bound  # the next lookup finds this first
        return bound


ItemCollection = Bound[Model, ItemRecord] | Bound[Dataset, ItemRecord] | Bound[Algorithm, ItemRecord]
TermCollection = Bound[Tag, TermRecord] | Bound[MetadataName, TermRecord]


W = TypeVar("W")
T = TypeVar("T")
WriteAll = Callable[["Tenant", Sequence[W]], Awaitable[Outcomes[T]]]


class TenantState:
    """The state that all handles of one generation of a tenant share."""

    def __init__(self) -> None:
        self.quota = 0
        self.inspection = InspectionPolicy.WARN
        self.arriving = 0
        self.blobs: Blobs | None = None
        self.created: datetime | None = None
        self.seen = -math.inf
        """When the database last answered that the tenant exists, in seconds of the monotonic clock."""
        self.scan_statistics = ScanStatistics()
        self.counts: AnswerCache[int] = AnswerCache(MOST_COUNTS)
        self.collections: dict[str, AsyncIOMotorCollection[Raw]] = {}
        self.batches: dict[Hashable, Batches[Any, Any]] = {}
        """Writes that share commands, by their kind."""


class Tenant:
    """One generation of a tenant: a handle of its own database. Nothing else reaches its collections.

    Each write through the handle passes its fence (see `fence`). The fence of a handle `of_caller` checks the rights of
    the caller, too. All handles of a generation share a TenantState.
    """

    users = Collection[User, UserRecord](User)
    groups = Collection[Group, GroupRecord](Group)
    access_tokens = Collection[AccessToken, AccessTokenRecord](AccessToken)
    password_resets = Collection[PasswordReset, PasswordResetRecord](PasswordReset)
    models = Collection[Model, ItemRecord](Model)
    datasets = Collection[Dataset, ItemRecord](Dataset)
    algorithms = Collection[Algorithm, ItemRecord](Algorithm)
    versions = Collection[Version, VersionRecord](Version)
    alias_moves = Collection[AliasMove, AliasMoveRecord](AliasMove)
    files = Collection[VersionFile, VersionFileRecord](VersionFile)
    cards = Collection[Card, CardRecord](Card)
    blob_records = Collection[StoredBlob, BlobRecord](StoredBlob)
    uploads = Collection[Upload, UploadRecord](Upload)
    artifact_files = Collection[ArtifactFile, ArtifactFileRecord](ArtifactFile)
    part_uploads = Collection[PartUpload, PartUploadRecord](PartUpload)
    trash = Collection[TrashEntry, TrashRecord](TrashEntry)
    search_entries = Collection[SearchEntry, SearchEntryRecord](SearchEntry)
    tags = Collection[Tag, TermRecord](Tag)
    metadata = Collection[MetadataName, TermRecord](MetadataName)
    log = Collection[LogEntry, LogRecord](LogEntry)
    experiments = Collection[Experiment, ExperimentRecord](Experiment)
    runs = Collection[ExperimentRun, ExperimentRunRecord](ExperimentRun)
    artifacts = Collection[Artifact, ArtifactRecord](Artifact)
    metric_points = Collection[MetricPoint, MetricPointRecord](MetricPoint)
    environments = Collection[Environment, EnvironmentRecord](Environment)
    services = Collection[Service, ServiceRecord](Service)
    served_models = Collection[ServedModel, ServedModelRecord](ServedModel)

    def __init__(
        self,
        name: str,
        database: AsyncIOMotorDatabase[Raw],
        generation: str = "",
        fence: Fence | None = None,
        base: "Tenant | None" = None,
    ) -> None:
        self.name = name
        self.database = database
        self.generation = generation
        self.fence = fence
        self.base = base or self
        """The handle without a caller: for background jobs, and for what remains to do after a change is committed."""
        self.known: TenantState = base.known if base else TenantState()

    def of_caller(self, fence: Fence) -> "Tenant":
        """A handle of the same generation, for one request of a caller."""
        return Tenant(self.name, self.database, self.generation, fence, self.base)

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
        """The most bytes that its blobs may have together, as of the last read of its record; 0 is no limit."""
        return self.known.quota

    @quota.setter
    def quota(self, size: int) -> None:
        self.known.quota = size

    @property
    def inspection(self) -> InspectionPolicy:
        """The policy for files that an inspection warns of, as of the last read of its record."""
        return self.known.inspection

    @inspection.setter
    def inspection(self, policy: InspectionPolicy) -> None:
        self.known.inspection = policy

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

    async def recent_size(self, collection: AsyncIOMotorCollection[Any]) -> int:
        """About how many documents a collection had at most RECENT seconds ago."""
        return await self._recent(f"size of {collection.name}", collection.estimated_document_count)

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

    def bound(self, document: type[D]) -> Bound[D, Any]:
        return Bound(document, self.collection(document.get_settings().name or document.__name__))

    def collection(self, name: str) -> AsyncIOMotorCollection[Raw]:
        """A collection of this database, behind the fence."""
        collections = self.known.collections
        collection = collections.get(name)
        if collection is None:
            collection = collections[name] = self.database[name]
        return cast("AsyncIOMotorCollection[Raw]", Fenced(collection, name, self.fence)) if self.fence else collection


class Database:
    """A connection. `tenants` is the catalogue of tenants; `tenant()` returns the handle of one.

    `storage` has the tenants' bytes. Without one the handles know records only.
    """

    def __init__(
        self, client: AsyncIOMotorClient[Raw], catalogue: str = CATALOGUE, storage: Storage | None = None
    ) -> None:
        self.client = client
        self.catalogue = catalogue
        self.storage = storage
        self.tenants = Bound[RegisteredTenant, TenantRecord](RegisteredTenant, client[catalogue]["tenants"])
        self.attempts = Bound[FailedAttempts, FailedAttemptsRecord](FailedAttempts, client[catalogue]["attempts"])
        self.upgrades: dict[str, Task[Refused | None]] = {}
        """The upgrades of tenants that this process runs, see `migrations.opening`."""
        self.newer: set[str] = set()
        """Tenants of a newer version that the log has told of."""
        self._handle = lru_cache(HANDLES)(self._new_handle)

    async def open(self, wait: float = 0) -> None:
        """Prepare the catalogue. A database that does not answer is tried again for `wait` seconds, and logged.

        Raises DatabaseUnavailable.
        """
        ends = monotonic() + wait
        while True:
            try:
                return await self._open()
            except DatabaseUnavailable as failure:
                # A database that answered and refused would refuse again.
                if monotonic() >= ends or not isinstance(failure.__cause__, UNAVAILABLE):
                    raise
                logger.warning("%s; trying for %d s more", failure, ends - monotonic())
                await sleep(RETRY)

    async def _open(self) -> None:
        with readable_failures():
            await seal(self.client, (RegisteredTenant, FailedAttempts, *OF_A_TENANT))
            await self.tenants.prepare()
            await self.attempts.prepare()
            await self.operator.log.prepare()

    @cached_property
    def operator(self) -> Tenant:
        """The handle for the journal of requests without a tenant. Only after `open`."""
        return Tenant("", self.client[self.catalogue])

    async def ping(self) -> None:
        """Raises one of UNAVAILABLE when the database does not answer."""
        await self.client.admin.command("ping")

    def tenant(self, record: RegisteredTenant) -> Tenant:
        handle: Tenant = self._handle(record.id, record.database, record.generation or "")
        handle.quota = record.quota_bytes or 0
        handle.inspection = record.inspection or InspectionPolicy.WARN
        handle.known.created = record.timestamp
        return handle

    def forget(self, name: str, database: str, generation: str) -> None:
        """Drop the cached answer that a generation of a tenant exists."""
        handle: Tenant = self._handle(name, database, generation)
        handle.known.seen = -math.inf
        if handle.fence:
            handle.fence.lapse()

    def _new_handle(self, name: str, database: str, generation: str) -> Tenant:
        # A record without a generation is new, or from an older version; see `domain.tenants.tenants.enter`.
        handle = Tenant(name, self.client[database], generation)
        if self.storage:
            handle.blobs = self.storage.of(name)
        if generation:
            handle.fence = Fence(lambda age: self.refuse_gone(handle, age))
        return handle

    async def refuse_gone(self, tenant: Tenant, age: float) -> None:
        """Check that this generation of a tenant exists, with an answer of at most `age` seconds ago.

        Raises Refused: NOT_FOUND.
        """
        if monotonic() - tenant.known.seen < age:
            return
        asked = monotonic()
        same = {"_id": tenant.name, "generation": tenant.generation, "state": {"$nin": ["removing", "removed"]}}
        if await self.tenants.raw.find_one(same, {"_id": 1}) is None:
            raise Refused(NOT_FOUND, f"the tenant {tenant.name} was removed meanwhile")
        tenant.known.seen = asked

    async def holds(self, database: str) -> bool:
        """Whether a database of this name has any collection."""
        return bool(await self.client[database].list_collection_names())

    async def drop(self, database: str) -> None:
        """Drop a tenant's database, if it exists."""
        await self.client.drop_database(database)

    async def stop_upgrades(self) -> None:
        """End the upgrades of this process. Another server, or the next start, goes on with them."""
        running = list(self.upgrades.values())
        for task in running:
            task.cancel()
        await gather(*running, return_exceptions=True)

    def close(self) -> None:
        self.client.close()


@contextmanager
def readable_failures() -> Iterator[None]:
    """Turn failures of the driver into DatabaseUnavailable with one sentence for the operator, at the start."""
    try:
        yield
    except OperationFailure as failure:
        refusal = (failure.details or {}).get("errmsg", "no reason given")
        raise DatabaseUnavailable(f"the database of DATABASE refused: {refusal}") from failure
    except UNAVAILABLE as failure:
        reason = str(failure).partition(" (configured timeouts")[0]  # the rest is the driver's view of the topology
        raise DatabaseUnavailable(f"DATABASE cannot be reached: {reason}") from failure


def connect(uri: str, storage: Storage | None = None) -> Database:
    """A connection to MongoDB, not yet used.

    A write is acknowledged when a majority has it on disk, so a success survives a crash. `w` and `journal` in the URI
    take precedence.

    Raises DatabaseUnavailable when `uri` cannot be understood.
    """
    try:
        parsed = parse_uri(uri)
        options = {name: value for name, value in OPTIONS.items() if name not in parsed["options"]}
        client: AsyncIOMotorClient[Raw] = AsyncIOMotorClient(uri, tz_aware=True, appname="catalog", **options)
    except (PyMongoError, ValueError) as failure:
        raise DatabaseUnavailable(f"DATABASE is not a MongoDB address: {failure}") from failure
    return Database(client, parsed["database"] or CATALOGUE, storage)
