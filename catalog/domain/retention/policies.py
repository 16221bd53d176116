"""Policies of retention: what a tenant keeps, and for how long. An item may have its own number of versions to keep.

Without a policy everything stays until a user removes it, and the trash and the journal follow the settings of the
server (TRASH_DAYS, LOG_DAYS, LOG_SIZE), which a policy can only shorten.
"""

from dataclasses import dataclass
from typing import Self

from bson import ObjectId

from catalog.domain.access import Caller
from catalog.domain.items import items
from catalog.domain.items.references import Reference
from catalog.errors import ADMINISTRATORS_ONLY, Refused
from catalog.store.clock import now
from catalog.store.records import Changes, ItemRecord, RetentionRecord
from catalog.store.tenant import Tenant
from catalog.vocabulary import Kind

OF_TENANT = "tenant"
"""The id of the policy of a whole tenant."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionPolicy:
    """What is kept. None is no rule."""

    keep_versions: int | None = None  # the newest ones of each item; 0: all
    trash_days: int | None = None
    trash_bytes: int | None = None  # of the versions of all items in the trash
    log_days: int | None = None
    log_bytes: int | None = None
    terms_days: int | None = None  # how long a term stays that nothing uses

    @classmethod
    def of(cls, record: RetentionRecord | None) -> Self:
        if record is None:
            return cls()
        return cls(
            keep_versions=record.get("keep_versions"),
            trash_days=record.get("trash_days"),
            trash_bytes=record.get("trash_bytes"),
            log_days=record.get("log_days"),
            log_bytes=record.get("log_bytes"),
            terms_days=record.get("terms_days"),
        )


async def of_tenant(tenant: Tenant) -> RetentionPolicy:
    return RetentionPolicy.of(await tenant.retention.records.find_one({"_id": OF_TENANT}))


async def of_item(tenant: Tenant, item: ObjectId) -> int | None:
    """How many versions of an item are kept, by its own policy. None: it has none."""
    found = await tenant.retention.records.find_one({"_id": str(item)})
    return found.get("keep_versions") if found else None


async def kept_versions(tenant: Tenant, item: ObjectId) -> int:
    """How many versions of an item are kept, by its policy or that of the tenant. 0: all."""
    own = await of_item(tenant, item)
    return (await of_tenant(tenant)).keep_versions or 0 if own is None else own


async def change_tenant(caller: Caller, changes: Changes) -> RetentionPolicy:
    """Change rules of the tenant. None ends a rule. Raises Refused: ADMINISTRATORS_ONLY."""
    if not caller.is_admin:
        raise Refused(ADMINISTRATORS_ONLY)
    await _write(caller, OF_TENANT, changes)
    return await of_tenant(caller.tenant)


async def change_item(caller: Caller, kind: Kind, reference: Reference, keep_versions: int | None) -> ItemRecord:
    """Give an item a policy of its own, or take it away with None.

    Raises Refused: NOT_FOUND, AMBIGUOUS, CANNOT_MODIFY.
    """
    item = await items.manageable(caller, kind, reference)
    await _write(caller, str(item["_id"]), {"kind": kind.value, "keep_versions": keep_versions})
    return item


async def _write(caller: Caller, key: str, changes: Changes) -> None:
    set_ = {name: value for name, value in changes.items() if value is not None}
    unset = {name: "" for name, value in changes.items() if value is None}
    set_ |= {"user": caller.user, "lastmod": now()}
    update = {"$set": set_, **({"$unset": unset} if unset else {})}
    await caller.tenant.retention.records.update_one({"_id": key}, update, upsert=True)
