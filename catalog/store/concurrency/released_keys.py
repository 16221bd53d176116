"""Inserts a record whose key no record has, although a unique index refuses it.

`secantusd-rs` (as of 0.5.3-beta.196) keeps a unique key that an update has replaced, also when the record is removed:
no new record could have the name that a renamed one had. It refuses the whole command, and inserts alone: an update may
give a record such a key. So the record is inserted with stand-ins in place of these keys, and an update writes them. A
process that is killed between the two leaves the stand-ins: the text, NUL, and an id.
"""

from collections.abc import Mapping
from typing import Any

from bson import ObjectId
from motor.motor_asyncio import AsyncIOMotorCollection
from pymongo.errors import DuplicateKeyError

MOST_KEYS = 4
"""Unique indexes of one collection that a record may have to go around."""

Document = Mapping[str, Any]


async def insert(
    records: AsyncIOMotorCollection[Any], record: Document, refusal: DuplicateKeyError
) -> DuplicateKeyError | None:
    """Insert a record that was refused, if no other has its keys. Returns the refusal that stands."""
    waiting: dict[str, Any] = {}
    for _ in range(MOST_KEYS):
        fields = await _released(records, record, refusal)
        if not fields or fields.keys() <= waiting.keys():
            return refusal
        waiting |= fields
        try:
            await records.insert_one({**record, **{name: _stand_in(value) for name, value in waiting.items()}})
        except DuplicateKeyError as another:
            refusal = another
        else:
            return await _complete(records, {"_id": record["_id"]}, waiting)
    return refusal


async def _released(
    records: AsyncIOMotorCollection[Any], record: Document, refusal: DuplicateKeyError
) -> dict[str, Any]:
    """The texts of the record in the key that was refused; empty when another record has the key."""
    details = refusal.details or {}
    key: Document = details.get("keyValue") or {}
    if not key or "_id" in key or await records.find_one(key, {"_id": 1}) is not None:
        return {}
    return {name: record[name] for name in key if isinstance(record.get(name), str | list)}


async def _complete(
    records: AsyncIOMotorCollection[Any], inserted: Document, fields: Document
) -> DuplicateKeyError | None:
    try:
        await records.update_one(inserted, {"$set": fields})
    except DuplicateKeyError as taken:  # meanwhile
        await records.delete_one(inserted)
        return taken
    return None


def _stand_in(value: Any) -> Any:
    if isinstance(value, list):
        return [_stand_in(each) for each in value]
    return f"{value}\0{ObjectId()}"
