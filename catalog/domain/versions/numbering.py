"""Numbers and ordinals of versions: no number is ever used twice, and no two ordinals of an item are equal."""

from typing import NamedTuple

from bson import ObjectId

from catalog.domain.access import CHANGE_FIELDS, Caller, changeable_by, may_change
from catalog.domain.versions.aliases.names import equals_an_alias, is_latest
from catalog.errors import CANNOT_MODIFY, NOT_CREATED, NOT_FOUND, Refused
from catalog.store.records import ItemRecord
from catalog.store.tenant import Tenant
from catalog.vocabulary import Kind

LONGEST_ORDINAL = 250
LONGEST_NUMBER = 9
"""Digits of an ordinal that still counts as a number; more are a label."""


async def refuse_ordinal(tenant: Tenant, item: ItemRecord, ordinal: str) -> None:
    """Spare the client an upload that cannot succeed.

    Raises Refused: NOT_CREATED for an ordinal that is taken, that is an alias or `latest`, or that no address can
    hold.
    """
    fits_in_a_path = ordinal.isprintable() and "/" not in ordinal and ordinal not in {".", ".."}
    if len(ordinal) > LONGEST_ORDINAL or not fits_in_a_path:
        raise Refused(
            NOT_CREATED, f"ordinal: at most {LONGEST_ORDINAL} printable characters, without a slash, not . or .."
        )
    refuse_alias(item, ordinal)
    if is_latest(ordinal):
        raise Refused(NOT_CREATED, f"ordinal: {ordinal} always names the newest version, choose another one")
    if ordinal and await tenant.versions.records.find_one(
        {"item": item["_id"], "ordinal_key": ordinal.casefold()}, {"_id": 1}
    ):
        raise taken(ordinal)


def refuse_alias(item: ItemRecord, ordinal: str) -> None:
    """Raises Refused: NOT_CREATED for an ordinal that is an alias of the item."""
    if equals_an_alias(item, ordinal):
        raise Refused(NOT_CREATED, f"ordinal: {ordinal} is an alias, choose another one")


def taken(ordinal: str) -> Refused:
    return Refused(
        NOT_CREATED,
        f"Ordinal value duplicated: {ordinal} , Please choose another value or let default incremental choice",
    )


class Numbered(NamedTuple):
    number: int
    ordinal: str
    item: ItemRecord  # when it had counted the number


async def next_number(caller: Caller, kind: Kind, item: ObjectId, ordinal: str, exactly: int = 0) -> Numbered:
    """A number that no version of the item had before, and `ordinal`, by default the highest that was a number, plus 1.

    An ordinal that is a higher number is the version's number, too. `last_ordinal` of the item is the highest ordinal
    that was a number, where that is not `last_version`. With `exactly` this is the number, and also the ordinal.

    Raises Refused: NOT_FOUND, CANNOT_MODIFY, NOT_CREATED when `exactly` is not above all numbers that there were.
    """
    ordinal = str(exactly) if exactly else ordinal
    items, changeable = caller.tenant.items(kind).records, {"_id": item, **changeable_by(caller)}
    if not ordinal:
        # The record as it is afterwards: the embedded engine may return one from before another upload's change.
        counted = await caller.tenant.items(kind).modify(
            {**changeable, "last_ordinal": None}, {"$inc": {"last_version": 1}}
        )
        if counted is not None:
            return Numbered(counted["last_version"], str(counted["last_version"]), counted)
    while True:
        found = await items.find_one({"_id": item}, CHANGE_FIELDS | {"last_version": 1, "last_ordinal": 1})
        if found is None or not may_change(caller, found):
            raise Refused(CANNOT_MODIFY if found else NOT_FOUND, str(item))
        last, highest = found.get("last_version", 0), found.get("last_ordinal")
        if 0 < exactly <= last:
            raise taken(ordinal)
        top = last if highest is None else highest
        mine = ordinal or str(top + 1)
        # What was counted up is a number, however long: else a label of that name would be met again and again.
        is_number = not ordinal or (mine.isascii() and mine.isdigit() and len(mine) <= LONGEST_NUMBER)
        number, top = (max(last + 1, int(mine)), max(top, int(mine))) if is_number else (last + 1, top)
        differ = {"$set": {"last_version": number, "last_ordinal": top}}
        same = {"$set": {"last_version": number}, "$unset": {"last_ordinal": ""}}
        unchanged = {**changeable, "last_version": last, "last_ordinal": highest}
        counted = await caller.tenant.items(kind).modify(unchanged, same if top == number else differ)
        if counted is not None:
            return Numbered(number, mine, counted)
