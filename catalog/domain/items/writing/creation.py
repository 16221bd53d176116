"""Writing new items. Those that wait at the same time share their commands (`store.concurrency.batches`)."""

import asyncio
from collections.abc import Sequence
from typing import NamedTuple, cast

from bson import ObjectId

from catalog.domain.access import Caller
from catalog.domain.items.writing.duplicates import taken
from catalog.domain.terms import item_terms
from catalog.domain.terms.item_terms import NO_TERMS, TermsChange, terms_of
from catalog.errors import NOT_CREATED
from catalog.store.clock import now
from catalog.store.concurrency.batches import Outcomes
from catalog.store.concurrency.shared_writes import Write, insert_all
from catalog.store.derived import search_entries
from catalog.store.documents.items import ITEMS, name_fields
from catalog.store.failures import Duplicate
from catalog.store.records import Changes, ItemRecord
from catalog.store.tenant import Tenant
from catalog.vocabulary import Kind


class NewRecord(NamedTuple):
    caller: Caller
    kind: Kind
    record: ItemRecord  # complete but for its serial


async def insert(caller: Caller, kind: Kind, fields: Changes) -> ItemRecord:
    """Write an item of the caller with its search entry, count its terms, and return it. `fields` are checked.

    Raises Refused: NOT_CREATED when the caller has an item of that name, EXTERNAL_ID_TAKEN, AUTHENTICATION.
    """
    return await caller.tenant.write_in_batch(
        (insert, kind), NewRecord(caller, kind, _record(caller, fields)), _insert_all
    )


def _record(caller: Caller, fields: Changes) -> ItemRecord:
    """What the document of the kind declares, without pydantic: this is half of what a creation costs the server.

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
    first = await tenant.next("serial", len(new)) - len(new) + 1
    for serial, each in enumerate(new, first):
        each.record["serial"] = serial
    writes = [Write(each.caller.tenant, each.record) for each in new]
    failures = await insert_all(tenant, document, writes)
    written = [each.record for each, failure in zip(new, failures, strict=True) if failure is None]
    await asyncio.gather(
        item_terms.count_all(tenant, [TermsChange(NO_TERMS, terms_of(item), item["owner"]) for item in written]),
        search_entries.insert_all(tenant, kind, written),
    )
    return [
        each.record if failure is None else await _refusal(tenant, each, failure)
        for each, failure in zip(new, failures, strict=True)
    ]


async def _refusal(tenant: Tenant, new: NewRecord, failure: Exception) -> Exception:
    if isinstance(failure, Duplicate):
        return await taken(tenant, new.kind, new.record.get("external_id"), NOT_CREATED)
    return failure
