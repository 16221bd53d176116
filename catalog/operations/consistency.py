"""Repairs differences between the collections of a restored tenant: a backup reads one after the other."""

from collections.abc import AsyncIterator

from catalog.store.query.totals import highest_numbers
from catalog.store.tenant import Tenant
from catalog.vocabulary import Kind


async def remove_orphans(tenant: Tenant) -> int:
    """Remove versions whose item neither exists nor is in the trash, and return their number.

    An item may have been read before its newest versions were: their numbers are not used again.
    """
    removed = 0
    async for item, kind, number in highest_numbers(tenant):
        raised = {"$max": {"last_version": number}}
        there = (await tenant.items(kind).records.update_one({"_id": item}, raised)).matched_count
        if not there and await tenant.trash.records.find_one({"_id": item}, {"_id": 1}) is None:
            removed += (await tenant.versions.records.delete_many({"item": item})).deleted_count
    return removed


async def remove_dangling_aliases(tenant: Tenant) -> None:
    """Remove aliases whose version was removed between the reading of the item and that of the versions."""
    for kind in Kind:
        async for item in tenant.items(kind).records.find({"aliases.name": {"$gt": ""}}, {"aliases": 1}):
            numbers = [alias["number"] for alias in item["aliases"]]
            query = {"item": item["_id"], "number": {"$in": numbers}}
            there = {version["number"] async for version in tenant.versions.records.find(query, {"number": 1})}
            kept = [alias for alias in item["aliases"] if alias["number"] in there]
            if len(kept) < len(numbers):
                await tenant.items(kind).records.update_one({"_id": item["_id"]}, {"$set": {"aliases": kept}})


async def named_digests(tenant: Tenant) -> AsyncIterator[str]:
    """The digests that versions, files of folders and artifacts name."""
    async for version in tenant.versions.records.find({}, {"files.digest": 1}):
        for file in version["files"]:
            if file["digest"]:
                yield file["digest"]
    async for file in tenant.files.records.find({}, {"digest": 1}):
        if file["digest"]:
            yield file["digest"]
    async for artifact in tenant.artifact_files.records.find({}, {"digest": 1}):
        if artifact["digest"]:
            yield artifact["digest"]
