"""Transfers or removes the files of the artifact tree when their owner is removed."""

from bson import ObjectId

from catalog.store.tenant import Tenant
from catalog.vocabulary import PUBLIC_READER


async def transfer(tenant: Tenant, user: ObjectId, new_owner: ObjectId) -> None:
    """Make `new_owner` the owner of the files of `user`. Running it again continues with the rest."""
    files = tenant.artifact_files.records
    public = {"owner": user, "readers": PUBLIC_READER}
    await files.update_many(public, {"$set": {"owner": new_owner, "readers": [new_owner, PUBLIC_READER]}})
    await files.update_many({"owner": user}, {"$set": {"owner": new_owner, "readers": [new_owner]}})


async def remove_all(tenant: Tenant, user: ObjectId) -> None:
    """Remove the files of a removed user. Versions that were made of them keep the bytes."""
    await tenant.artifact_files.records.delete_many({"owner": user})
    await tenant.part_uploads.records.delete_many({"user": user})
