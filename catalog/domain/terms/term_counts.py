"""The counts of words, mended: a crash between an item's write and its words' leaves them wrong.

It may run while items change. A difference that is found twice, with time between for whoever has written his item to
count its words, is wrong for good and is added, not set: what was counted meanwhile stays counted.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from typing import NamedTuple

from pymongo import ASCENDING, UpdateOne

from catalog.domain.terms.terms import MOST_SEERS
from catalog.store.database import Tenant, TermCollection
from catalog.store.documents import now
from catalog.store.query.ngrams import spelling
from catalog.store.tenant_documents import Raw
from catalog.vocabulary import PUBLIC_READER, Kind, Usage

SETTLED = 1.0
"""Seconds after which whoever is between his item and its words has counted them."""

MOST = 10_000
"""Words that one recount mends; more are left to the next, so that memory does not grow with the folksonomy."""


class Used(NamedTuple):
    """What is counted of a word: `uses`, and `seen.<whom>`, by how often."""

    word: str
    counts: Mapping[str, int]


async def recount_words(tenant: Tenant) -> int:
    """Mend the uses of tags and of metadata names, and who sees them, and say of how many."""
    return await _recounted(tenant, tenant.tags, "tags") + await _recounted(tenant, tenant.metadata, "metadata.name")


async def _recounted(tenant: Tenant, bound: TermCollection, field: str) -> int:
    mended = await _recount(tenant, bound, field)
    total = mended
    while mended == MOST:  # there may be more; words of an older version were seen by nobody yet
        mended = await _recount(tenant, bound, field)
        total += mended
    return total


async def _recount(tenant: Tenant, bound: TermCollection, field: str) -> int:
    wrong = await _miscounted(tenant, bound, field)
    if not wrong:
        return 0
    await asyncio.sleep(SETTLED)
    still = await _miscounted(tenant, bound, field)
    mended = [
        UpdateOne({"_id": word}, {"$inc": dict(lacking), "$setOnInsert": _coined(word)}, upsert=True)
        for word, lacking in wrong.items()
        if still.get(word) == lacking
    ]
    if mended:
        await bound.raw.bulk_write(mended, ordered=False)
    return len(mended)


def _coined(word: str) -> Raw:
    return {"usage": Usage.FOLK.value, "timestamp": now(), **spelling(word)}


async def _miscounted(tenant: Tenant, bound: TermCollection, field: str) -> dict[str, dict[str, int]]:
    """Words, with what their counts lack. All lists are walked in the order of words, none is held."""
    streams = [_told(bound)]
    streams += [read(tenant, kind, field) for kind in Kind for read in (_used, _seen)]
    heads = [await anext(stream, None) for stream in streams]
    wrong: dict[str, dict[str, int]] = {}
    while len(wrong) < MOST and any(heads):
        word = min(head.word for head in heads if head)
        lacking: Counter[str] = Counter()
        for index, head in enumerate(heads):
            if head and head.word == word:
                lacking.update({name: count if index else -count for name, count in head.counts.items()})
                heads[index] = await anext(streams[index], None)
        if any(lacking.values()):
            wrong[word] = {name: count for name, count in lacking.items() if count}
    return wrong


async def _told(bound: TermCollection) -> AsyncIterator[Used]:
    async for word in bound.raw.find({}, {"uses": 1, "seen": 1}).sort("_id", ASCENDING):
        seen = {f"seen.{whom}": count for whom, count in (word.get("seen") or {}).items()}
        yield Used(word["_id"], {"uses": word.get("uses", 0), **seen})


async def _used(tenant: Tenant, kind: Kind, field: str) -> AsyncIterator[Used]:
    stages: list[Raw] = [
        {"$project": {field: 1}},
        {"$unwind": f"${field.partition('.')[0]}"},
        {"$group": {"_id": f"${field}", "uses": {"$sum": 1}}},
        {"$sort": {"_id": ASCENDING}},
    ]
    async for word in tenant.items(kind).raw.aggregate(stages, allowDiskUse=True):
        yield Used(word["_id"], {"uses": word["uses"]})


async def _seen(tenant: Tenant, kind: Kind, field: str) -> AsyncIterator[Used]:
    """By whom words are seen, as `names.words_of` says of each item. Each reader of a word is a line of its own."""
    public = {"$in": [PUBLIC_READER, "$readers"]}
    seers = {"$cond": [public, [PUBLIC_READER], {"$slice": ["$readers", MOST_SEERS]}]}
    stages: list[Raw] = [
        {"$project": {field: 1, "seer": seers}},
        {"$unwind": f"${field.partition('.')[0]}"},
        {"$unwind": "$seer"},
        {"$group": {"_id": {"word": f"${field}", "seer": "$seer"}, "items": {"$sum": 1}}},
        {"$sort": {"_id": ASCENDING}},
    ]
    word, counts = "", dict[str, int]()
    async for line in tenant.items(kind).raw.aggregate(stages, allowDiskUse=True):
        if line["_id"]["word"] != word and counts:
            yield Used(word, counts)
            counts = {}
        word = line["_id"]["word"]
        counts[f"seen.{line['_id']['seer']}"] = line["items"]
    if counts:
        yield Used(word, counts)
