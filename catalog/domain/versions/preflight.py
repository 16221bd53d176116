"""Whether a push would succeed, before a byte of it is sent. Nothing is stored.

A push creates an item or changes one, adds a version and sets an alias: several requests, and a refusal of a late one
would leave the work of the earlier ones. What another client does meanwhile can still refuse one of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from bson import ObjectId

from catalog.domain.access import Caller
from catalog.domain.items import items
from catalog.domain.items.inputs import ItemChange, ListChange, NewItem
from catalog.domain.items.reading import lookup
from catalog.domain.items.references import Reference
from catalog.domain.items.writing import changes
from catalog.domain.limits import LIMITS, Limits
from catalog.domain.versions import numbering, versions
from catalog.domain.versions.aliases import aliases, names
from catalog.domain.versions.details import VersionDetails
from catalog.errors import INVALID_FIELD, Refused
from catalog.store.records import ItemRecord
from catalog.vocabulary import Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedPush:
    """A push that a client is about to make: to the `item` that exists, or to its own item called `name`, which it
    creates if there is none. The item gets the tags and the metadata of the version, too.
    """

    details: VersionDetails
    item: str = ""
    name: str = ""
    tags: Sequence[str] = ()
    alias: str = ""


async def check(caller: Caller, kind: Kind, planned: PlannedPush, limits: Limits = LIMITS) -> ItemRecord | None:
    """The item that the push changes; None if it creates one.

    Raises Refused: NOT_CREATED, NOT_CHANGED, INVALID_FIELD, NOT_FOUND, CANNOT_MODIFY, AMBIGUOUS, EXTERNAL_ID_TAKEN,
    LIMIT_REACHED, QUOTA_EXCEEDED when the tenant has too many terms.
    """
    details = planned.details.checked(limits)
    found = None if planned.item else await lookup.own(caller, kind, planned.name)
    key = planned.item or (str(found["_id"]) if found else "")
    if key:
        item = found = await versions.prepare(caller, kind, Reference(key), details)
        added = ItemChange(tags=ListChange(add=planned.tags), metadata=ListChange(add=details.metadata))
        await changes.check(caller, kind, item, added, limits)
    else:
        new = NewItem(name=planned.name, tags=planned.tags, metadata=details.metadata)
        await items.check_new(caller, kind, new, limits)
        item = cast("ItemRecord", {"_id": ObjectId()})  # it has no alias and no version
        await numbering.refuse_ordinal(caller.tenant, item, details.ordinal)
    await details.resolved(caller)
    if planned.alias:
        name = await aliases.refuse_new(caller, item, planned.alias)
        if names.same(name, details.ordinal):
            raise Refused(INVALID_FIELD, f"alias: {name} is the ordinal of the version")
    return found
