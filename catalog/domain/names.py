"""Tags and metadata names: the folksonomy that grows as items use words, and that administrators curate."""

import asyncio
from collections.abc import Collection, Iterable, Mapping
from enum import StrEnum
from typing import Any, NamedTuple

from bson import ObjectId
from pymongo import UpdateOne

from catalog.domain.access import Caller
from catalog.domain.forms import LIMITS, Form, Limits
from catalog.domain.references import refuse_while_used
from catalog.errors import NOT_CREATED, NOT_FOUND, Refused
from catalog.store.database import Duplicate, Tenant
from catalog.store.documents import MetadataName, Tag, now
from catalog.store.pieces import spelling
from catalog.store.seam import Bound, Raw
from catalog.vocabulary import Usage


class Names(StrEnum):
    """The two vocabularies. The value is the name of the collection and of the route."""

    TAGS = "tags"
    METADATA = "metadata"

    @property
    def one(self) -> str:
        return "Tag" if self is Names.TAGS else "Metadata"


class Words(NamedTuple):
    """The words that an item uses."""

    tags: frozenset[str]
    metadata: frozenset[str]


NONE = Words(frozenset(), frozenset())


def words_of(item: Mapping[str, Any]) -> Words:
    return Words(frozenset(item["tags"]), frozenset(pair["name"] for pair in item["metadata"]))


async def used(tenant: Tenant, before: Words, after: Words, user: ObjectId) -> None:
    """Count what an accepted change to an item uses and no longer uses; new words are coined as folk."""
    await asyncio.gather(
        _count(tenant.tags, before.tags, after.tags, user),
        _count(tenant.metadata, before.metadata, after.metadata, user),
    )


async def _count(
    bound: Bound[Tag] | Bound[MetadataName], was: frozenset[str], is_: frozenset[str], user: ObjectId
) -> None:
    counts = [*_coined(is_ - was, user), *(UpdateOne({"_id": word}, {"$inc": {"uses": -1}}) for word in was - is_)]
    if counts:
        await bound.raw.bulk_write(counts, ordered=False)


def _coined(words: Iterable[str], user: ObjectId) -> list[UpdateOne]:
    fresh = {"usage": Usage.FOLK.value, "owner": user, "timestamp": now()}
    return [
        UpdateOne({"_id": word}, {"$inc": {"uses": 1}, "$setOnInsert": fresh | spelling(word)}, upsert=True)
        for word in sorted(words)
    ]


async def create(tenant: Tenant, names: Names, body: Any, caller: Caller, limits: Limits = LIMITS) -> Raw:
    """Add a word to the ones that a UI suggests first. A folk word becomes a default one.

    Raises Refused: NOT_CREATED.
    """
    form = Form(body, NOT_CREATED, {"_id", "usage"})
    longest = limits.tag if names is Names.TAGS else limits.metadata_name
    word = form.required("_id", "Please, supply an _id", longest)
    usage = form.one_of("usage", Usage) or Usage.DEFAULT
    bound = collection(tenant, names)
    document = bound.document(id=word, usage=usage, owner=caller.user, **spelling(word))
    try:
        await bound.insert(document)
    except Duplicate:
        return await _promoted(bound, names, word, usage)
    return await _read(bound, word)


async def _promoted(bound: Bound[Tag] | Bound[MetadataName], names: Names, word: str, usage: Usage) -> Raw:
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
    await _read(bound, word)
    field = "tags" if names is Names.TAGS else "metadata.name"
    await refuse_while_used(tenant, {field: word})
    removed: Raw | None = await bound.raw.find_one_and_delete({"_id": word})
    if removed is None:
        raise Refused(NOT_FOUND, word)
    return removed


async def known(tenant: Tenant, names: Names, words: Collection[str]) -> set[str]:
    """Those of `words` that the folksonomy has."""
    found = collection(tenant, names).raw.find({"_id": {"$in": list(words)}}, {"_id": 1})
    return {word["_id"] async for word in found}


async def _read(bound: Bound[Tag] | Bound[MetadataName], word: str) -> Raw:
    found: Raw | None = await bound.raw.find_one({"_id": word})
    if found is None:
        raise Refused(NOT_FOUND, word)
    return found


def collection(tenant: Tenant, names: Names) -> Bound[Tag] | Bound[MetadataName]:
    return tenant.tags if names is Names.TAGS else tenant.metadata
