"""Which blobs the records of a tenant refer to: the sweep never removes these."""

from collections.abc import Sequence

from catalog.store.tenant import Tenant


async def named(tenant: Tenant, digests: Sequence[str]) -> set[str]:
    """Those of the digests that a version, a file of a folder or of the artifact tree, or a part of an upload names."""
    asked, found = frozenset(digests), set()
    among = {"$in": list(digests)}
    async for version in tenant.versions.records.find({"files.digest": among}, {"_id": 0, "files.digest": 1}):
        found |= {file["digest"] for file in version["files"]} & asked
    for names in (tenant.files, tenant.artifact_files):
        async for file in names.records.find({"digest": among}, {"_id": 0, "digest": 1}):
            found.add(file["digest"])
    async for upload in tenant.part_uploads.records.find({"parts.digest": among}, {"_id": 0, "parts.digest": 1}):
        found |= {part["digest"] for part in upload["parts"]} & asked
    return found


async def is_named(tenant: Tenant, digest: str) -> bool:
    """Whether anything names the blob."""
    names = (
        (tenant.versions, "files.digest"),
        (tenant.files, "digest"),
        (tenant.artifact_files, "digest"),
        (tenant.part_uploads, "parts.digest"),
    )
    for bound, field in names:
        if await bound.records.find_one({field: digest}, {"_id": 1}):
            return True
    return False
