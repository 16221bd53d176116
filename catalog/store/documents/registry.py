"""All documents in a tenant's database."""

from catalog.store.documents.around_items import AliasMove, Card, RetentionPolicy, SearchEntry, TrashEntry
from catalog.store.documents.files import ArtifactFile, PartUpload, StoredBlob, Upload
from catalog.store.documents.items import Algorithm, Dataset, Model
from catalog.store.documents.journal import LogEntry
from catalog.store.documents.people import AccessToken, Group, PasswordReset, User
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
from catalog.store.tenant_documents import SealedDocument

OF_A_TENANT: tuple[type[SealedDocument], ...] = (
    User,
    Group,
    AccessToken,
    PasswordReset,
    Model,
    Dataset,
    Algorithm,
    Version,
    AliasMove,
    VersionFile,
    Card,
    StoredBlob,
    Upload,
    ArtifactFile,
    PartUpload,
    RetentionPolicy,
    TrashEntry,
    SearchEntry,
    Tag,
    MetadataName,
    LogEntry,
    Experiment,
    ExperimentRun,
    Artifact,
    MetricPoint,
    Environment,
    Service,
    ServedModel,
)
"""All documents in a tenant's database."""
