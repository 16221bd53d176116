"""Cards: the README of an item, in Markdown, with front matter that fills fields of the item.

The text has a record of its own, because lists and changes of an item must not read and write it each time. The item
changes first, under its revision. Then the text is written, unless one of a later revision is there.
"""

import asyncio
from collections.abc import Collection, Mapping
from contextlib import suppress
from typing import NamedTuple

from bson import ObjectId

from catalog.domain.access import Caller, may_read
from catalog.domain.cards import front_matter
from catalog.domain.cards.fields import dataset_names, item_change
from catalog.domain.cards.front_matter import CardParts, FrontMatterError
from catalog.domain.items import items
from catalog.domain.items.inputs import ItemChange
from catalog.domain.items.reading import lookup
from catalog.domain.items.references import Reference
from catalog.domain.items.writing import changes
from catalog.domain.limits import LIMITS, Limits
from catalog.errors import AMBIGUOUS, INVALID_FIELD, NOT_FOUND, Refused
from catalog.store.clock import now
from catalog.store.failures import Duplicate
from catalog.store.records import ItemRecord
from catalog.store.tenant import Tenant
from catalog.vocabulary import Json, Kind

LARGEST = 2**20  # bytes of UTF-8

INLINE = 4096  # characters of a card that are parsed on the event loop

MOST_DATASETS = 50
"""How many datasets of a front matter are looked up."""


class ItemCard(NamedTuple):
    item: ItemRecord
    text: str  # as it was written, with its front matter
    front_matter: Mapping[str, Json]
    body: str  # Markdown


async def read(caller: Caller, kind: Kind, reference: Reference, *, or_empty: bool = False) -> ItemCard:
    """The card of an item. With `or_empty`, an item without one has an empty one.

    Raises Refused: NOT_FOUND (also for an item without a card), CANNOT_READ, AMBIGUOUS.
    """
    item = await items.read(caller, kind, reference)
    text = await text_of(caller.tenant, item["_id"])
    if text is None and or_empty:
        text = ""
    if text is None:
        raise Refused(NOT_FOUND, f"{item['name']} has no card")
    try:
        card = await _parsed(text)
    except FrontMatterError:  # the front matter of a README in a folder may be anything
        card = CardParts({}, text)
    return ItemCard(item, text, card.front_matter, card.body)


async def text_of(tenant: Tenant, item: ObjectId) -> str | None:
    """The text of a card, or None for an item without one."""
    card = await tenant.cards.records.find_one({"_id": item})
    return card["text"] if card else None


async def write(
    caller: Caller,
    kind: Kind,
    reference: Reference,
    text: str,
    limits: Limits = LIMITS,
    *,
    revisions: Collection[int] | None = None,
) -> ItemCard:
    """Give an item this card, and the fields that its front matter names.

    Raises Refused: INVALID_FIELD for a text that is too large or a front matter that cannot be read, and what
    `changes.change` raises.
    """
    refuse_text(text)
    try:
        card = await _parsed(text)
        datasets = await _known_datasets(caller, kind, dataset_names(card.front_matter))
        requested = item_change(card.front_matter, datasets)
    except FrontMatterError as problem:
        raise Refused(INVALID_FIELD, f"front matter: {problem}") from None
    item = await changes.change(caller, kind, reference, requested, limits, revisions=revisions)
    await _store(caller.tenant, kind, item, text)
    return ItemCard(item, text, card.front_matter, card.body)


def refuse_text(text: str) -> None:
    """Raises Refused: INVALID_FIELD for a text that cannot be a card."""
    if len(text.encode()) > LARGEST:
        raise Refused(INVALID_FIELD, f"card: at most {LARGEST} bytes are allowed")
    if "\0" in text:
        raise Refused(INVALID_FIELD, "card: the character NUL is not allowed")


async def remove(
    caller: Caller, kind: Kind, reference: Reference, *, revisions: Collection[int] | None = None
) -> ItemRecord:
    """Remove the card of an item, and return the item. The fields that the card filled stay.

    Raises Refused: NOT_FOUND (also for an item without a card), and what `changes.change` raises.
    """
    item = await items.changeable(caller, kind, reference)
    if await text_of(caller.tenant, item["_id"]) is None:
        raise Refused(NOT_FOUND, f"{item['name']} has no card")
    changed = await changes.change(caller, kind, Reference(str(item["_id"])), ItemChange(), revisions=revisions)
    await caller.tenant.cards.records.delete_one({"_id": item["_id"], "revision": {"$lt": changed["revision"]}})
    return changed


async def write_first(caller: Caller, kind: Kind, item: ObjectId, text: str, limits: Limits = LIMITS) -> ItemRecord:
    """Make a text the card of an item, and return the item. A front matter that cannot be used is only text then.

    Raises Refused: INVALID_FIELD for a text that is too large, and what `changes.change` raises.
    """
    refuse_text(text)
    reference = Reference(str(item))
    with suppress(Refused):
        return (await write(caller, kind, reference, text, limits)).item
    changed = await changes.change(caller, kind, reference, ItemChange())
    await _store(caller.tenant, kind, changed, text)
    return changed


async def _parsed(text: str) -> CardParts:
    if len(text) <= INLINE:
        return front_matter.parse(text)
    return await asyncio.to_thread(front_matter.parse, text)


async def _store(tenant: Tenant, kind: Kind, item: ItemRecord, text: str) -> None:
    fields = {"kind": kind.value, "text": text, "revision": item["revision"], "lastmod": now()}
    older = {"_id": item["_id"], "revision": {"$lt": item["revision"]}}
    with suppress(Duplicate):  # a card of a later revision is there
        await tenant.cards.records.update_one(older, {"$set": fields}, upsert=True)
    there = await tenant.items(kind).records.find_one({"_id": item["_id"]}, {"_id": 1})
    if there is None and await tenant.trash.records.find_one({"_id": item["_id"]}, {"_id": 1}) is None:
        await tenant.cards.records.delete_one({"_id": item["_id"]})  # the item was purged meanwhile


async def _known_datasets(caller: Caller, kind: Kind, names: list[str]) -> list[str]:
    """The ids of the datasets that the catalog has and the caller may read. Others are names of other catalogs."""
    found: list[str] = []
    for name in names[:MOST_DATASETS] if kind in items.TRAINED else ():
        try:
            dataset = await lookup.find(caller, Kind.DATASET, Reference(name))
        except Refused as refused:
            if refused.fault is not AMBIGUOUS:
                raise
            continue
        if dataset is not None and may_read(caller, dataset):
            found.append(str(dataset["_id"]))
    return found
