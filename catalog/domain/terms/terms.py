"""Tags and metadata names: the folksonomy that grows as items use terms, and that administrators curate."""

import asyncio
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from catalog.domain import naming
from catalog.domain.access import Caller
from catalog.domain.items.in_use import refuse_while_used
from catalog.domain.limits import LIMITS, Limits
from catalog.domain.terms.visibility import visible_to
from catalog.domain.validation import Validator
from catalog.errors import NOT_CREATED, NOT_FOUND, QUOTA_EXCEEDED, Refused
from catalog.store.concurrency.unique_writes import write_unless_taken
from catalog.store.failures import Duplicate
from catalog.store.query.ngrams import beginning, spelling
from catalog.store.records import Query, TermRecord
from catalog.store.tenant import Tenant
from catalog.store.tenant_collections import TermCollection
from catalog.vocabulary import Usage

REMOVED_AT_ONCE = 100
PAUSE = 0.1
"""Seconds between two removals: the embedded database does nothing else while it removes."""


class Vocabulary(StrEnum):
    """The value is the name of the collection and of the route."""

    TAGS = "tags"
    METADATA = "metadata"

    @property
    def one(self) -> str:
        return "Tag" if self is Vocabulary.TAGS else "Metadata"


@dataclass(frozen=True, slots=True)
class NewTerm:
    name: str
    usage: Usage = Usage.DEFAULT


async def create(caller: Caller, vocabulary: Vocabulary, new: NewTerm, limits: Limits = LIMITS) -> TermRecord:
    """Add a term to those that a UI suggests first. A folk term becomes a default one.

    Raises Refused: NOT_CREATED, QUOTA_EXCEEDED when the tenant has too many.
    """
    tenant, check = caller.tenant, Validator(NOT_CREATED, limits)
    longest = limits.tag if vocabulary is Vocabulary.TAGS else limits.metadata_name
    name = check.text("_id", new.name, longest)
    if not await existing(tenant, vocabulary, [name]):
        name = check.new_name("_id", name, longest, naming.term)
    if await room(tenant, vocabulary, limits.terms) < 1 and not await existing(tenant, vocabulary, [name]):
        raise too_many(tenant, vocabulary, limits.terms)
    terms = collection(tenant, vocabulary)
    document = terms.document(id=name, usage=new.usage, owner=caller.user, **spelling(name))

    async def write() -> None:
        try:
            await terms.insert(document)
        except Duplicate:
            if new.usage is Usage.FOLK or not await _promote(tenant, vocabulary, name):
                raise

    async def refusal() -> Refused | None:
        if await terms.get(name) is None:
            return None
        return Refused(NOT_CREATED, f"{vocabulary.one} validation failed: the _id is already used ({name})")

    await write_unless_taken(write, refusal)
    return await _read(tenant, vocabulary, name)


async def _promote(tenant: Tenant, vocabulary: Vocabulary, name: str) -> bool:
    """Make a folk term a default one. False when there is no such folk term."""
    folk, promoted = {"_id": name, "usage": Usage.FOLK.value}, {"$set": {"usage": Usage.DEFAULT.value}}
    return bool((await collection(tenant, vocabulary).records.update_one(folk, promoted)).matched_count)


async def remove(caller: Caller, vocabulary: Vocabulary, name: str) -> TermRecord:
    """Remove a term that no item uses, and return it. Raises Refused: NOT_FOUND, NOT_DELETED while an item uses it."""
    tenant = caller.tenant
    name = naming.spelling_in(await existing(tenant, vocabulary, [name]), name)
    term = await _read(tenant, vocabulary, name)
    field = "tags" if vocabulary is Vocabulary.TAGS else "metadata.name"
    await refuse_while_used(tenant, {field: name})
    if not (await collection(tenant, vocabulary).records.delete_one({"_id": name})).deleted_count:
        raise Refused(NOT_FOUND, name)
    return term


async def remove_unused(tenant: Tenant, before: datetime, *, dry_run: bool = False) -> int:
    """Remove the folk terms that no item uses and that were made before a moment. Return how many.

    Safe while items change: the filter of the removal looks at the uses again, and a use adds a removed term again.
    """
    removed = 0
    for vocabulary in Vocabulary:
        terms = collection(tenant, vocabulary).records
        # Every term has the n-gram of the empty beginning, so that an index answers this.
        unused: Query = {"pieces": beginning(""), "usage": Usage.FOLK.value, "uses": {"$lte": 0}}
        unused["timestamp"] = {"$lte": before}
        if dry_run:
            removed += await terms.count_documents(unused)
            continue
        while found := [term["_id"] async for term in terms.find(unused, {"_id": 1}).limit(REMOVED_AT_ONCE)]:
            count = (await terms.delete_many({"_id": {"$in": found}, **unused})).deleted_count
            removed += count
            if not count:  # all of them are used by now
                break
            await asyncio.sleep(PAUSE)
    return removed


async def existing(
    tenant: Tenant, vocabulary: Vocabulary, names: Collection[str], visible_for: Caller | None = None
) -> set[str]:
    """Those of `names` that are terms of the tenant, and that a caller sees if one is given."""
    query = {"_id": {"$in": list(names)}, **(visible_to(visible_for) if visible_for else {})}
    return {term["_id"] async for term in collection(tenant, vocabulary).records.find(query, {"_id": 1})}


async def room(tenant: Tenant, vocabulary: Vocabulary, most: int) -> int:
    """How many more terms a vocabulary of the tenant may have, by its recent size."""
    return most - await tenant.recent_size(collection(tenant, vocabulary).records, most)


def too_many(tenant: Tenant, vocabulary: Vocabulary, most: int) -> Refused:
    return Refused(QUOTA_EXCEEDED, f"{vocabulary}: {tenant.name} may have {most} different ones")


def collection(tenant: Tenant, vocabulary: Vocabulary) -> TermCollection:
    return tenant.tags if vocabulary is Vocabulary.TAGS else tenant.metadata


async def _read(tenant: Tenant, vocabulary: Vocabulary, name: str) -> TermRecord:
    found = await collection(tenant, vocabulary).records.find_one({"_id": name})
    if found is None:
        raise Refused(NOT_FOUND, name)
    return found
