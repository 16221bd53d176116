"""Who may read and change experiments, runs, artifacts and what serves models.

Each of them may belong to models (`items`) and experiments (`experiments`): a user who may read one of these may read
it, too. It may have readers of its own (`own_readers`): its owner, and every user of the tenant where it is public.
`readers` is a copy of all of them, by which an index serves lists (see `store.derived.reader_copies`).
"""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import TypeVar

from bson import ObjectId

from catalog.domain.access import ACCESS_FIELDS, Caller, SharedRecord, may_manage, readable_by
from catalog.domain.access import may_change as may_change_item
from catalog.domain.access import may_read as may_read_item
from catalog.errors import CANNOT_MODIFY, NOT_FOUND, Refused
from catalog.store.derived.reader_copies import MANY
from catalog.store.query.paging.cursors import DESCENDING
from catalog.store.records import Query, TrackedRecord
from catalog.store.tenant_documents import R as AnyR
from catalog.store.tenant_documents import Records
from catalog.vocabulary import PUBLIC_READER

R = TypeVar("R", bound=TrackedRecord)


async def readable(caller: Caller, records: Sequence[R]) -> list[R]:
    """Those of the records that the caller may read."""
    open_ = [_is_own_reader(caller, record) for record in records]
    if all(open_):
        return list(records)
    hidden = [record for record, is_open in zip(records, open_, strict=True) if not is_open]
    may, of = partial(may_read_item, caller), caller.tenant
    items = await _among(of.models, (key for record in hidden for key in record["items"]), may)
    experiments = await _among(of.experiments, (key for record in hidden for key in record["experiments"]), may)
    return [
        record
        for record, is_open in zip(records, open_, strict=True)
        if is_open or not items.isdisjoint(record["items"]) or not experiments.isdisjoint(record["experiments"])
    ]


def _is_own_reader(caller: Caller, record: TrackedRecord) -> bool:
    """Whether the caller may read a record, regardless of its parent."""
    if caller.reach:  # records that a limited robot has added to a model are visible with the model
        return record["owner"] == caller.user and caller.user in record["own_readers"]
    own: SharedRecord = {"_id": record["_id"], "owner": record["owner"], "readers": record["own_readers"]}
    return caller.is_admin or may_read_item(caller, own)


MOST_REACHED = 10_000
"""Models of a limited robot whose records a list has; the newest."""


async def listed_to(caller: Caller, of: str = "items") -> Query:
    """The filter of the records, or of the versions, that the caller may be able to read.

    It finds all that are readable, and nearly nothing else: `readable` says whether they are. `of` is the field that
    names the models of a record.
    """
    if caller.reach:
        models = caller.tenant.models.records.find(readable_by(caller), {"_id": 1})
        reached = [found["_id"] async for found in models.sort("serial", DESCENDING).limit(MOST_REACHED)]
        return {"$or": [{"owner": caller.user}, {of: {"$in": reached}}]}
    if caller.is_admin:
        return {}
    return {"readers": {"$elemMatch": {"$in": [*caller.identities, PUBLIC_READER, MANY]}}}


async def may_read(caller: Caller, record: TrackedRecord) -> bool:
    return bool(await readable(caller, [record]))


async def may_change(caller: Caller, record: TrackedRecord) -> bool:
    """Whether the caller owns a record with readers of its own, or may change what it belongs to."""
    if caller.is_admin or (record["owner"] == caller.user and caller.user in record["own_readers"]):
        return True
    return bool(
        await _among(caller.tenant.models, record["items"], partial(may_change_item, caller))
        or await _among(caller.tenant.experiments, record["experiments"], partial(may_manage, caller))
    )


async def refuse_change(caller: Caller, record: TrackedRecord) -> None:
    """Raises Refused: CANNOT_MODIFY, or NOT_FOUND for what the caller may not even read."""
    if not await may_change(caller, record):
        fault = CANNOT_MODIFY if await may_read(caller, record) else NOT_FOUND
        raise Refused(fault, f"{record['serial']}")


async def _among(bound: Records[AnyR], ids: Iterable[ObjectId], may: Callable[[AnyR], bool]) -> set[ObjectId]:
    """Those of the ids whose records fit. (Beside an `$or` the embedded engines ignore that the ids are few.)"""
    unique = list(set(ids))
    if not unique:
        return set()
    found = bound.records.find({"_id": {"$in": unique}}, ACCESS_FIELDS)
    return {record["_id"] async for record in found if may(record)}
