"""Transferring all that a user owns to another user."""

from bson import ObjectId

from catalog.domain.access import readers
from catalog.domain.artifacts import owners
from catalog.domain.items.trash import restorable
from catalog.domain.terms import item_terms
from catalog.domain.tracking.removal import refuse_collisions
from catalog.domain.tracking.removal import transfer as transfer_tracked
from catalog.errors import BUSY, INVALID_TRANSFER, Refused
from catalog.store.clock import now
from catalog.store.concurrency.leases import free
from catalog.store.concurrency.optimistic import RecordGoneError, revise
from catalog.store.derived import reader_copies
from catalog.store.failures import Duplicate
from catalog.store.records import Changes, ItemRecord, TrashRecord, UserRecord
from catalog.store.tenant import Tenant
from catalog.vocabulary import Kind

BATCH = 500
"""Names that one query compares."""

SHOWN = 10
"""How many of the names that collide a refusal shows."""


async def transfer(tenant: Tenant, user: UserRecord, new_owner: UserRecord) -> None:
    """Make `new_owner` the owner of all that `user` owns: items with versions and drafts, and entries of the trash.

    Running it again continues with the rest. The user who uploaded a version stays recorded on it.

    Raises Refused: INVALID_TRANSFER, with the names that both use, before anything moves; BUSY.
    """
    if new_owner["_id"] == user["_id"]:
        raise Refused(INVALID_TRANSFER, "transfer: another user is needed")
    await _refuse_collisions(tenant, user["_id"], new_owner)
    await refuse_collisions(tenant, user["_id"], new_owner["_id"])
    for kind in Kind:
        async for item in tenant.items(kind).records.find({"owner": user["_id"]}, {"_id": 1}):
            await _transfer_item(tenant, kind, item["_id"], user["_id"], new_owner)
    await transfer_tracked(tenant, user["_id"], new_owner["_id"])
    await owners.transfer(tenant, user["_id"], new_owner["_id"])
    await transfer_trash(tenant, user["_id"], new_owner["_id"])


async def refuse_while_in_trash(tenant: Tenant, user: ObjectId) -> None:
    """Raises Refused: INVALID_TRANSFER, when the user has something in the trash that can be restored."""
    if await tenant.trash.records.find_one({"owner": user, **restorable()}, {"_id": 1}):
        raise Refused(INVALID_TRANSFER, "transfer: another user is needed, who gets what you have in the trash")


async def transfer_trash(tenant: Tenant, user: ObjectId, new_owner: ObjectId | None) -> None:
    """Make `new_owner`, if there is one, the owner of what `user` has in the trash. Raises Refused: BUSY."""
    if new_owner is None:
        return
    async for entry in tenant.trash.records.find({"owner": user}):
        await _transfer_trash_entry(tenant, entry, new_owner)


async def _refuse_collisions(tenant: Tenant, user: ObjectId, new_owner: UserRecord) -> None:
    collisions: list[str] = []
    for kind in Kind:
        names: list[str] = []
        async for item in tenant.items(kind).records.find({"owner": user}, {"name": 1}):
            names.append(item["name"])
            if len(names) == BATCH:
                collisions += await _names_of(tenant, kind, new_owner["_id"], names)
                names = []
        collisions += await _names_of(tenant, kind, new_owner["_id"], names)
    if collisions:
        shown = ", ".join(collisions[:SHOWN])
        more = f" and {len(collisions) - SHOWN} more" if len(collisions) > SHOWN else ""
        raise _collision(new_owner, shown + more)


def _collision(new_owner: UserRecord, names: str) -> Refused:
    return Refused(INVALID_TRANSFER, f"transfer: {new_owner['username']} has items of these names already: {names}")


async def _names_of(tenant: Tenant, kind: Kind, owner: ObjectId, names: list[str]) -> list[str]:
    """Those of the names that items of this owner have."""
    found = tenant.items(kind).records.find({"owner": owner, "name": {"$in": names}}, {"name": 1})
    return sorted([f"{kind}/{item['name']}" async for item in found])


async def _transfer_item(tenant: Tenant, kind: Kind, item: ObjectId, user: ObjectId, new_owner: UserRecord) -> None:
    records = tenant.items(kind).records

    async def read() -> ItemRecord | None:
        return await records.find_one({"_id": item, "owner": user})

    async def changes(found: ItemRecord) -> Changes:
        return {**_owned_by(new_owner["_id"], found), "lastmod": now()}

    try:
        before, after = await revise(records, read, changes)
    except RecordGoneError:
        return
    except Duplicate:  # created since the names were compared
        found = await read()
        if found is None:
            return
        raise _collision(new_owner, f"{kind}/{found['name']}") from None
    await reader_copies.spread(tenant, kind, after)
    await item_terms.count_uses(tenant, item_terms.terms_of(before), item_terms.terms_of(after), new_owner["_id"])


async def _transfer_trash_entry(tenant: Tenant, entry: TrashRecord, new_owner: ObjectId) -> None:
    fields = {f"item.{name}": value for name, value in _owned_by(new_owner, entry["item"]).items()}
    same = {"_id": entry["_id"], "removal": entry["removal"], **free("lease_until")}
    written = await tenant.trash.records.update_one(same, {"$set": {"owner": new_owner, **fields}})
    if not written.matched_count and await tenant.trash.records.find_one({"_id": entry["_id"]}, {"_id": 1}):
        raise Refused(BUSY, f"{entry['name']} is being moved into the trash or out of it")


def _owned_by(owner: ObjectId, item: ItemRecord) -> Changes:
    users, editors = (
        [identity for identity in shared_with if identity != owner]
        for shared_with in (item["users"], item.get("editors", ()))
    )
    visibility = item["visibility"]
    return {
        "owner": owner,
        "users": users,
        "editors": editors,
        "shares": [share for share in item.get("shares", ()) if share["party"] != owner],
        "readers": readers(owner, users, editors, visibility),
        "readers_changed": now(),
    }
