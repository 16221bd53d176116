"""Creating, reading and changing experiments, runs, artifacts, and records of what serves models.

`keys` of a record is unique in its collection: `n:<scope>:<name>` for each scope in which its name is unique,
`x:<external id>`, and for a name that is unique nowhere `#<serial>`.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar, cast
from uuid import uuid4

from bson import ObjectId

from catalog.domain import naming
from catalog.domain.access import Caller, readable_by, readers
from catalog.domain.items.inputs import MetadataPair
from catalog.domain.limits import LONGEST_NAME, Limits
from catalog.domain.tracking import external_ids
from catalog.domain.tracking.access import may_read, readable, refuse_change
from catalog.domain.validation import Validator
from catalog.errors import EXTERNAL_ID_TAKEN, INVALID_FIELD, NAME_TAKEN, NOT_FOUND, Refused
from catalog.store.clock import later_than
from catalog.store.concurrency.optimistic import RecordGoneError, Revised, queue_of, revise
from catalog.store.concurrency.unique_writes import write_unless_taken
from catalog.store.derived.reader_copies import copied
from catalog.store.documents.items import PairSubdocument
from catalog.store.ids import document_id
from catalog.store.records import Changes, PairRecord, Query, TrackedRecord
from catalog.store.tenant_documents import BoundCollection, D, Records, record_of
from catalog.vocabulary import Visibility

R = TypeVar("R", bound=TrackedRecord)
P = TypeVar("P", bound=TrackedRecord)

SERIAL = "serial"
"""The counter of experiments, runs and what serves models: that of the items."""

MOST_OF_A_NAME = 100
"""How many records of one name a search considers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Details:
    """What a client says of something new. Without a name it gets one."""

    name: str = ""
    description: str = ""
    external_id: str = ""
    metadata: Sequence[MetadataPair] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DetailsChange:
    """What changes. None stays as it is; `metadata` replaces all of it."""

    description: str | None = None
    external_id: str | None = None  # empty: none any more
    metadata: Sequence[MetadataPair] | None = None


NO_CHANGE = DetailsChange()


def new_fields(caller: Caller, details: Details, limits: Limits, scopes: Iterable[object], serial: int) -> Changes:
    """The common fields of something new, checked. Raises Refused: INVALID_FIELD."""
    check = Validator(INVALID_FIELD, limits)
    name = check.new_name("name", details.name or str(uuid4()), LONGEST_NAME, naming.term)
    external_id = check.line("external_id", details.external_id, LONGEST_NAME)
    keys = [name_key(scope, name) for scope in scopes] or [f"#{serial}"]
    return {
        "serial": serial,
        "name": name,
        "owner": document_id(caller.user),
        "keys": [*keys, *([external_key(external_id)] if external_id else [])],
        "description": check.description(details.description),
        "external_id": external_id or None,
        "metadata": [
            PairSubdocument(name=pair.name, value=pair.value) for pair in check.pairs("metadata", details.metadata)
        ],
    }


def changed_fields(record: TrackedRecord, change: DetailsChange, limits: Limits) -> Changes:
    """The common fields that change. Raises Refused: INVALID_FIELD."""
    check, fields = Validator(INVALID_FIELD, limits), Changes()
    if change.description is not None:
        fields["description"] = check.description(change.description)
    if change.external_id is not None:
        external_id = check.line("external_id", change.external_id, LONGEST_NAME)
        others = [key for key in record["keys"] if not key.startswith("x:")]
        fields["external_id"] = external_id or None
        fields["keys"] = [*others, *([external_key(external_id)] if external_id else [])]
    if change.metadata is not None:
        fields["metadata"] = pairs_of(check.pairs("metadata", change.metadata))
    return fields


def pairs_of(pairs: Iterable[MetadataPair]) -> list[PairRecord]:
    return [{"name": pair.name, "value": pair.value} for pair in pairs]


def name_key(scope: object, name: str) -> str:
    return f"n:{scope}:{name}"


def external_key(external_id: str) -> str:
    return f"x:{external_id}"


def readers_of(own: Iterable[ObjectId | str], *others: Iterable[ObjectId | str]) -> Changes:
    """The fields that say who reads something: its own readers, and those of what it belongs to."""
    return {"own_readers": list(own), "readers": copied(own, *others)}


def own_readers(caller: Caller, visibility: Visibility) -> Changes:
    """The fields that say who reads something that belongs to nothing."""
    return readers_of(readers(caller.user, (), (), visibility))


async def create_owned(
    caller: Caller,
    bound: BoundCollection[D, R],
    details: Details,
    limits: Limits,
    visibility: Visibility,
    more: Changes | None = None,
) -> R:
    """Create something of the caller that belongs to nothing, with `more` fields than the common ones.

    Raises Refused: INVALID_FIELD, NAME_TAKEN, EXTERNAL_ID_TAKEN.
    """
    fields = new_fields(caller, details, limits, [caller.user], await caller.tenant.next(SERIAL))
    await refuse_name(caller, bound, fields["name"])
    document = bound.document(**fields, **own_readers(caller, visibility), **(more or {}))
    async with external_ids.reserved(caller.tenant, fields["external_id"]):
        return await insert(bound, document)


async def insert(bound: BoundCollection[D, R], document: D) -> R:
    """Raises Refused: NAME_TAKEN, EXTERNAL_ID_TAKEN."""
    await write_unless_taken(
        lambda: bound.insert(document), lambda: taken(bound, document.name, document.external_id, document.keys)
    )
    return cast("R", record_of(document))


async def taken(bound: Records[R], name: str, external_id: str | None, keys: Sequence[str]) -> Refused | None:
    """The refusal of a record whose external id, or else another of its keys, another one has. None: no one has."""
    if external_id and await bound.records.find_one({"keys": external_key(external_id)}, {"_id": 1}):
        return Refused(EXTERNAL_ID_TAKEN, external_id)
    if await bound.records.find_one({"keys": {"$in": list(keys)}}, {"_id": 1}):
        return Refused(NAME_TAKEN, name)
    return None


def _one(bound: Records[R]) -> str:
    """What one record of a collection is called."""
    return bound.name.removesuffix("s").replace("_", " ")


async def read(caller: Caller, bound: Records[R], serial: int) -> R:
    """The record of this serial. Raises Refused: NOT_FOUND, also for one that the caller may not read."""
    found = await bound.records.find_one({"serial": serial})
    if found is None or not await may_read(caller, found):
        raise Refused(NOT_FOUND, f"{_one(bound)} {serial} not found")
    return found


async def changeable(caller: Caller, bound: Records[R], serial: int) -> R:
    """The record of this serial, if the caller may change it. Raises Refused: NOT_FOUND, CANNOT_MODIFY."""
    found = await bound.records.find_one({"serial": serial})
    if found is None:
        raise Refused(NOT_FOUND, f"{_one(bound)} {serial} not found")
    await refuse_change(caller, found)
    return found


async def find_one(caller: Caller, bound: Records[R], query: Query) -> R:
    """The record of a query: the caller's own, else the only one that the caller may read.

    Raises Refused: NOT_FOUND, also for several.
    """
    own = await readable(caller, await bound.records.find({**query, "owner": caller.user}).limit(2).to_list(2))
    if len(own) == 1:
        return own[0]
    found = await readable(caller, await bound.records.find(query).limit(MOST_OF_A_NAME).to_list(MOST_OF_A_NAME))
    if len(found) == 1:
        return found[0]
    raise Refused(NOT_FOUND, f"{_one(bound)} not found" if not found else f"{_one(bound)} not found: several fit")


async def find_owned(caller: Caller, bound: Records[R], *, name: str, external_id: str) -> R:
    """What belongs to nothing, by its name or else its external id. Raises Refused: NOT_FOUND."""
    query = {"name": name} if name else {"external_id": external_id}
    return await find_one(caller, bound, query | readable_by(caller))


async def find_in(
    caller: Caller, bound: Records[R], parents: Records[P], *, name: str, parent: int, external_id: str
) -> R:
    """What belongs to a parent, by its name there or else its external id. Raises Refused: NOT_FOUND."""
    if not name:
        return await find_one(caller, bound, {"external_id": external_id})
    place = await read(caller, parents, parent)
    return await find_one(caller, bound, {"keys": name_key(place["_id"], name)})


async def refuse_name(caller: Caller, bound: Records[R], name: str) -> None:
    """For what belongs to nothing, unique by owner and name: one that the caller can read has the name already.

    Raises Refused: NAME_TAKEN.
    """
    if await bound.records.find_one({"name": name, **readable_by(caller)}, {"_id": 1}):
        raise Refused(NAME_TAKEN, name)


async def change(bound: Records[R], record: R, fields: Callable[[R], Changes]) -> R:
    """Set what `fields` says of a record. Raises Refused: NOT_FOUND, NAME_TAKEN, EXTERNAL_ID_TAKEN, BUSY."""
    changed: Changes = {}
    lock = queue_of("tracking", bound.name, record["_id"])
    first = None if lock.locked() else record  # a change that is under way makes it stale

    async def again() -> R | None:
        return await bound.records.find_one({"_id": record["_id"]})

    async def changes(current: R) -> Changes:
        changed.update(fields(current))
        return {**changed, "lastmod": later_than(current["lastmod"])}

    async def write() -> Revised[R]:
        return await revise(bound.records, again, changes, first=first)

    async def refusal() -> Refused | None:
        nonlocal first
        first = None
        current = await again()
        new = set(changed.get("keys", ())) - set(current["keys"] if current else ())
        return await taken(bound, record["name"], changed.get("external_id"), list(new))

    try:
        async with lock:
            revised = await write_unless_taken(write, refusal)
    except RecordGoneError:
        raise Refused(NOT_FOUND, f"{record['serial']}") from None
    return revised.after
