"""Derived data of an item, written after each change of it: the counts of its terms, and its search entry."""

from bson import ObjectId

from catalog.domain.terms import item_terms
from catalog.gathering import gather_all
from catalog.store.derived import search_entries
from catalog.store.records import ItemRecord
from catalog.store.tenant import Tenant
from catalog.vocabulary import Kind


async def reindex(
    tenant: Tenant, kind: Kind, before: ItemRecord | None, after: ItemRecord | None, user: ObjectId
) -> None:
    """Follow a change of an item by `user`: None is an item that does not exist, or not any more."""
    had, has = (item_terms.terms_of(item) if item else item_terms.NO_TERMS for item in (before, after))
    counted = item_terms.count_uses(tenant, had, has, user)
    await gather_all([counted, search_entries.update(tenant, kind, before, after)])
