"""Numbers and ordinals of versions: no number is ever used twice, and no two ordinals of an item are equal.

Versions that are added to an item at the same time are *counted*: the record of the item takes their numbers before
they are written. A version that is added alone *assumes* the next number: the unique index decides whether it is free,
and the record of the item follows with the rest of the change (see `touching`). A removal writes the number into the
record before it removes the version. So a server that assumed a number, and finds that the record has changed since,
sees there whether a version of that number may have been removed in between.

A kill between the two writes of a lone version leaves a version that the record does not count. Only the number after
the highest counted one is assumed, and none for an item without versions. So whatever reads the versions of an item
reads up to LEFT numbers more.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import NamedTuple, cast

from bson import ObjectId

from catalog.domain.access import Caller, fields_that_let_change, may_change
from catalog.domain.versions.aliases.names import equals_an_alias, is_latest
from catalog.errors import BUSY, CANNOT_MODIFY, NOT_CREATED, NOT_FOUND, Refused
from catalog.store.concurrency.batches import BatchesByKey, Outcomes
from catalog.store.concurrency.optimistic import ATTEMPTS, pause
from catalog.store.derived.version_summaries import LEFT
from catalog.store.records import Changes, ItemRecord
from catalog.store.tenant import Tenant
from catalog.vocabulary import Kind

LONGEST_ORDINAL = 250
LONGEST_NUMBER = 9
"""Digits of an ordinal that still counts as a number; more are a label."""

COUNTED = frozenset({"last_version", "last_ordinal", "last_removed"})
"""The fields of an item that decide which number is the next one."""


async def refuse_ordinal(tenant: Tenant, item: ItemRecord, ordinal: str) -> None:
    """Spare the client an upload that cannot succeed.

    Raises Refused: NOT_CREATED for an ordinal that is taken, and what `check_ordinal` raises.
    """
    check_ordinal(item, ordinal)
    if ordinal and await is_taken(tenant, item["_id"], ordinal):
        raise taken(ordinal)


def check_ordinal(item: ItemRecord, ordinal: str) -> None:
    """Raises Refused: NOT_CREATED for an ordinal that is an alias or `latest`, or that no address can hold."""
    fits_in_a_path = ordinal.isprintable() and "/" not in ordinal and ordinal not in {".", ".."}
    if len(ordinal) > LONGEST_ORDINAL or not fits_in_a_path:
        raise Refused(
            NOT_CREATED, f"ordinal: at most {LONGEST_ORDINAL} printable characters, without a slash, not . or .."
        )
    refuse_alias(item, ordinal)
    if is_latest(ordinal):
        raise Refused(NOT_CREATED, f"ordinal: {ordinal} always names the newest version, choose another one")


async def is_taken(tenant: Tenant, item: ObjectId, ordinal: str) -> bool:
    """Whether a version of an item has the ordinal, a draft included."""
    query = {"item": item, "ordinal_key": ordinal.casefold()}
    return await tenant.versions.records.find_one(query, {"_id": 1}) is not None


def refuse_alias(item: ItemRecord, ordinal: str) -> None:
    """Raises Refused: NOT_CREATED for an ordinal that is an alias of the item."""
    if equals_an_alias(item, ordinal):
        raise Refused(NOT_CREATED, f"ordinal: {ordinal} is an alias, choose another one")


def taken(ordinal: str) -> Refused:
    return Refused(
        NOT_CREATED,
        f"Ordinal value duplicated: {ordinal} , Please choose another value or let default incremental choice",
    )


class Used(NamedTuple):
    """The number and the ordinal that an added version takes."""

    number: int
    ordinal: str


class Numbered(NamedTuple):
    number: int
    ordinal: str
    item: ItemRecord  # as it was read before the number was counted, but for the number

    @property
    def used(self) -> Used:
        return Used(self.number, self.ordinal)


class NumberRequest(NamedTuple):
    caller: Caller
    ordinal: str
    exactly: int
    item: ItemRecord | None


_batches = BatchesByKey[NumberRequest, Numbered]()

_assumed: defaultdict[tuple[str, ObjectId], list[Used]] = defaultdict(list)
"""Numbers that this server has assumed, of each item, until its record says them."""


async def next_number(
    caller: Caller, kind: Kind, item: ObjectId, ordinal: str, exactly: int = 0, first: ItemRecord | None = None
) -> Numbered:
    """Return a number that no version of the item had before, and an ordinal.

    The ordinal is `ordinal`, else the highest one that was a number, plus 1. An ordinal that is a higher number is the
    number of the version, too. `last_ordinal` of the item is the highest ordinal that was a number, where that is not
    `last_version`. `exactly` is the number that the version must get, and also its ordinal. `first` is the item if it
    was read a moment ago. Versions that wait for their numbers at the same time are counted together.

    Raises Refused: NOT_FOUND, CANNOT_MODIFY, NOT_CREATED when `exactly` is not above all numbers that there were, BUSY.
    """
    tenant = caller.tenant
    await tenant.items(kind).cross_fence()
    request = NumberRequest(caller, str(exactly) if exactly else ordinal, exactly, first)
    key = (tenant.identity, item)
    return await _batches.write(key, request, partial(_count_all, tenant.base, kind, item))


@contextmanager
def assumed(caller: Caller, item: ItemRecord, ordinal: str, exactly: int = 0) -> Iterator[Numbered | None]:
    """Yield the number that comes next by `item`, which nothing has counted, until the record of the item is written.

    None when it must be counted. Raises Refused: CANNOT_MODIFY, NOT_CREATED, as `next_number` does.
    """
    request = NumberRequest(caller, str(exactly) if exactly else ordinal, exactly, item)
    key, last = (caller.tenant.identity, item["_id"]), item.get("last_version", 0)
    [outcome], _ = _counted(item, [request], _assumed.get(key, ()))
    if isinstance(outcome, Exception):
        raise outcome
    if not last or outcome.number != last + LEFT:
        yield None
        return
    _assumed[key].append(outcome.used)
    try:
        yield outcome._replace(item=item)
    finally:
        _assumed[key].remove(outcome.used)
        if not _assumed[key]:
            del _assumed[key]


def with_used(item: ItemRecord, used: Sequence[Used]) -> Changes:
    """The change of a record whose versions took these numbers without being counted."""
    last, top = _last_and_top(item)
    for each in used:
        last = max(last, each.number)
        top = max(top, int(each.ordinal)) if _is_number(each.ordinal) else top
    return _change(item, last, top)


def may_be_used_twice(item: ItemRecord, number: int) -> bool:
    """Whether a number that was assumed may be that of a version which was removed, as the item says later."""
    return number <= (item.get("last_removed") or 0)


async def give_back(tenant: Tenant, kind: Kind, item: ObjectId, number: int) -> None:
    """Free the number of a version that was not written, if it is still the last one that was counted."""
    last = {"_id": item, "last_version": number}
    await tenant.items(kind).records.update_one(last, {"$set": {"last_version": number - 1}})


async def _count_all(
    tenant: Tenant, kind: Kind, item: ObjectId, requests: Sequence[NumberRequest]
) -> Outcomes[Numbered]:
    items, key = tenant.items(kind).records, (tenant.identity, item)
    found = requests[0].item if len(requests) == 1 else None
    for _ in range(ATTEMPTS):
        found = found or await items.find_one({"_id": item})
        if found is None:
            raise Refused(NOT_FOUND, str(item))
        outcomes, change = _counted(found, requests, _assumed.get(key, ()))
        decisive = COUNTED.union(*(fields_that_let_change(request.caller, found) for request in requests))
        same = {"_id": item, **{field: found.get(field) for field in sorted(decisive)}}
        if not change or (await items.update_one(same, change)).matched_count:
            return outcomes
        await pause()
        found = None
    raise Refused(BUSY, "others add versions again and again")


def _counted(
    found: ItemRecord, requests: Sequence[NumberRequest], taken_meanwhile: Sequence[Used]
) -> tuple[Outcomes[Numbered], Changes]:
    """The number and the ordinal of each request, and the change of the item."""
    outcomes: list[Numbered | Exception] = []
    last, top = _last_and_top(found)
    for each in taken_meanwhile:
        last, top = max(last, each.number), max(top, int(each.ordinal) if _is_number(each.ordinal) else 0)
    last = max(last, found.get("last_removed") or 0)
    counted = 0
    for request in requests:
        if not may_change(request.caller, found):
            outcomes.append(Refused(CANNOT_MODIFY, str(found["_id"])))
        elif 0 < request.exactly <= last:
            outcomes.append(taken(request.ordinal))
        else:
            counted += 1
            ordinal = request.ordinal or str(top + 1)
            # The default ordinal is a number, however long: taken for a label, it would be proposed again each time.
            if not request.ordinal or _is_number(ordinal):
                last, top = max(last + 1, int(ordinal)), max(top, int(ordinal))
            else:
                last += 1
            outcomes.append(Numbered(last, ordinal, cast("ItemRecord", {**found, "last_version": last})))
    return outcomes, _change(found, last, top) if counted else {}


def _last_and_top(item: ItemRecord) -> tuple[int, int]:
    last, stored = item.get("last_version", 0), item.get("last_ordinal")
    return last, last if stored is None else stored


def _change(item: ItemRecord, last: int, top: int) -> Changes:
    """What makes an item say that `last` is the highest number of its versions, and `top` that of its ordinals."""
    if (last, top) == _last_and_top(item):
        return {}
    if top != last:
        return {"$set": {"last_version": last, "last_ordinal": top}}
    unset = {} if item.get("last_ordinal") is None else {"$unset": {"last_ordinal": ""}}
    return {"$set": {"last_version": last}, **unset}


def _is_number(ordinal: str) -> bool:
    return ordinal.isascii() and ordinal.isdigit() and len(ordinal) <= LONGEST_NUMBER
