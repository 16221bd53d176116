"""Each version has a serial, unique in its tenant. Those of older versions follow the order of their creation."""

from catalog.store.migrations.progress import Progress
from catalog.store.migrations.walk import batches
from catalog.store.tenant import VERSION_SERIAL, Tenant
from catalog.store.tenant_documents import Update


async def run(tenant: Tenant, progress: Progress) -> None:
    """Give a serial to each version that has none. An interrupted run skips some serials."""
    async for versions in batches(tenant.versions, {"serial": 1}):
        without = [version["_id"] for version in versions if version.get("serial") is None]
        if without:
            first = await tenant.next(VERSION_SERIAL, len(without)) - len(without) + 1
            await tenant.versions.modify_all(
                Update({"_id": key, "serial": None}, {"$set": {"serial": first + at}}) for at, key in enumerate(without)
            )
            progress.add(len(without))
