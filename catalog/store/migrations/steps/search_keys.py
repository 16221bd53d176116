"""Items are searched by n-grams of their texts, and names are compared without case and accents."""

from catalog.folding import search_key
from catalog.store.derived import search_entries
from catalog.store.migrations.progress import Progress
from catalog.store.migrations.walk import batches
from catalog.store.tenant import Tenant
from catalog.store.tenant_documents import Update
from catalog.vocabulary import Kind


async def run(tenant: Tenant, progress: Progress) -> None:
    """Write the key of each name, also in the trash, and the entries of the search."""
    for kind in Kind:
        async for items in batches(tenant.items(kind), {"name": 1, "name_key": 1}):
            wrong = [item for item in items if item.get("name_key") != search_key(item["name"])]
            await tenant.items(kind).modify_all(
                Update({"_id": item["_id"], "name": item["name"]}, {"$set": {"name_key": search_key(item["name"])}})
                for item in wrong
            )
            progress.add(len(wrong))
    async for entries in batches(tenant.trash, {"item": 1}):
        await tenant.trash.modify_all(
            Update(
                {"_id": entry["_id"], "item.name": entry["item"]["name"]},
                {"$set": {"item.name_key": search_key(entry["item"]["name"])}},
            )
            for entry in entries
        )
    progress.add(await search_entries.repair(tenant))
