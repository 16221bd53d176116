"""Removes the demo: the records with an id of the demo, and the terms that only the demo uses.

What others have built on it stays, and with it what they use: a dataset of a model that is not the demo's, a model that
a service serves, and a person who owns other items. The bytes are left to the sweep.
"""

from collections.abc import Awaitable
from typing import NamedTuple

from bson import ObjectId

from catalog.domain.access import USERS, Caller, refuse_out_of_scope
from catalog.domain.demo import content
from catalog.domain.demo.marks import marked
from catalog.domain.items import items, trash
from catalog.domain.items.references import Reference
from catalog.domain.people import groups, users
from catalog.errors import BUSY, CANNOT_DELETE, DEPLOYED, IN_USE, LAST_ADMIN, NOT_DELETED, NOT_FOUND, Refused
from catalog.store.query.paging.cursors import ASCENDING
from catalog.store.tenant import Tenant
from catalog.store.tenant_documents import R, Records
from catalog.vocabulary import Kind, Usage

ORDER = (Kind.MODEL, Kind.ALGORITHM, Kind.DATASET)
"""Datasets come last: they stay while a model or an algorithm uses them."""

IN_THE_WAY = (NOT_DELETED, IN_USE, DEPLOYED, IN_USE, LAST_ADMIN, BUSY)
"""Why a thing stays."""


class Emptied(NamedTuple):
    """What one run removed, and what stays."""

    items: int
    people: int
    moved: list[ObjectId]  # users who are gone, or in fewer groups
    kept: list[str]  # each with the reason


async def remove(caller: Caller) -> Emptied:
    """Remove the demo from a tenant, also what of it is in the trash. After a crash half-way, call it again.

    Raises Refused: CANNOT_DELETE for a personal access token.
    """
    refuse_out_of_scope(caller, USERS, CANNOT_DELETE)
    tenant, kept = caller.tenant, list[str]()
    removed = 0
    for kind in ORDER:
        for item in await _found(tenant.items(kind), "name"):
            removal = items.remove(caller, kind, Reference(str(item["_id"])))
            removed += await _succeeds(removal, f"{kind.one} {item['name']}", kept)
    for entry in await _found(tenant.trash, "name"):
        removed += await _succeeds(trash.purge_now(caller, str(entry["_id"])), f"{entry['name']} in the trash", kept)
    moved: set[ObjectId] = set()
    for group in await _found(tenant.groups, "name"):
        members = await groups.members_of(tenant, group["_id"])
        if await _succeeds(groups.remove(caller, str(group["_id"])), f"group {group['name']}", kept):
            moved |= {member["_id"] for member in members}
    people = 0
    for person in await _found(tenant.users, "username"):
        name = f"user {person['username']}"
        if person["_id"] == caller.user:
            kept.append(f"{name}: your own account")
        elif await _succeeds(users.remove(caller, str(person["_id"])), name, kept):
            moved.add(person["_id"])
            people += 1
    await _remove_terms(caller.tenant)
    return Emptied(removed, people, sorted(moved), kept)


async def _found(bound: Records[R], field: str) -> list[R]:
    """The records of the demo, with one field. All at once: a cursor may miss records, or see some twice, while others
    are removed.
    """
    return await bound.records.find(marked(), {field: 1}).sort("_id", ASCENDING).to_list(None)


async def _succeeds(removal: Awaitable[object], name: str, kept: list[str]) -> bool:
    """Await the removal of a thing. If something is in the way, add the reason to what is kept."""
    try:
        await removal
    except Refused as refused:
        if refused.fault in IN_THE_WAY:
            kept.append(f"{name}: {refused.details or refused.fault.message}")
        elif refused.fault is not NOT_FOUND:  # another request has removed it
            raise
        return False
    return True


async def _remove_terms(tenant: Tenant) -> None:
    """Remove the terms that people of the demo have coined and that no item uses any more."""
    tags, names = content.terms(content.items(len(content.CASES) * len(content.VARIANTS)))
    for terms, made in ((tenant.tags, tags), (tenant.metadata, names)):
        unused = {"_id": {"$in": sorted(made)}, "usage": Usage.FOLK.value, "uses": {"$lte": 0}, **marked("owner")}
        await terms.records.delete_many(unused)
