"""Renaming an item. Its id stays, and with it every link, version and dataset that refers to it."""

from collections.abc import Collection

from catalog.domain import naming
from catalog.domain.access import Caller
from catalog.domain.items import items
from catalog.domain.items.references import Reference
from catalog.domain.limits import LIMITS, Limits
from catalog.domain.validation import Validator
from catalog.errors import INVALID_FIELD, NAME_TAKEN, Refused
from catalog.store.clock import now
from catalog.store.concurrency.optimistic import refuse_stale, revise
from catalog.store.derived import search_entries
from catalog.store.documents.items import name_fields
from catalog.store.failures import Duplicate
from catalog.store.records import Changes, ItemRecord
from catalog.vocabulary import Kind


async def rename(
    caller: Caller,
    kind: Kind,
    reference: Reference,
    name: str,
    limits: Limits = LIMITS,
    *,
    revisions: Collection[int] | None = None,
) -> ItemRecord:
    """Give an item another name, and return it. With `revisions`, the item must still have one of them.

    Raises Refused: NOT_FOUND, CANNOT_MODIFY, INVALID_FIELD, NAME_TAKEN when its owner has another item of that kind and
    name, STALE, BUSY.
    """
    name = Validator(INVALID_FIELD, limits).new_name("name", name, limits.name, naming.item_name)
    item = await items.manageable(caller, kind, reference)
    same = Reference(str(item["_id"]))

    async def read_again() -> ItemRecord:
        return await items.manageable(caller, kind, same)

    async def fields(item: ItemRecord) -> Changes:
        refuse_stale(item["revision"], revisions)
        return name_fields(name) | {"lastmod": now()}

    try:
        before, after = await revise(caller.tenant.items(kind).records, read_again, fields, first=item)
    except Duplicate:
        raise Refused(NAME_TAKEN, f"A {kind.one} with the same name already exists for this user") from None
    await search_entries.update(caller.tenant, kind, before, after)
    return after
