"""Repair of the counts of terms: a crash between the write of an item and that of its terms leaves them wrong.

It may run while items change. A difference that is found twice, with a pause in which a request finishes its counting,
is an error, and is added rather than set: what was counted in between stays counted.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import NamedTuple

from catalog.gathering import gather_all
from catalog.store.clock import now
from catalog.store.derived import term_usage
from catalog.store.query.ngrams import spelling
from catalog.store.query.paging.cursors import ASCENDING
from catalog.store.records import Changes
from catalog.store.tenant import Tenant
from catalog.store.tenant_collections import TermCollection
from catalog.store.tenant_documents import Update
from catalog.vocabulary import Kind, Usage

SETTLED = 1.0
"""Seconds after which a request that has written an item has counted its terms."""

MOST = 10_000
"""Terms that one pass repairs, so that memory does not grow with the folksonomy."""


Pause = Callable[[float], Awaitable[object]]


class TermCount(NamedTuple):
    """The counts of a term by field: `uses`, and `seen.<viewer>`."""

    term: str
    counts: Mapping[str, int]


async def repair(tenant: Tenant, most: int = MOST, pause: Pause = asyncio.sleep) -> int:
    """Repair the counts of tags and metadata names, `most` in one pass, and return of how many."""
    fields = ((tenant.tags, "tags"), (tenant.metadata, "metadata.name"))
    repaired = await gather_all(_repair_all(tenant, terms, field, most, pause) for terms, field in fields)
    return sum(repaired)


async def _repair_all(tenant: Tenant, terms: TermCollection, field: str, most: int, pause: Pause) -> int:
    total = repaired = await _repair(tenant, terms, field, most, pause)
    while repaired == most:  # there may be more
        repaired = await _repair(tenant, terms, field, most, pause)
        total += repaired
    return total


async def _repair(tenant: Tenant, terms: TermCollection, field: str, most: int, pause: Pause) -> int:
    wrong = await _miscounted(tenant, terms, field, most)
    if not wrong:
        return 0
    await pause(SETTLED)
    still = await _miscounted(tenant, terms, field, most)
    repaired = [
        Update({"_id": name}, {"$inc": dict(lacking), "$setOnInsert": _folk(name)}, upsert=True)
        for name, lacking in wrong.items()
        if still.get(name) == lacking
    ]
    await terms.modify_all(repaired)
    return len(repaired)


def _folk(name: str) -> Changes:
    return {"usage": Usage.FOLK.value, "timestamp": now(), **spelling(name)}


async def _miscounted(tenant: Tenant, terms: TermCollection, field: str, most: int) -> dict[str, dict[str, int]]:
    """What the counts of each term lack. All streams are walked in the order of terms, none is held in memory."""
    streams = [_stored_counts(terms)]
    streams += [read(tenant, kind, field) for kind in Kind for read in (_uses, _views)]
    heads = [await anext(stream, None) for stream in streams]
    wrong: dict[str, dict[str, int]] = {}
    while len(wrong) < most and any(heads):
        name = min(head.term for head in heads if head)
        lacking: Counter[str] = Counter()
        for index, head in enumerate(heads):
            if head and head.term == name:
                lacking.update({counted: count if index else -count for counted, count in head.counts.items()})
                heads[index] = await anext(streams[index], None)
        if any(lacking.values()):
            wrong[name] = {counted: count for counted, count in lacking.items() if count}
    return wrong


async def _stored_counts(terms: TermCollection) -> AsyncIterator[TermCount]:
    async for term in terms.records.find({}, {"uses": 1, "seen": 1}).sort("_id", ASCENDING):
        seen = {f"seen.{viewer}": count for viewer, count in (term.get("seen") or {}).items()}
        yield TermCount(term["_id"], {"uses": term.get("uses", 0), **seen})


async def _uses(tenant: Tenant, kind: Kind, field: str) -> AsyncIterator[TermCount]:
    async for term, uses in term_usage.uses(tenant.items(kind), field):
        yield TermCount(term, {"uses": uses})


async def _views(tenant: Tenant, kind: Kind, field: str) -> AsyncIterator[TermCount]:
    """The views of each term, as `domain.terms.item_terms` counts them of an item."""
    name, counts = "", dict[str, int]()
    async for term, viewer, items in term_usage.views(tenant.items(kind), field):
        if term != name and counts:
            yield TermCount(name, counts)
            counts = {}
        name = term
        counts[f"seen.{viewer}"] = items
    if counts:
        yield TermCount(name, counts)
