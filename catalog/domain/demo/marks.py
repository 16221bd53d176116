"""The ids of what the demo makes.

They are derived from what a thing is, so that they are the same each time, and have a common beginning. An id survives
a rename, a change of owner, the trash, a backup and a restore. A thing without such an id is not the demo's.
"""

from enum import IntEnum

from bson import ObjectId

from catalog.store.records import Query

BEGINNING = b"democtlg"
"""The first 8 of the 12 bytes of each id: a second of May 2023, and five bytes that are random in other ids."""


class Sort(IntEnum):
    """The kind of thing that has an id: the byte behind the beginning."""

    PERSON = 1
    GROUP = 2
    DATASET = 3
    ALGORITHM = 4
    MODEL = 5


def identity(sort: Sort, number: int, version: int = 0) -> ObjectId:
    """The id of a thing, or of one of its versions, which count from 1. `number` is less than 65 536."""
    return ObjectId(BEGINNING + bytes([sort]) + number.to_bytes(2, "big") + bytes([version]))


def marked(field: str = "_id") -> Query:
    """The filter of what has such an id in a field."""
    return {field: {"$gte": ObjectId(BEGINNING + bytes(4)), "$lte": ObjectId(BEGINNING + b"\xff" * 4)}}
