"""Writing new items. Those that wait at the same time share their commands (`store.concurrency.batches`)."""

import asyncio
from collections.abc import Sequence
from typing import NamedTuple, cast

from bson import ObjectId

from catalog.domain.access import ACCESS_FIELDS, Caller, may_read, readable_by
from catalog.domain.items.writing.duplicates import taken
from catalog.domain.terms import item_terms
from catalog.domain.terms.item_terms import NO_TERMS, TermsChange, terms_of
from catalog.errors import NAME_TAKEN, NOT_CREATED, Refused
from catalog.store.clock import now
from catalog.store.concurrency.batches import Outcomes
from catalog.store.concurrency.shared_writes import Write, insert_all
from catalog.store.concurrency.unique_writes import write_unless_taken
from catalog.store.derived import search_entries
from catalog.store.documents.items import ITEMS, name_fields
from catalog.store.records import Changes, ItemRecord
from catalog.store.tenant import Tenant
from catalog.vocabulary import Kind

MOST_NAMESAKES = 1000
"""Items of the names of a batch that are read together."""


class NewRecord(NamedTuple):
    caller: Caller
    kind: Kind
    record: ItemRecord  # complete but for its serial
    spellings: Sequence[str]  # names that no item may have which the caller can read


async def insert(caller: Caller, kind: Kind, fields: Changes, spellings: Sequence[str] = ()) -> ItemRecord:
    """Write an item of the caller with its search entry, count its terms, and return it. `fields` are checked.

    Raises Refused: NOT_CREATED when the caller has an item of that name, EXTERNAL_ID_TAKEN, AUTHENTICATION; with
    `spellings` of the name NAME_TAKEN when the caller can read an item of one of them.
    """
    new = NewRecord(caller, kind, _record(caller, fields), spellings)

    async def write() -> ItemRecord:
        return await caller.tenant.write_in_batch((insert, kind), new, _insert_all)

    return await write_unless_taken(write, lambda: _refusal(new))


def _record(caller: Caller, fields: Changes) -> ItemRecord:
    """The record that the document of the kind declares, built without pydantic, which would double the cost of a
    creation.

    Fields that records may lack are not written with their defaults.
    """
    moment = now()
    record = {
        "_id": ObjectId(),
        "owner": caller.user,
        **{name: value for name, value in fields.items() if value is not None},
        "timestamp": moment,
        "lastmod": moment,
        "revision": 1,
        "last_version": 0,
        "aliases": [],
        **name_fields(fields["name"]),
    }
    return cast("ItemRecord", record)


async def _insert_all(tenant: Tenant, new: Sequence[NewRecord]) -> Outcomes[ItemRecord]:
    kind, document = new[0].kind, ITEMS[new[0].kind]
    last, taken = await asyncio.gather(tenant.next("serial", len(new)), _are_taken(tenant, kind, new))
    for serial, each in enumerate(new, last - len(new) + 1):
        each.record["serial"] = serial
    writes = [Write(each.caller.tenant, each.record) for each, is_taken in zip(new, taken, strict=True) if not is_taken]
    failures = iter(await insert_all(tenant, document, writes))
    outcomes = [_name_taken(each) if is_taken else next(failures) for each, is_taken in zip(new, taken, strict=True)]
    written = [each.record for each, failure in zip(new, outcomes, strict=True) if failure is None]
    changes = [TermsChange(NO_TERMS, terms_of(item), item["owner"]) for item in written]
    await item_terms.count_all(tenant, changes, search_entries.of_new(tenant, kind, written))
    return [each.record if failure is None else failure for each, failure in zip(new, outcomes, strict=True)]


async def _are_taken(tenant: Tenant, kind: Kind, new: Sequence[NewRecord]) -> list[bool]:
    """Whether the caller of each can read an item of its `spellings` already. All are asked for together."""
    names = {name for each in new for name in each.spellings}
    if not names:
        return [False] * len(new)
    records = tenant.items(kind).records
    found = await records.find({"name": {"$in": list(names)}}, ACCESS_FIELDS | {"name": 1}).to_list(MOST_NAMESAKES)
    if len(found) == MOST_NAMESAKES:
        asked = [{"name": {"$in": list(each.spellings)}, **readable_by(each.caller)} for each in new]
        return [await records.find_one(query, {"_id": 1}) is not None for query in asked]
    return [any(item["name"] in each.spellings and may_read(each.caller, item) for item in found) for each in new]


def _name_taken(new: NewRecord) -> Refused:
    return Refused(NAME_TAKEN, f"{new.kind.one} {new.record['name']} already exists")


async def _refusal(new: NewRecord) -> Refused | None:
    """Why a unique index refused an item. None when nothing is in its way any more."""
    record = new.record
    refused = await taken(
        new.caller.tenant, new.kind, record["owner"], record["name"], record.get("external_id"), NOT_CREATED
    )
    return _name_taken(new) if refused and new.spellings and refused.fault is NOT_CREATED else refused
