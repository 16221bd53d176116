"""What a user owns, and giving all of it to somebody else."""

from bson import ObjectId

from catalog.domain.access import readers
from catalog.domain.items.trash import restorable
from catalog.domain.terms import terms
from catalog.errors import BUSY, NOT_DELETED, Refused
from catalog.store.database import Duplicate, Tenant
from catalog.store.documents import now
from catalog.store.leases import free
from catalog.store.optimistic import RecordGoneError, revise
from catalog.store.records import Changes, ItemRecord, TrashRecord
from catalog.store.tenant_documents import Raw
from catalog.vocabulary import Kind

AT_ONCE = 500
"""Names that one query asks about."""

NAMED = 10
"""How many of the names that collide a refusal tells."""


async def pass_on(tenant: Tenant, user: Raw, heir: Raw) -> None:
    """Give all that `user` owns to `heir`: items, drafts and versions with them, and what is in the trash.

    Doing it again goes on with what is left. Who uploaded a version stays written on it: that is what happened.

    Raises Refused: NOT_DELETED, naming what both have under one name, before anything moves; BUSY.
    """
    if heir["_id"] == user["_id"]:
        raise Refused(NOT_DELETED, "transfer: somebody else is needed")
    await _refuse_collisions(tenant, user["_id"], heir)
    for kind in Kind:
        async for item in tenant.items(kind).raw.find({"owner": user["_id"]}, {"_id": 1}):
            await _give(tenant, kind, item["_id"], user["_id"], heir)
    await pass_on_trash(tenant, user["_id"], heir["_id"])


async def refuse_while_in_trash(tenant: Tenant, user: ObjectId) -> None:
    """Raises Refused: NOT_DELETED, when the user has something in the trash that can be restored."""
    if await tenant.trash.raw.find_one({"owner": user, **restorable()}, {"_id": 1}):
        raise Refused(NOT_DELETED, "transfer: somebody else is needed, who gets what you have in the trash")


async def pass_on_trash(tenant: Tenant, user: ObjectId, heir: ObjectId | None) -> None:
    """Give what `user` has in the trash to `heir`, if there is one. Raises Refused: BUSY."""
    if heir is None:
        return
    async for record in tenant.trash.records.find({"owner": user}):
        await _give_thrown(tenant, record, heir)


async def _refuse_collisions(tenant: Tenant, user: ObjectId, heir: Raw) -> None:
    both: list[str] = []
    for kind in Kind:
        terms: list[str] = []
        async for item in tenant.items(kind).raw.find({"owner": user}, {"name": 1}):
            terms.append(item["name"])
            if len(terms) == AT_ONCE:
                both += await _of(tenant, kind, heir["_id"], terms)
                terms = []
        both += await _of(tenant, kind, heir["_id"], terms)
    if both:
        shown = ", ".join(both[:NAMED]) + (f" and {len(both) - NAMED} more" if len(both) > NAMED else "")
        raise Refused(NOT_DELETED, f"transfer: {heir['username']} has items of these names already: {shown}")


async def _of(tenant: Tenant, kind: Kind, owner: ObjectId, names: list[str]) -> list[str]:
    """Those of the names that an owner has."""
    found = tenant.items(kind).raw.find({"owner": owner, "name": {"$in": names}}, {"name": 1})
    return sorted([f"{kind}/{item['name']}" async for item in found])


async def _give(tenant: Tenant, kind: Kind, item: ObjectId, user: ObjectId, heir: Raw) -> None:
    records = tenant.items(kind).records

    async def read() -> ItemRecord | None:
        return await records.find_one({"_id": item, "owner": user})

    async def changes(found: ItemRecord) -> Changes:
        return {**_owned_by(heir["_id"], found), "lastmod": now()}

    try:
        before, after = await revise(records, read, changes)
    except RecordGoneError:
        return
    except Duplicate:  # created since the names were compared
        name = f"{kind}/{found['name']}" if (found := await read()) else str(kind)
        raise Refused(NOT_DELETED, f"transfer: {heir['username']} has items of these names already: {name}") from None
    await terms.used(tenant, terms.words_of(before), terms.words_of(after), heir["_id"])


async def _give_thrown(tenant: Tenant, record: TrashRecord, heir: ObjectId) -> None:
    fields = {f"item.{name}": value for name, value in _owned_by(heir, record["item"]).items()}
    mine = {"_id": record["_id"], "removal": record["removal"], **free("held")}
    given = await tenant.trash.raw.update_one(mine, {"$set": {"owner": heir, **fields}})
    if not given.matched_count and await tenant.trash.raw.find_one({"_id": record["_id"]}, {"_id": 1}):
        raise Refused(BUSY, f"somebody moves {record['name']} into the trash, or out of it")


def _owned_by(heir: ObjectId, item: ItemRecord) -> Changes:
    users = [user for user in item["users"] if user != heir]
    return {"owner": heir, "users": users, "readers": readers(heir, users, item["visibility"])}
