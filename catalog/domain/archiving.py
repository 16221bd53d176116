"""Archived items and versions: readable by name and id, and left out of lists unless a client asks for them."""

from catalog.store.records import Query
from catalog.vocabulary import Archived


def shown(archived: Archived) -> Query:
    """The filter of what a list with the parameter `archived` shows. An older record may lack the field."""
    if archived is Archived.ALL:
        return {}
    return {"archived": True} if archived is Archived.ONLY else {"archived": {"$ne": True}}
