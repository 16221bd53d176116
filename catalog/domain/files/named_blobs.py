"""Which blobs the records of a tenant name: what is named here is never swept."""

from collections.abc import Sequence

from catalog.store.database import Tenant


async def named(tenant: Tenant, digests: Sequence[str]) -> set[str]:
    """Those of the digests that a version or a file of a folder names."""
    asked, found = frozenset(digests), set()
    among = {"$in": list(digests)}
    async for version in tenant.versions.records.find({"files.digest": among}, {"_id": 0, "files.digest": 1}):
        found |= {file["digest"] for file in version["files"]} & asked
    async for file in tenant.files.records.find({"digest": among}, {"_id": 0, "digest": 1}):
        found.add(file["digest"])
    return found


async def is_named(tenant: Tenant, digest: str) -> bool:
    """Whether a version or a file of a folder names the blob."""
    for names, field in ((tenant.versions, "files.digest"), (tenant.files, "digest")):
        if await names.raw.find_one({field: digest}, {"_id": 1}):
            return True
    return False
