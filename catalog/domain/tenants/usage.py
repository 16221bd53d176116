"""What a tenant uses: bytes, the quota, and how many records of each kind it has."""

import asyncio
from typing import TypedDict

from catalog.domain.files import quota
from catalog.domain.tenants.quota_warnings import is_near
from catalog.store.tenant import Tenant


class UsageCounts(TypedDict):
    """`bytes` are those of distinct blobs; `unfinished_bytes`, which they include, those of unfinished uploads.

    A `quota_bytes` of 0 is no limit. What is in the trash counts until it is purged.
    """

    bytes: int
    unfinished_bytes: int
    quota_bytes: int
    near_quota: bool
    blobs: int
    versions: int
    models: int
    datasets: int
    algorithms: int
    trash: int
    users: int


async def read(tenant: Tenant) -> UsageCounts:
    collections = (
        tenant.blob_records,
        tenant.versions,
        tenant.models,
        tenant.datasets,
        tenant.algorithms,
        tenant.trash,
        tenant.users,
    )
    # Estimates from the metadata of the collections, which MongoDB answers without reading documents.
    counts = await asyncio.gather(*(bound.records.estimated_document_count() for bound in collections))
    blobs, versions, models, datasets, algorithms, trash, users = counts
    used = await quota.usage(tenant)
    return UsageCounts(
        bytes=used,
        unfinished_bytes=await quota.reserved(tenant),
        quota_bytes=tenant.quota,
        near_quota=is_near(used, tenant.quota),
        blobs=blobs,
        versions=versions,
        models=models,
        datasets=datasets,
        algorithms=algorithms,
        trash=trash,
        users=users,
    )
