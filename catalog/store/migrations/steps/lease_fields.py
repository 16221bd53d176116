"""The fields of leases, and of other work in progress, say what they hold."""

from collections.abc import Mapping

from catalog.store.migrations.progress import Progress
from catalog.store.tenant import Tenant

UPLOADS = {"held": "lease_until", "holder": "lease_owner", "asked": "lease_requested"}
TRASH = {"held": "lease_until"}
BLOBS = {"going": "deleting_since"}
USERS = {"leaving": "demotion_token"}


async def run(tenant: Tenant, progress: Progress) -> None:
    """Rename the fields. All fields of a lease change at once, so that a lease that is held stays held.

    A record that has both names keeps the value of the newer one.
    """
    fields_of: dict[str, Mapping[str, str]] = {
        tenant.uploads.name: UPLOADS,
        tenant.trash.name: TRASH,
        tenant.blob_records.name: BLOBS,
        tenant.users.name: USERS,
    }
    for name, fields in fields_of.items():
        collection = tenant.collection(name)
        has_any = {"$or": [{older: {"$exists": True}} for older in fields]}
        has_none = {newer: {"$exists": False} for newer in fields.values()}
        progress.add((await collection.update_many(has_any | has_none, {"$rename": dict(fields)})).modified_count)
        await collection.update_many(has_any, {"$unset": dict.fromkeys(fields, "")})
