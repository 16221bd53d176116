"""Users, datasets and terms that an item uses are not removed."""

from collections.abc import Iterable

from catalog.errors import NOT_DELETED, Refused
from catalog.store.records import Query
from catalog.store.tenant import Tenant
from catalog.vocabulary import Kind


async def refuse_while_used(tenant: Tenant, query: Query, kinds: Iterable[Kind] = tuple(Kind)) -> None:
    """Raises Refused: NOT_DELETED, naming an item that `query` finds."""
    for kind in kinds:
        user = await tenant.items(kind).records.find_one(query, {"_id": 1})
        if user is not None:
            raise Refused(NOT_DELETED, f"Used in {user['_id']} {kind.one.capitalize()}")
