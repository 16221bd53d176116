"""Documents of the catalogue database."""

from datetime import datetime

from beanie import PydanticObjectId
from pydantic import Field
from pymongo import ASCENDING, DESCENDING, IndexModel

from catalog.store.clock import now
from catalog.store.documents.indexes import over, unique
from catalog.store.tenant_documents import SealedDocument
from catalog.vocabulary import InspectionPolicy


class RegisteredTenant(SealedDocument):
    """An organisation, in the catalogue database. `id` is the tenant's name."""

    id: str  # type: ignore[assignment]  # the reference's tenants are named by their client
    database: str
    generation: str | None = None  # new each time that a tenant of this name is created; see store.concurrency.fence
    organization: str | None = None
    address: str | None = None
    email: str | None = None
    phone: str | None = None
    passwordhash: bool = True
    quota_bytes: int | None = None  # bytes of all blobs; none or 0 is no limit
    sweep: PydanticObjectId | None = None  # token of the lease, see domain.cleanup.sweep_schedule
    sweeping: datetime | None = None  # until then the lease holds
    swept: datetime | None = None  # the end of the last sweep
    backup: PydanticObjectId | None = None  # token of the lease of a scheduled backup, see operations.backup.scheduled
    backing_up: datetime | None = None  # until then the lease holds
    backed_up: datetime | None = None  # the beginning of the last one
    recounted: datetime | None = None  # the last recount of the uses of its terms
    quota_warned: datetime | None = None  # since when it is near its quota, see domain.tenants.quota_warnings
    inspection: InspectionPolicy | None = None  # none is `warn`
    remover: PydanticObjectId | None = None  # the owner of the lease of its removal, see domain.tenants.removal
    restored_from: str | None = None  # the backup, until all of its tenants are back, see operations.restore
    schema_number: int | None = None  # of its records, see store.migrations; none is 0
    schema_target: int | None = None  # the number that an upgrade is writing, or has written
    migrator: PydanticObjectId | None = None  # the owner of the lease of the upgrade
    migrating: datetime | None = None  # until then the lease holds
    timestamp: datetime = Field(default_factory=now)
    lastmod: datetime = Field(default_factory=now)
    # `making` until its database and its administrator exist, `removing` from the first step of its removal on.
    # A tenant in these states is not visible; one that a crash left is cleared.
    state: str = "making"
    database_key: str = ""  # the database's name without regard to case, as MongoDB compares them
    name_key: str = ""  # the tenant's name likewise; older tenants may have none

    def model_post_init(self, _: object) -> None:
        self.database_key = self.database.lower()
        self.name_key = self.id.lower()

    class Settings:
        name = "tenants"
        indexes = (
            unique("database_key"),
            # As older versions created it: no migration changes the indexes of the catalogue.
            unique("name_key", partialFilterExpression={"name_key": {"$type": "string"}}),
            IndexModel([("state", ASCENDING), ("timestamp", DESCENDING), ("_id", DESCENDING)]),
        )


class FailedAttempts(SealedDocument):
    """Failed sign-ins of one user or address, in the catalogue database: they may name no tenant."""

    id: str  # type: ignore[assignment]  # see domain.people.authentication.login_throttle
    failures: int = 0
    last: datetime = Field(default_factory=now)
    expires: datetime

    class Settings:
        name = "attempts"
        indexes = (over("expires"),)
