"""Ids of records."""

from beanie import PydanticObjectId
from bson import ObjectId

DIGITS = 24
"""Hexadecimal digits of an id."""


def object_id(text: object) -> ObjectId | None:
    """`text` as an id, or None when it is none."""
    if isinstance(text, ObjectId):
        return text
    # Most names are of another length, and the driver raises and catches an error for each.
    return ObjectId(text) if isinstance(text, str) and len(text) == DIGITS and ObjectId.is_valid(text) else None


def parse_id(text: object) -> ObjectId:
    """Raises ValueError when `text` is no id."""
    key = object_id(text)
    if key is None:
        raise ValueError("no id")
    return key


def document_id(key: ObjectId) -> PydanticObjectId:
    """An id of the type that documents declare."""
    return PydanticObjectId(key)
