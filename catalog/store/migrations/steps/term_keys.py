"""Terms are found by their key and its n-grams."""

from catalog.store.migrations.progress import Progress
from catalog.store.migrations.walk import batches
from catalog.store.query.ngrams import spelling
from catalog.store.tenant import Tenant
from catalog.store.tenant_documents import Update


async def run(tenant: Tenant, progress: Progress) -> None:
    """Write the key and the n-grams of the terms whose key or n-grams are missing or those of an older version."""
    for terms in tenant.tags, tenant.metadata:
        async for batch in batches(terms, {"key": 1, "pieces": 1}):
            updates = []
            for term in batch:
                fields = spelling(term["_id"])
                if any(term.get(name) != value for name, value in fields.items()):
                    updates.append(Update({"_id": term["_id"]}, {"$set": fields}))
            await terms.modify_all(updates)
            progress.add(len(updates))
