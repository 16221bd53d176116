"""The changes that a move of an alias makes to its item: the alias itself and, in the same write, an entry of the
history.

The entry waits in the outbox of the item until `history` has stored it, so that no crash loses it.
"""

from collections.abc import Iterable

from bson import ObjectId

from catalog.domain.naming import normalized
from catalog.store.clock import now
from catalog.store.records import AliasMoveRecord, AliasRecord, Changes, ItemRecord, VersionRecord


def find(item: ItemRecord, name: str) -> AliasRecord | None:
    name = normalized(name)
    return next((alias for alias in item.get("aliases", ()) if alias["name"] == name), None)


def names_of(item: ItemRecord, number: int) -> list[str]:
    """The aliases that point to the version of this number."""
    return [alias["name"] for alias in item.get("aliases", ()) if alias["number"] == number]


def pointed(
    item: ItemRecord, name: str, version: VersionRecord, user: ObjectId, *, is_rollback: bool = False
) -> Changes:
    """The changes that point an alias to a version. They must be written on the revision that `item` has."""
    entry = _entry(item, name, user)
    entry |= {"version": version["ordinal"], "number": version["number"], "is_rollback": is_rollback}
    alias: AliasRecord = {
        "name": name,
        "number": version["number"],
        "ordinal": version["ordinal"],
        "user": user,
        "moved": entry["moved"],
        "revision": entry["revision"],
    }
    others = [each for each in item.get("aliases", ()) if each["name"] != name]
    aliases = sorted([*others, alias], key=lambda each: each["name"])
    return {"aliases": aliases, "alias_outbox": [*_waiting(item), entry], "lastmod": entry["moved"]}


def dropped(item: ItemRecord, names: Iterable[str], user: ObjectId) -> Changes:
    """The changes that remove aliases, likewise."""
    gone = set(names)
    entries = [_entry(item, name, user) for name in sorted(gone)]
    left = [each for each in item.get("aliases", ()) if each["name"] not in gone]
    return {"aliases": left, "alias_outbox": [*_waiting(item), *entries], "lastmod": now()}


def _waiting(item: ItemRecord) -> list[AliasMoveRecord]:
    return item.get("alias_outbox") or []


def _entry(item: ItemRecord, name: str, user: ObjectId) -> AliasMoveRecord:
    """The move of an alias to nothing."""
    before = find(item, name)
    moment = now()
    return {
        "_id": ObjectId(),
        "item": item["_id"],
        "alias": name,
        "version": None,
        "number": None,
        "previous": before["ordinal"] if before else None,
        "previous_number": before["number"] if before else None,
        "user": user,
        # The clocks of two servers may differ: the history of an alias never goes back in time.
        "moved": max(moment, before["moved"]) if before else moment,
        "revision": item["revision"] + 1,
        "is_rollback": False,
    }
