"""Finding an item by a reference: an id first, then a whole name, then owner/name.

The caller's own item is found before those of others. A name that fits several other readable items is refused, so that
no user can publish an item whose name takes the place of another user's item.
"""

from collections.abc import Collection, Iterable, Mapping

from bson import ObjectId

from catalog.domain import naming
from catalog.domain.access import Caller, may_read, readable_by
from catalog.domain.items.references import Reference
from catalog.errors import AMBIGUOUS, Fault, Refused
from catalog.store.ids import object_id
from catalog.store.records import ItemRecord, Query
from catalog.vocabulary import Kind

CHOICES = 10
"""How many items a refusal lists when a reference fits several."""


async def find(caller: Caller, kind: Kind, reference: Reference) -> ItemRecord | None:
    """The item that a reference names, by id also if the caller may not read it. Raises Refused: AMBIGUOUS."""
    return await _by_id(caller, kind, reference) or await _by_name(caller, kind, reference)


async def own(caller: Caller, kind: Kind, name: str) -> ItemRecord | None:
    """The caller's own item of this name."""
    for each in naming.spellings(name):
        found: ItemRecord | None = await caller.tenant.items(kind).records.find_one(
            {"owner": caller.user, "name": each}
        )
        if found is not None:
            return found
    return None


async def find_user_ids(caller: Caller, keys: Collection[str]) -> dict[str, ObjectId]:
    """The ids of the users who exist, by the ids and usernames in `keys`."""
    ids = [identity for key in keys if (identity := object_id(key))]
    names = [name for key in keys for name in naming.spellings(key)]
    found: dict[str, ObjectId] = {}
    for field, values in (("_id", ids), ("username", names)):
        if values:
            async for user in caller.tenant.users.records.find({field: {"$in": values}}, {"username": 1}):
                found[str(user["_id"])] = found[user["username"]] = user["_id"]
    return found | {key: found[name] for key in keys if (name := naming.spelling_in(found, key)) in found}


async def find_reader_ids(caller: Caller, keys: Collection[str]) -> dict[str, ObjectId]:
    """The ids of the users and groups who exist, by the ids and names in `keys`."""
    if not keys:
        return {}
    found = await find_user_ids(caller, keys)
    rest = [key for key in keys if key not in found]
    ids = [identity for key in rest if (identity := object_id(key))]
    names = [name for key in rest for name in naming.spellings(key)]
    for field, values in (("_id", ids), ("name", names)):
        if values:
            async for group in caller.tenant.groups.records.find({field: {"$in": values}}, {"name": 1}):
                found[str(group["_id"])] = found[group["name"]] = group["_id"]
    return found | {key: found[name] for key in rest if (name := naming.spelling_in(found, key)) in found}


async def user_ids(caller: Caller, keys: Collection[str], fault: Fault, field: str = "users") -> list[ObjectId]:
    """The ids of users whom `field` names by id or username, each once. Raises Refused: `fault` for an unknown one."""
    return all_ids(keys, await find_user_ids(caller, keys), f"{field}: User", fault)


async def reader_ids(caller: Caller, keys: Collection[str], fault: Fault, field: str = "users") -> list[ObjectId]:
    """The ids of users and groups that `field` names by id or name. Raises Refused: `fault` for an unknown one."""
    return all_ids(keys, await find_reader_ids(caller, keys), f"{field}: User", fault)


def all_ids(keys: Iterable[str], found: Mapping[str, ObjectId], what: str, fault: Fault) -> list[ObjectId]:
    """The ids of all keys, each once. Raises Refused: `fault` for a key that was not found."""
    for key in keys:
        if key not in found:
            raise Refused(fault, f"{what} not existent ({key})")
    return list(dict.fromkeys(found[key] for key in keys))


async def _by_id(caller: Caller, kind: Kind, reference: Reference) -> ItemRecord | None:
    identity = reference.identity
    return await _shared(caller, kind, {"_id": identity}) if identity else None


async def _shared(caller: Caller, kind: Kind, query: Query) -> ItemRecord | None:
    return await caller.tenant.known.reads.find_one(caller.tenant.items(kind).records, query)


async def _by_name(caller: Caller, kind: Kind, reference: Reference) -> ItemRecord | None:
    own: ItemRecord | None
    whole: list[ItemRecord] = []
    for name in reference.names:
        own = await _shared(caller, kind, {"owner": caller.user, "name": name})
        if own is not None:
            return own
        whole = await _readable_named(caller, kind, name)
        if whole:
            break
    fitting = {item["_id"]: item for item in [*whole, *await _owned(caller, kind, reference)]}
    own = next((item for item in fitting.values() if item["owner"] == caller.user), None)
    if own is None and len(fitting) > 1:
        raise await _ambiguous(caller, kind, reference, list(fitting.values()))
    return own or next(iter(fitting.values()), None)


async def _readable_named(caller: Caller, kind: Kind, name: str) -> list[ItemRecord]:
    """Readable items of a whole name, one more at most than a refusal lists."""
    query = {"name": name, **readable_by(caller)}
    return await caller.tenant.items(kind).records.find(query).limit(CHOICES + 1).to_list(CHOICES + 1)


async def _owned(caller: Caller, kind: Kind, reference: Reference) -> list[ItemRecord]:
    """Readable items that the reference names as owner/name."""
    splits = dict(reference.splits())
    owners = await find_user_ids(caller, splits) if splits else {}
    found: list[ItemRecord] = []
    for owner, rest in splits.items():
        for name in naming.spellings(rest) if owner in owners else ():
            item = await caller.tenant.items(kind).records.find_one({"owner": owners[owner], "name": name})
            if item is not None and may_read(caller, item):
                found.append(item)
                break
    return found


async def _ambiguous(caller: Caller, kind: Kind, reference: Reference, items: list[ItemRecord]) -> Refused:
    """The refusal that lists the items that a reference fits."""
    owners = caller.tenant.users.records.find({"_id": {"$in": [item["owner"] for item in items]}}, {"username": 1})
    usernames = {owner["_id"]: owner["username"] async for owner in owners}
    choices = sorted(f"{usernames.get(item['owner'], item['owner'])}/{item['name']} ({item['_id']})" for item in items)
    more = ", and more" if len(choices) > CHOICES else ""
    if all(item["name"] in reference.names for item in items):
        problem = f"Several {kind} are called {reference.key}, give the owner/name or the id of one"
    else:
        problem = f"{reference.key} may mean several {kind}, give the id of one"
    return Refused(AMBIGUOUS, f"{problem}: {', '.join(choices[:CHOICES])}{more}")
