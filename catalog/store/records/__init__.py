"""The records of each collection, as the driver reads them: a TypedDict per document.

`tenant.models.records.find_one(...)` returns `ItemRecord | None`, and `find(...)` there yields `ItemRecord`.
The Beanie documents in `documents` declare the same fields with their indexes and checks; a test compares the two.

A field is `NotRequired` where a record may lack it: it has no value, or the record is older than the field.
Enumerations are read as strings. A projection leaves fields out although the type says that they are there.
"""

from catalog.store.records.files import ArtifactFileRecord, BlobRecord, PartRecord, PartUploadRecord, UploadRecord
from catalog.store.records.items import (
    AliasMoveRecord,
    AliasRecord,
    CardRecord,
    ItemRecord,
    LatestRecord,
    PairRecord,
    SearchEntryRecord,
    ShareRecord,
    SummaryRecord,
    TermRecord,
    TrashRecord,
)
from catalog.store.records.people import (
    AccessTokenRecord,
    GroupRecord,
    PasswordResetRecord,
    RobotItemRecord,
    RobotRecord,
    UserRecord,
)
from catalog.store.records.queries import Changes, Query, Value
from catalog.store.records.tenants import FailedAttemptsRecord, LogRecord, RetentionRecord, TenantRecord
from catalog.store.records.tracking import (
    ArtifactRecord,
    EnvironmentRecord,
    ExperimentRecord,
    ExperimentRunRecord,
    MetricPointRecord,
    ServedModelRecord,
    ServiceRecord,
    TrackedRecord,
)
from catalog.store.records.versions import FileRecord, InputRecord, RunRecord, VersionFileRecord, VersionRecord

__all__ = [
    "AccessTokenRecord",
    "AliasMoveRecord",
    "AliasRecord",
    "ArtifactFileRecord",
    "ArtifactRecord",
    "BlobRecord",
    "CardRecord",
    "Changes",
    "EnvironmentRecord",
    "ExperimentRecord",
    "ExperimentRunRecord",
    "FailedAttemptsRecord",
    "FileRecord",
    "GroupRecord",
    "InputRecord",
    "ItemRecord",
    "LatestRecord",
    "LogRecord",
    "MetricPointRecord",
    "PairRecord",
    "PartRecord",
    "PartUploadRecord",
    "PasswordResetRecord",
    "Query",
    "RetentionRecord",
    "RobotItemRecord",
    "RobotRecord",
    "RunRecord",
    "SearchEntryRecord",
    "ServedModelRecord",
    "ServiceRecord",
    "ShareRecord",
    "SummaryRecord",
    "TenantRecord",
    "TermRecord",
    "TrackedRecord",
    "TrashRecord",
    "UploadRecord",
    "UserRecord",
    "Value",
    "VersionFileRecord",
    "VersionRecord",
]
