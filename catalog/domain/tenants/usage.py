"""What a tenant uses: its bytes against its quota, and how much of everything it has."""

import asyncio

from catalog.domain.files import blob_records
from catalog.store.database import Tenant
from catalog.store.tenant_documents import Raw
from catalog.vocabulary import Kind


async def of(tenant: Tenant) -> Raw:
    """Bytes are distinct ones, the `unfinished_bytes` of uploads that are still coming among them.

    A `quota_bytes` of 0 is no limit. What is in the trash counts until it is purged.
    """
    counted = {
        "blobs": tenant.blob_records,
        "versions": tenant.versions,
        **{kind.value: tenant.items(kind) for kind in Kind},
        "trash": tenant.trash,
        "users": tenant.users,
    }
    # What the database knows of a collection by itself: on MongoDB it is read from nowhere.
    counts = await asyncio.gather(*(bound.raw.estimated_document_count() for bound in counted.values()))
    size = await blob_records.usage(tenant)
    told = {"bytes": size, "unfinished_bytes": await blob_records.unfinished(tenant), "quota_bytes": tenant.quota}
    return told | dict(zip(counted, counts, strict=True))
