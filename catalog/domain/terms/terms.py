"""Tags and metadata names: the folksonomy that grows as items use words, and that administrators curate.

A folk word that is only on items which a user cannot read does not show to that user, and is counted for each user as
often as it is on an item that is readable. For that a word knows how often whom it is `seen` by: by everybody on public
items, by their readers on the others. The counts change with the items, in the write that counts the uses.
"""

import asyncio
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

from bson import ObjectId
from pymongo import UpdateOne

from catalog.domain import naming
from catalog.domain.access import Caller
from catalog.domain.body_fields import Form
from catalog.domain.items.in_use import refuse_while_used
from catalog.domain.limits import LIMITS, Limits
from catalog.errors import NOT_CREATED, NOT_FOUND, QUOTA_EXCEEDED, Fault, Refused
from catalog.store.database import Duplicate, Tenant, TermCollection
from catalog.store.documents import now
from catalog.store.query.ngrams import beginning, spelling
from catalog.store.tenant_documents import Raw
from catalog.vocabulary import PUBLIC_READER, Usage


class Names(StrEnum):
    """The two vocabularies. The value is the name of the collection and of the route."""

    TAGS = "tags"
    METADATA = "metadata"

    @property
    def one(self) -> str:
        return "Tag" if self is Names.TAGS else "Metadata"


class Words(NamedTuple):
    """The words that an item uses, and who sees them there."""

    tags: frozenset[str]
    metadata: frozenset[str]
    seers: frozenset[str] = frozenset()


FIELDS = frozenset({"_id", "usage"})

NONE = Words(frozenset(), frozenset())

REMOVED_AT_ONCE = 100
PAUSE = 0.1
"""Seconds between two removals: the embedded database lets nobody else in while it removes."""

MOST_SEERS = 50
"""How many readers of a private item count for its words, the owner first: what is kept of them must not grow as the
product of words and readers. The others see the words on the item, but not for its sake in lists."""


def words_of(item: Mapping[str, Any]) -> Words:
    readers = item["readers"]
    seers = [PUBLIC_READER] if PUBLIC_READER in readers else readers[:MOST_SEERS]
    tags, metadata = frozenset(item["tags"]), frozenset(pair["name"] for pair in item["metadata"])
    return Words(tags, metadata, frozenset(map(str, seers)))


def shown(caller: Caller, word: Mapping[str, Any]) -> bool:
    """Whether a word shows to the caller: an administrator's always, a coined one where it is on something readable."""
    mine = word["usage"] == Usage.DEFAULT or word.get("owner") == caller.user
    return caller.is_admin or mine or uses_for(caller, word) > 0


def shown_to(caller: Caller) -> Raw:
    """The filter that says the same."""
    if caller.is_admin:
        return {}
    seen = [{f"seen.{seer}": {"$gt": 0}} for seer in (PUBLIC_READER, caller.user)]
    return {"$or": [{"usage": Usage.DEFAULT.value}, {"owner": caller.user}, *seen]}


def uses_for(caller: Caller, word: Mapping[str, Any]) -> int:
    """On how many items that the caller may read the word is."""
    if caller.is_admin:
        return int(word.get("uses", 0))
    seen = word.get("seen") or {}
    return int(seen.get(PUBLIC_READER, 0) + seen.get(str(caller.user), 0))


def looked_at(caller: Caller) -> Raw:
    """The fields of a word that tell whether and how it shows to the caller."""
    return dict.fromkeys(("usage", "owner", "uses", f"seen.{PUBLIC_READER}", f"seen.{caller.user}"), 1)


class Allowance:
    """How many new words one request may still coin. A list of items shares one."""

    def __init__(self, limits: Limits) -> None:
        self.most = limits.new_terms
        self.of_tenant = limits.terms
        self.left = limits.new_terms


async def allow(tenant: Tenant, before: Words, after: Words, allowance: Allowance, fault: Fault) -> None:
    """Make sure that a change may coin the words that nobody has used yet, before it is made.

    The database is asked which words are new only where their number matters.

    Raises Refused: `fault` when one request coins too many, QUOTA_EXCEEDED when the tenant has too many.
    """
    fresh = {Names.TAGS: after.tags - before.tags, Names.METADATA: after.metadata - before.metadata}
    room = {names: await _room(tenant, names, allowance.of_tenant) if words else 0 for names, words in fresh.items()}
    if sum(map(len, fresh.values())) > allowance.left or any(
        len(words) > room[names] for names, words in fresh.items()
    ):
        fresh = {names: words - await known(tenant, names, words) if words else words for names, words in fresh.items()}
    for names, words in fresh.items():
        if len(words) > room[names]:
            raise Refused(QUOTA_EXCEEDED, f"{names}: {tenant.name} may have {allowance.of_tenant} different ones")
    coined = sum(map(len, fresh.values()))
    if coined > allowance.left:
        sentence = f"a request may add {allowance.most} new tags and metadata names, which nobody has used before"
        raise Refused(fault, f"{sentence}: send them in several")
    allowance.left -= coined


async def _room(tenant: Tenant, names: Names, most: int) -> int:
    """How many more words a vocabulary of the tenant may have, as it was a moment ago."""
    return most - await tenant.recent_size(collection(tenant, names).raw)


async def used(tenant: Tenant, before: Words, after: Words, user: ObjectId) -> None:
    """Count what an accepted change to an item uses and no longer uses, and who sees it; new words become folk ones."""
    seers = before.seers, after.seers
    await asyncio.gather(
        _count(tenant.tags, before.tags, after.tags, seers, user),
        _count(tenant.metadata, before.metadata, after.metadata, seers, user),
    )


async def _count(
    bound: TermCollection,
    was: frozenset[str],
    is_: frozenset[str],
    seers: tuple[frozenset[str], frozenset[str]],
    user: ObjectId,
) -> None:
    saw, see = seers
    counts = _coined(is_ - was, _counted(see, 1), user)
    counts += [UpdateOne({"_id": word}, {"$inc": {"uses": -1, **_counted(saw, -1)}}) for word in was - is_]
    if moved := {**_counted(see - saw, 1), **_counted(saw - see, -1)}:
        counts += [UpdateOne({"_id": word}, {"$inc": moved}) for word in was & is_]
    if counts:
        await bound.raw.bulk_write(counts, ordered=False)


def _counted(seers: Iterable[str], by: int) -> dict[str, int]:
    return {f"seen.{seer}": by for seer in seers}


def _coined(words: Iterable[str], seen: Mapping[str, int], user: ObjectId) -> list[UpdateOne]:
    fresh = {"usage": Usage.FOLK.value, "owner": user, "timestamp": now()}
    return [
        UpdateOne({"_id": word}, {"$inc": {"uses": 1, **seen}, "$setOnInsert": fresh | spelling(word)}, upsert=True)
        for word in sorted(words)
    ]


async def create(tenant: Tenant, names: Names, body: Any, caller: Caller, limits: Limits = LIMITS) -> Raw:
    """Add a word to the ones that a UI suggests first. A folk word becomes a default one.

    Raises Refused: NOT_CREATED, QUOTA_EXCEEDED when the tenant has too many.
    """
    form = Form(body, NOT_CREATED, FIELDS)
    longest = limits.tag if names is Names.TAGS else limits.metadata_name
    word = form.required("_id", "Please, supply an _id", longest)
    if not await known(tenant, names, [word]):
        word = form.named("_id", "Please, supply an _id", longest, naming.term)
    usage = form.one_of("usage", Usage) or Usage.DEFAULT
    bound = collection(tenant, names)
    if await _room(tenant, names, limits.terms) < 1 and not await known(tenant, names, [word]):
        raise Refused(QUOTA_EXCEEDED, f"{names}: {tenant.name} may have {limits.terms} different ones")
    document = bound.document(id=word, usage=usage, owner=caller.user, **spelling(word))
    try:
        await bound.insert(document)
    except Duplicate:
        return await _promoted(bound, names, word, usage)
    return await _read(bound, word)


async def _promoted(bound: TermCollection, names: Names, word: str, usage: Usage) -> Raw:
    coined = await bound.raw.find_one_and_update(
        {"_id": word, "usage": Usage.FOLK.value}, {"$set": {"usage": Usage.DEFAULT.value}}
    )
    if coined is None or usage is Usage.FOLK:
        raise Refused(NOT_CREATED, f"{names.one} validation failed: the _id is already used ({word})")
    return await _read(bound, word)


async def remove(tenant: Tenant, names: Names, word: str) -> Raw:
    """Forget a word that nothing uses.

    Raises Refused: NOT_FOUND, NOT_DELETED while an item uses it.
    """
    bound = collection(tenant, names)
    word = naming.spelling_in(await known(tenant, names, [word]), word)
    await _read(bound, word)
    field = "tags" if names is Names.TAGS else "metadata.name"
    await refuse_while_used(tenant, {field: word})
    removed: Raw | None = await bound.raw.find_one_and_delete({"_id": word})
    if removed is None:
        raise Refused(NOT_FOUND, word)
    return removed


async def forget_unused(tenant: Tenant, untouched: datetime, *, dry_run: bool = False) -> int:
    """Remove the folk words that nothing uses and that were coined before `untouched`, and say how many.

    Safe while items change: a word that is used meanwhile is counted first, or coined again.
    """
    removed = 0
    for names in Names:
        words = collection(tenant, names).raw
        # Every word has the piece that is the beginning of all, so an index answers this.
        unused = {"pieces": beginning(""), "usage": Usage.FOLK.value, "uses": {"$lte": 0}}
        unused["timestamp"] = {"$lte": untouched}
        if dry_run:
            removed += await words.count_documents(unused)
            continue
        while found := [word["_id"] async for word in words.find(unused, {"_id": 1}).limit(REMOVED_AT_ONCE)]:
            gone = (await words.delete_many({"_id": {"$in": found}, **unused})).deleted_count
            removed += gone
            if not gone:  # all of them were used meanwhile
                break
            await asyncio.sleep(PAUSE)
    return removed


async def known(tenant: Tenant, names: Names, words: Collection[str], caller: Caller | None = None) -> set[str]:
    """Those of `words` that the folksonomy has; of a caller, those that show to the caller."""
    query = {"_id": {"$in": list(words)}, **(shown_to(caller) if caller else {})}
    found = collection(tenant, names).raw.find(query, {"_id": 1})
    return {word["_id"] async for word in found}


async def _read(bound: TermCollection, word: str) -> Raw:
    found: Raw | None = await bound.raw.find_one({"_id": word})
    if found is None:
        raise Refused(NOT_FOUND, word)
    return found


def collection(tenant: Tenant, names: Names) -> TermCollection:
    return tenant.tags if names is Names.TAGS else tenant.metadata
