"""A version whose state is `ARCHIVED` has the field `archived`, too, by which lists leave it out."""

from catalog.store.migrations.progress import Progress
from catalog.store.migrations.walk import batches
from catalog.store.tenant import Tenant
from catalog.store.tenant_documents import Update
from catalog.vocabulary import VersionState

ARCHIVED = VersionState.ARCHIVED.value


async def run(tenant: Tenant, progress: Progress) -> None:
    async for versions in batches(tenant.versions, {"state": 1, "archived": 1}):
        without = [each["_id"] for each in versions if each["state"] == ARCHIVED and not each.get("archived")]
        if without:
            await tenant.versions.modify_all(
                Update({"_id": key, "state": ARCHIVED}, {"$set": {"archived": True}}) for key in without
            )
            progress.add(len(without))
