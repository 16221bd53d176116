"""Archived items and versions: readable by name and id, and left out of lists unless a client asks for them."""

from catalog.store.records import Query
from catalog.vocabulary import Archived


def shown(wanted: Archived) -> Query:
    """The filter of what a list with the parameter `wanted` shows. An older record may lack the field."""
    if wanted is Archived.ALL:
        return {}
    return {"archived": True} if wanted is Archived.ONLY else {"archived": {"$ne": True}}
