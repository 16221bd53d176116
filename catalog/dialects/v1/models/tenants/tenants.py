"""Tenants."""

from typing import Annotated, Self

from msgspec import UNSET, Meta, Struct, UnsetType

from catalog.dialects.v1.models.common import (
    AnyJsonValue,
    Change,
    Moment,
    RequestBody,
    ShortNonBlank,
    ShortText,
    moment,
)
from catalog.dialects.v1.models.lists import Count
from catalog.dialects.v1.models.people.users import Password, PasswordOrEmpty
from catalog.domain.limits import LONGEST_INTEGER
from catalog.domain.tenants.tenants import Administrator, NewTenant, TenantChange
from catalog.errors import INVALID_FIELD, Refused
from catalog.store.records import TenantRecord
from catalog.vocabulary import InspectionPolicy

NAME_PATTERN = "[A-Za-z0-9][A-Za-z0-9_-]{0,62}"
NAME_RULE = "At most 63 letters, digits, hyphens and underscores."

Bytes = Annotated[int, Meta(ge=0, le=LONGEST_INTEGER - 1, description="Bytes, without quotes; 0: no limit.")]
Inspection = Annotated[InspectionPolicy, Meta(description="What becomes of an upload with a suspicious content.")]


class TenantToCreate(RequestBody, rename={"name": "_id"}):
    """A tenant to create."""

    name: Annotated[
        str, Meta(description=NAME_RULE, extra_json_schema={"pattern": f"^{NAME_PATTERN}$"}, examples=["acme"])
    ]
    email: Annotated[ShortNonBlank, Meta(examples=["it@acme.example"])]
    organization: ShortText | None = None
    address: ShortText | None = None
    phone: ShortText | None = None
    quota_bytes: Bytes | None = None
    inspection: Inspection | None = None
    database: Annotated[
        str | None,
        Meta(description="Default: the name of the tenant.", extra_json_schema={"pattern": f"^({NAME_PATTERN})?$"}),
    ] = None
    admin_username: Annotated[ShortText | None, Meta(examples=["admin"])] = None
    admin_password: Annotated[PasswordOrEmpty | None, Meta(description="Any password.", examples=["Engine-No-1"])] = (
        None
    )
    passwordhash: Annotated[
        AnyJsonValue, Meta(description="Ignored: passwords are always hashed.", extra_json_schema={"type": "boolean"})
    ] = None

    def as_input(self, default: Administrator) -> NewTenant:
        """Raises Refused: INVALID_FIELD when neither the client nor the server has a password for the administrator."""
        password = self.admin_password or default.password
        if not password:
            details = "admin_password: Please, supply one (DEFAULT_TENANT_ADMIN_TEMPORARY_PASSWORD is not set)"
            raise Refused(INVALID_FIELD, details)
        return NewTenant(
            name=self.name,
            email=self.email,
            administrator=Administrator(self.admin_username or default.username, password),
            database=self.database or "",
            organization=self.organization,
            address=self.address,
            phone=self.phone,
            quota_bytes=self.quota_bytes,
            inspection=self.inspection,
        )


class TenantUpdate(Change):
    """Fields of a tenant to change."""

    email: ShortText | None = None
    organization: ShortText | None = None
    address: ShortText | None = None
    phone: ShortText | None = None
    quota_bytes: Annotated[Bytes | None, Meta(examples=[10**12])] = None
    inspection: Inspection | None = None

    def as_input(self) -> TenantChange:
        return TenantChange(**self.values())


class AdministratorUpdate(Change):
    """A new password for an administrator."""

    password: Annotated[Password, Meta(description="Any password.")]
    username: Annotated[ShortText | None, Meta(description="Needed if there are several administrators.")] = None


class TenantDetails(Struct, kw_only=True, rename={"name": "_id"}):
    """A tenant."""

    passwordhash: bool
    name: str
    organization: str | UnsetType = UNSET
    address: str | UnsetType = UNSET
    email: str | UnsetType = UNSET
    phone: str | UnsetType = UNSET
    database: str
    quota_bytes: Annotated[Count | UnsetType, Meta(description="0: no limit.")] = UNSET
    inspection: Annotated[
        str | UnsetType, Meta(extra_json_schema={"enum": [str(policy) for policy in InspectionPolicy]})
    ] = UNSET

    @classmethod
    def of(cls, record: TenantRecord, **more: str) -> Self:
        texts = {field: record.get(field) for field in ("organization", "address", "email", "phone", "inspection")}
        quota_bytes = record.get("quota_bytes")
        return cls(
            passwordhash=record["passwordhash"],
            name=record["_id"],
            database=record["database"],
            quota_bytes=UNSET if quota_bytes is None else quota_bytes,
            **{field: text for field, text in texts.items() if isinstance(text, str)},
            **more,
        )


class DatedTenant(TenantDetails, kw_only=True):
    """A tenant that was just created or removed."""

    timestamp: Moment
    lastmod: Moment

    @classmethod
    def with_dates(cls, record: TenantRecord) -> Self:
        return cls.of(record, timestamp=moment(record["timestamp"]), lastmod=moment(record["lastmod"]))


class TenantName(Struct, rename={"name": "_id"}):
    """The name of a tenant."""

    name: str
