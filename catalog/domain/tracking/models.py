"""Models and versions by their serials, for callers who may read them. Drafts are not found."""

from collections.abc import Iterable, Sequence

from bson import ObjectId

from catalog.domain import naming
from catalog.domain.access import Caller, may_read, readable_by
from catalog.errors import NOT_FOUND, Refused
from catalog.store.records import ItemRecord, Query, VersionRecord
from catalog.vocabulary import Kind, VersionState

COMPLETE: Query = {"kind": Kind.MODEL.value, "state": {"$ne": VersionState.DRAFT.value}}
"""The versions of models, without drafts."""

SHOWN = {"serial": 1, "name": 1, "readers": 1}
"""What is read of the models of a list."""

MOST = 100
"""How many versions of one external id are considered."""


async def read(caller: Caller, serial: int) -> ItemRecord:
    """The model of this serial. Raises Refused: NOT_FOUND, also for one that the caller may not read."""
    found = await caller.tenant.models.records.find_one({"serial": serial})
    if found is None or not may_read(caller, found):
        raise Refused(NOT_FOUND, f"model {serial} not found")
    return found


async def read_by_id(caller: Caller, key: ObjectId) -> ItemRecord:
    """The model of this id. Raises Refused: NOT_FOUND, also for one that the caller may not read."""
    found = await caller.tenant.models.records.find_one({"_id": key})
    if found is None or not may_read(caller, found):
        raise Refused(NOT_FOUND, "model not found")
    return found


async def read_version(caller: Caller, serial: int) -> VersionRecord:
    """The version of this serial. Raises Refused: NOT_FOUND, also for one that the caller may not read."""
    return (await read_version_and_model(caller, serial))[0]


async def read_version_and_model(caller: Caller, serial: int) -> tuple[VersionRecord, ItemRecord]:
    """The version of this serial, and its model. Raises Refused: NOT_FOUND."""
    found = await caller.tenant.versions.records.find_one({"serial": serial})
    if found is None or found["kind"] != Kind.MODEL or found["state"] == VersionState.DRAFT:
        raise Refused(NOT_FOUND, f"version {serial} not found")
    item = await caller.tenant.models.records.find_one({"_id": found["item"]})
    if item is None or not may_read(caller, item):
        raise Refused(NOT_FOUND, f"version {serial} not found")
    return found, item


async def readable_id(caller: Caller, serial: int) -> ObjectId | None:
    """The id of the model of this serial, if the caller may read it."""
    query = {"serial": serial, **readable_by(caller)}
    found = await caller.tenant.models.records.find_one(query, {"_id": 1})
    return found["_id"] if found else None


async def readable_version(caller: Caller, serial: int) -> ObjectId | None:
    """The id of the version of this serial, if the caller may read its model."""
    found = await caller.tenant.versions.records.find_one({"serial": serial}, {"item": 1})
    return found["_id"] if found and await readable(caller, [found["item"]]) else None


async def readable(caller: Caller, keys: Iterable[ObjectId]) -> dict[ObjectId, ItemRecord]:
    """Those of the models that the caller may read, by id: their names, serials and readers."""
    unique = list(set(keys))
    if not unique:
        return {}
    found = caller.tenant.models.records.find({"_id": {"$in": unique}, **readable_by(caller)}, SHOWN)
    return {item["_id"]: item async for item in found}


async def find(caller: Caller, *, name: str = "", external_id: str = "") -> ItemRecord:
    """The model of just this name or external id: the caller's own, else the only one that the caller may read.

    Raises Refused: NOT_FOUND, also for several.
    """
    records, names = caller.tenant.models.records, list(naming.spellings(name))
    query: Query = {"name": {"$in": names}} if name else {"external_id": external_id}
    found = await records.find(query | readable_by(caller)).limit(2).to_list(2)
    if name and len(found) > 1:
        own = await records.find_one({"owner": caller.user, "name": {"$in": names}})
        found = [own] if own else found
    if len(found) != 1:
        raise Refused(NOT_FOUND, "model not found" if not found else "model not found: several have this name")
    return found[0]


async def find_version(
    caller: Caller, *, name: str = "", model: int = 0, external_id: str = ""
) -> tuple[VersionRecord, ItemRecord]:
    """The version of an external id, or of just this ordinal of a model. Raises Refused: NOT_FOUND."""
    records = caller.tenant.versions.records
    if name and model:
        item = await read(caller, model)
        found = await records.find_one({"item": item["_id"], "ordinal_key": name.casefold()})
        if found is not None and found["ordinal"] == name and found["state"] != VersionState.DRAFT:
            return found, item
        raise Refused(NOT_FOUND, "version not found")
    fitting = [
        version
        for version in await records.find({"external_id": external_id, **COMPLETE}).limit(MOST).to_list(MOST)
        if version["item"] in await readable(caller, [version["item"]])
    ]
    if len(fitting) != 1:
        raise Refused(NOT_FOUND, "version not found")
    return fitting[0], await read_by_id(caller, fitting[0]["item"])


async def readmes(caller: Caller, keys: Sequence[ObjectId]) -> dict[ObjectId, str]:
    """The texts of the cards of models, by the id of the model."""
    one_or_many = keys[0] if len(keys) == 1 else {"$in": list(keys)}
    return {card["_id"]: card["text"] async for card in caller.tenant.cards.records.find({"_id": one_or_many})}
