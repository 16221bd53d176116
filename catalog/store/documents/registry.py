"""All documents in a tenant's database."""

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
from catalog.store.tenant_documents import SealedDocument

OF_A_TENANT: tuple[type[SealedDocument], ...] = (
    UserDocument,
    GroupDocument,
    AccessTokenDocument,
    PasswordResetDocument,
    ModelDocument,
    DatasetDocument,
    AlgorithmDocument,
    VersionDocument,
    AliasMoveDocument,
    VersionFileDocument,
    CardDocument,
    BlobDocument,
    UploadDocument,
    ArtifactFileDocument,
    PartUploadDocument,
    RetentionDocument,
    TrashDocument,
    SearchEntryDocument,
    TagDocument,
    MetadataNameDocument,
    LogDocument,
    ExperimentDocument,
    ExperimentRunDocument,
    ArtifactDocument,
    MetricPointDocument,
    EnvironmentDocument,
    ServiceDocument,
    ServedModelDocument,
)
"""All documents in a tenant's database."""
