"""Where the pages of a long list of files begin: each page is read as a range of paths, whatever was before it.

A closed version does not change, so what is known of one stays right.
"""

import asyncio
from collections.abc import Hashable
from typing import NamedTuple

from cachetools import LRUCache

from catalog.store.records import Query, VersionRecord
from catalog.store.tenant import Tenant

EVERY = 250
"""Files from one known path to the next."""

WORTH_KNOWING = 1000
"""Files of a version. Fewer are sorted for each page."""

KNOWN_VERSIONS = 64

_known: LRUCache[Hashable, "asyncio.Future[list[str]]"] = LRUCache(KNOWN_VERSIONS)


class PathRange(NamedTuple):
    """The files that a page is read from, and how many of them come before it."""

    paths: Query
    skip: int


async def range_of(tenant: Tenant, version: VersionRecord, skip: int, limit: int) -> PathRange:
    """The range of paths that has the files from `skip` to `skip + limit` of a closed version."""
    if version["file_count"] <= WORTH_KNOWING:
        return PathRange({"$gt": ""}, skip)
    begins = await _begins(tenant, version)
    first, stop = skip // EVERY, -(-(skip + limit) // EVERY)
    if first >= len(begins):
        return PathRange({"$gt": ""}, skip)
    paths: Query = {"$gte": begins[first]}
    if stop < len(begins):
        paths["$lt"] = begins[stop]
    return PathRange(paths, skip - first * EVERY)


async def _begins(tenant: Tenant, version: VersionRecord) -> list[str]:
    """The path of each EVERYth file. Requests that ask at the same time share one reading."""
    key = (tenant.name, tenant.generation, version["_id"])
    known = _known.get(key)
    if known is None or (known.done() and (known.cancelled() or known.exception())):
        known = _known[key] = asyncio.ensure_future(_read(tenant, version))
    return await asyncio.shield(known)


async def _read(tenant: Tenant, version: VersionRecord) -> list[str]:
    named = {"version": version["_id"], "path": {"$gt": ""}}
    entries = await tenant.base.files.records.find(named, {"path": 1}).to_list(None)
    return sorted(entry["path"] for entry in entries)[::EVERY]
