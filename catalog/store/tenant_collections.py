"""The collections of a tenant's database, each bound at its first use."""

from typing import Any, Generic, cast

from motor.motor_asyncio import AsyncIOMotorCollection, AsyncIOMotorDatabase

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
from catalog.store.tenant_documents import BoundCollection, D, R, Raw, SealedDocument
from catalog.store.tenant_state import TenantState


class Collection(Generic[D, R]):
    """A collection of a tenant, bound at its first use: a request needs three of many."""

    def __init__(self, document: type[D]) -> None:
        self.document = document

    def __set_name__(self, _: type, name: str) -> None:
        self._name = name

    def __get__(self, tenant: "TenantCollections", _: type) -> BoundCollection[D, R]:
        bound: BoundCollection[D, R] = tenant.bound(self.document)
        tenant.__dict__[self._name] = bound  # the next lookup finds this first
        return bound


ItemCollection = (
    BoundCollection[ModelDocument, ItemRecord]
    | BoundCollection[DatasetDocument, ItemRecord]
    | BoundCollection[AlgorithmDocument, ItemRecord]
)
TermCollection = BoundCollection[TagDocument, TermRecord] | BoundCollection[MetadataNameDocument, TermRecord]


class TenantCollections:
    """The collections of one generation of a tenant. Each write to them passes the fence."""

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

    def __init__(self, database: AsyncIOMotorDatabase[Raw], state: TenantState, fence: Fence | None) -> None:
        self.database = database
        self.known = state
        self.fence = fence

    def bound(self, document: type[D]) -> BoundCollection[D, Any]:
        return BoundCollection(document, self.collection(document.collection_name()))

    def collection(self, name: str) -> AsyncIOMotorCollection[Raw]:
        """A collection of this database, behind the fence."""
        collections = self.known.collections
        collection = collections.get(name)
        if collection is None:
            collection = collections[name] = self.database[name]
        return cast("AsyncIOMotorCollection[Raw]", Fenced(collection, name, self.fence)) if self.fence else collection


OF_A_TENANT: tuple[type[SealedDocument], ...] = tuple(
    each.document for each in vars(TenantCollections).values() if isinstance(each, Collection)
)
"""All documents in a tenant's database."""
