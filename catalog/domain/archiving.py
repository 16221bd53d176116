"""Archived items and versions: readable by name and id, and left out of lists unless a client asks for them."""

from collections.abc import Mapping

from catalog.store.records import Query
from catalog.vocabulary import Archived


def is_shown(wanted: Archived, record: Mapping[str, object]) -> bool:
    """Whether a list with the parameter `wanted` shows an item or a version."""
    return wanted is Archived.ALL or bool(record.get("archived")) is (wanted is Archived.ONLY)


def shown(wanted: Archived) -> Query:
    """The same as a filter. An older record may lack the field."""
    if wanted is Archived.ALL:
        return {}
    return {"archived": True} if wanted is Archived.ONLY else {"archived": {"$ne": True}}
