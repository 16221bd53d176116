"""Merging a term into another one, which takes its place in all items."""

from collections.abc import AsyncIterator
from typing import NamedTuple

from catalog.domain import naming
from catalog.domain.access import Caller
from catalog.domain.items.inputs import ItemChange, ListChange, MetadataPair, PairToRemove
from catalog.domain.items.references import Reference
from catalog.domain.items.writing.changes import change
from catalog.domain.limits import LIMITS, Limits
from catalog.domain.people import robots
from catalog.domain.terms import terms
from catalog.domain.terms.terms import Vocabulary
from catalog.errors import INVALID_FIELD, NOT_DELETED, NOT_FOUND, STALE, Refused
from catalog.store.records import ItemRecord
from catalog.vocabulary import Kind

AT_ONCE = 100
"""Items that one request changes."""


class Merged(NamedTuple):
    """How many items were changed, and whether that was all of them, so that the term is gone."""

    changed: int
    is_complete: bool


async def merge(caller: Caller, vocabulary: Vocabulary, name: str, into: str, limits: Limits = LIMITS) -> Merged:
    """Give the items that use a term another one in its place, and remove the term when no item uses it any more.

    One call changes AT_ONCE items, so a common term takes several. An item that has a metadata pair of both names keeps
    the value that it has under the other one. What is in the trash is left as it is. Robots that are limited to the tag
    are limited to the other one then, and to both until the tag is gone.

    Raises Refused: NOT_FOUND for a term that the tenant does not have, INVALID_FIELD for one into itself, and what a
    change of an item raises.
    """
    tenant = caller.tenant
    known = await terms.existing(tenant, vocabulary, [name, into])
    name, into = naming.spelling_in(known, name), naming.spelling_in(known, into)
    for each in (name, into):
        if each not in known:
            raise Refused(NOT_FOUND, each)
    if name == into:
        raise Refused(INVALID_FIELD, "into: it is the same term")
    if vocabulary is Vocabulary.TAGS:
        await robots.add_tag_beside(tenant, name, into)
    changed, is_complete = 0, True
    async for kind, item in _using(caller, vocabulary, name):
        if changed == AT_ONCE:
            return Merged(changed, is_complete=False)
        try:
            requested, same = _change(vocabulary, item, name, into), Reference(str(item["_id"]))
            await change(caller, kind, same, requested, limits, revisions=[item["revision"]])
        except Refused as refused:
            if refused.fault not in {STALE, NOT_FOUND}:
                raise
            is_complete = False  # it was changed or removed meanwhile; the next request sees it as it is
        else:
            changed += 1
    return Merged(changed, is_complete and await _end(caller, vocabulary, name, into))


async def _end(caller: Caller, vocabulary: Vocabulary, name: str, into: str) -> bool:
    """Remove the term, and return whether it is gone: an item may have begun to use it."""
    if vocabulary is Vocabulary.TAGS:
        await robots.replace_tag(caller.tenant, name, into)  # first: once the term is gone, a merge cannot be repeated
    return await _remove(caller, vocabulary, name)


async def _using(caller: Caller, vocabulary: Vocabulary, name: str) -> AsyncIterator[tuple[Kind, ItemRecord]]:
    field = "tags" if vocabulary is Vocabulary.TAGS else "metadata.name"
    for kind in Kind:
        found = caller.tenant.items(kind).records.find({field: name}, {"metadata": 1, "revision": 1})
        for item in await found.limit(AT_ONCE + 1).to_list(None):
            yield kind, item


def _change(vocabulary: Vocabulary, item: ItemRecord, name: str, into: str) -> ItemChange:
    if vocabulary is Vocabulary.TAGS:
        return ItemChange(tags=ListChange([name], [into]))
    values = {pair["name"]: pair["value"] for pair in item["metadata"]}
    moved = [] if into in values else [MetadataPair(into, values[name])]
    return ItemChange(metadata=ListChange([PairToRemove(name)], moved))


async def _remove(caller: Caller, vocabulary: Vocabulary, name: str) -> bool:
    try:
        await terms.remove(caller, vocabulary, name)
    except Refused as refused:
        if refused.fault is NOT_FOUND:
            return True
        if refused.fault is NOT_DELETED:
            return False
        raise
    return True
