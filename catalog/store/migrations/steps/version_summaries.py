"""Items have a summary of their live versions, and a field that says whether they are archived."""

from catalog.store.derived import version_summaries
from catalog.store.migrations.progress import Progress
from catalog.store.migrations.walk import batches
from catalog.store.tenant import Tenant
from catalog.store.tenant_documents import Update
from catalog.vocabulary import Kind


async def run(tenant: Tenant, progress: Progress) -> None:
    """Write both. An item in the trash gets a new summary when it is restored."""
    for kind in Kind:
        async for items in batches(tenant.items(kind), {"archived": 1}):
            without = [item["_id"] for item in items if "archived" not in item]
            await tenant.items(kind).modify_all(
                Update({"_id": key, "archived": None}, {"$set": {"archived": False}}) for key in without
            )
            progress.add(len(without))
    progress.add(await version_summaries.repair(tenant))
