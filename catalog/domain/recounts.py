"""The counts of words, mended: a crash between an item's write and its words' leaves them wrong.

It may run while items change. A difference that is found twice, with time between for whoever has written his item to
count its words, is wrong for good and is added, not set: what was counted meanwhile stays counted.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import NamedTuple

from pymongo import ASCENDING, UpdateOne

from catalog.store.database import Tenant
from catalog.store.documents import MetadataName, Tag, now
from catalog.store.pieces import spelling
from catalog.store.seam import Bound, Raw
from catalog.vocabulary import Kind, Usage

SETTLED = 1.0
"""Seconds after which whoever is between his item and its words has counted them."""

MOST = 10_000
"""Words that one recount mends; more are left to the next, so that memory does not grow with the folksonomy."""


class Used(NamedTuple):
    word: str
    uses: int


async def recount_words(tenant: Tenant) -> int:
    """Mend the uses of tags and of metadata names, and say of how many."""
    return await _recount(tenant, tenant.tags, "tags") + await _recount(tenant, tenant.metadata, "metadata.name")


async def _recount(tenant: Tenant, bound: Bound[Tag] | Bound[MetadataName], field: str) -> int:
    wrong = await _miscounted(tenant, bound, field)
    if not wrong:
        return 0
    await asyncio.sleep(SETTLED)
    still = await _miscounted(tenant, bound, field)
    mended = [
        UpdateOne({"_id": word}, {"$inc": {"uses": lacking}, "$setOnInsert": _coined(word)}, upsert=True)
        for word, lacking in wrong.items()
        if still.get(word) == lacking
    ]
    if mended:
        await bound.raw.bulk_write(mended, ordered=False)
    return len(mended)


def _coined(word: str) -> Raw:
    return {"usage": Usage.FOLK.value, "timestamp": now(), **spelling(word)}


async def _miscounted(tenant: Tenant, bound: Bound[Tag] | Bound[MetadataName], field: str) -> dict[str, int]:
    """Words, with how many uses their counts lack. All lists are walked in the order of words, none is held."""
    told = _told(bound)
    streams = [told, *(_used(tenant, kind, field) for kind in Kind)]
    heads = [await anext(stream, None) for stream in streams]
    wrong: dict[str, int] = {}
    while len(wrong) < MOST and any(heads):
        word = min(head.word for head in heads if head)
        here = [head.uses if head and head.word == word else 0 for head in heads]
        if sum(here[1:]) != here[0]:
            wrong[word] = sum(here[1:]) - here[0]
        for index, head in enumerate(heads):
            if head and head.word == word:
                heads[index] = await anext(streams[index], None)
    return wrong


async def _told(bound: Bound[Tag] | Bound[MetadataName]) -> AsyncIterator[Used]:
    async for word in bound.raw.find({}, {"uses": 1}).sort("_id", ASCENDING):
        yield Used(word["_id"], word.get("uses", 0))


async def _used(tenant: Tenant, kind: Kind, field: str) -> AsyncIterator[Used]:
    stages: list[Raw] = [
        {"$project": {field: 1}},
        {"$unwind": f"${field.partition('.')[0]}"},
        {"$group": {"_id": f"${field}", "uses": {"$sum": 1}}},
        {"$sort": {"_id": ASCENDING}},
    ]
    async for word in tenant.items(kind).raw.aggregate(stages, allowDiskUse=True):
        yield Used(word["_id"], word["uses"])
