"""Records of tenants, throttled sign-ins and the journal."""

from datetime import datetime
from typing import NotRequired, TypedDict

from bson import ObjectId


class TenantRecord(TypedDict):
    _id: str
    database: str
    generation: NotRequired[str | None]
    organization: NotRequired[str | None]
    address: NotRequired[str | None]
    email: NotRequired[str | None]
    phone: NotRequired[str | None]
    passwordhash: bool
    quota_bytes: NotRequired[int | None]
    sweep: NotRequired[ObjectId | None]
    sweeping: NotRequired[datetime | None]
    swept: NotRequired[datetime | None]
    backup: NotRequired[ObjectId | None]
    backing_up: NotRequired[datetime | None]
    backed_up: NotRequired[datetime | None]
    recounted: NotRequired[datetime | None]
    quota_warned: NotRequired[datetime | None]
    inspection: NotRequired[str | None]
    remover: NotRequired[ObjectId | None]
    restored_from: NotRequired[str | None]
    schema_number: NotRequired[int | None]
    schema_target: NotRequired[int | None]
    migrator: NotRequired[ObjectId | None]
    migrating: NotRequired[datetime | None]
    timestamp: datetime
    lastmod: datetime
    state: str
    database_key: str
    name_key: NotRequired[str]


class FailedAttemptsRecord(TypedDict):
    _id: str
    failures: int
    last: datetime
    expires: datetime


class LogRecord(TypedDict):
    _id: ObjectId
    serial: int
    date: datetime
    user: NotRequired[str | None]
    method: str
    route: NotRequired[str | None]
    path: str
    item: NotRequired[str | None]
    address: NotRequired[str | None]
    result: int
    fault: NotRequired[int | None]
    duration: float
    request_id: str
    requests: NotRequired[int | None]
    end: NotRequired[int]


class RetentionRecord(TypedDict):
    _id: str
    kind: NotRequired[str | None]
    keep_versions: NotRequired[int | None]
    trash_days: NotRequired[int | None]
    trash_bytes: NotRequired[int | None]
    log_days: NotRequired[int | None]
    log_bytes: NotRequired[int | None]
    terms_days: NotRequired[int | None]
    user: NotRequired[ObjectId | None]
    lastmod: NotRequired[datetime]
