"""What serves a version keeps it: a version that is served is not removed."""

from bson import ObjectId

from catalog.domain.tracking.records import R
from catalog.domain.versions import removal
from catalog.errors import Refused
from catalog.store.tenant import Tenant
from catalog.store.tenant_documents import Records


async def pin_served(tenant: Tenant, bound: Records[R], record: R, version: ObjectId, name: str) -> None:
    """Pin the version that a new record serves. The record goes where the version was removed meanwhile.

    Raises Refused: NOT_FOUND, with the `name` of the version.
    """
    try:
        await removal.pin(tenant, version, name)
    except Refused:
        await bound.records.delete_one({"_id": record["_id"]})
        raise
