"""How an item changes: read, change, write if nobody was first, else again. No change is ever lost.

Lists change by what is to be removed and what is to be added, in that order, so that a
word that is in both stays. A metadata pair takes the place of an earlier one of its name.
"""

import asyncio
import random
from collections.abc import Collection, Container, Hashable
from typing import Any, NamedTuple
from weakref import WeakValueDictionary

from bson import ObjectId
from pymongo import ReturnDocument

from catalog.domain import naming
from catalog.domain.access import Caller, readers
from catalog.domain.body_fields import Delta, change_form
from catalog.domain.items import items
from catalog.domain.limits import LIMITS, LONGEST_DESCRIPTION, Limits
from catalog.domain.terms import terms
from catalog.errors import BUSY, CANNOT_MODIFY, NOT_CHANGED, NOT_CREATED, STALE, Refused
from catalog.store.database import Duplicate, Tenant
from catalog.store.documents import now
from catalog.store.tenant_documents import Raw
from catalog.vocabulary import Kind, Status, Visibility

ATTEMPTS = 100
"""How often a change is tried. Within one server the changes to an item queue, so only other servers can be first."""

LONGEST_PAUSE = 0.02
"""Seconds between two attempts."""

_turns: WeakValueDictionary[Hashable, asyncio.Lock] = WeakValueDictionary()


class Change(NamedTuple):
    """A checked PUT: fields that get a new value, and lists that lose and gain elements."""

    values: dict[str, Any]
    deltas: dict[str, Delta]
    limits: Limits

    def of(self, item: Raw) -> Raw:
        """The changed fields of `item`, as they are after the change."""
        lists = {name: after(name, item[name], delta, self.limits.most(name)) for name, delta in self.deltas.items()}
        return {**self.values, **lists}


async def change(
    tenant: Tenant,
    kind: Kind,
    key: str,
    body: Any,
    caller: Caller,
    limits: Limits = LIMITS,
    *,
    revisions: Collection[int] | None = None,
) -> Raw:
    """Change an item, and return it as it is then.

    `revisions` are those that the client has seen, if it says so.

    Raises Refused: NOT_FOUND, CANNOT_MODIFY (also for a new owner, unless by an administrator), EMPTY_BODY,
    NO_VALID_FIELDS, NOT_CHANGED (also when the new owner has an item of that kind and name),
    NOT_CREATED for a tag to remove that nobody knows, QUOTA_EXCEEDED when the tenant has too many words,
    STALE when none of `revisions` is the item's any more, BUSY.
    """
    item = await items.changeable(tenant, kind, key, caller)
    wanted = await _checked(tenant, kind, body, caller, limits)
    await _refuse_unknown_tags(tenant, item, wanted, caller)
    allowance = terms.Allowance(limits)
    turn = _turns.setdefault((tenant.name, item["_id"]), asyncio.Lock())
    is_fresh = not turn.locked()  # as far as we know; the write finds out
    async with turn:
        for _ in range(ATTEMPTS):
            if not is_fresh:
                item = await items.changeable(tenant, kind, str(item["_id"]), caller)
            if revisions is not None and item["revision"] not in revisions:
                raise Refused(STALE, f"another revision was seen, it is {item['revision']} now")
            changed = await _written(tenant, kind, item, wanted, allowance)
            if changed is not None:
                await terms.used(tenant, terms.words_of(item), terms.words_of(changed), caller.user)
                return changed
            is_fresh = False
            await asyncio.sleep(random.uniform(0, LONGEST_PAUSE))  # noqa: S311  it only spreads the attempts
    raise Refused(BUSY, key)


async def _written(tenant: Tenant, kind: Kind, item: Raw, wanted: Change, allowance: terms.Allowance) -> Raw | None:
    """The item after the change, or None when somebody else was first."""
    fields = wanted.of(item)
    after = {**item, **fields}
    allowance.left = allowance.most  # whatever an attempt that somebody else overtook has used of it
    await terms.allow(tenant, terms.words_of(item), terms.words_of(after), allowance, NOT_CHANGED)
    fields["readers"] = readers(after["owner"], after["users"], after["visibility"])
    fields["lastmod"] = now()
    try:
        changed: Raw | None = await tenant.items(kind).raw.find_one_and_update(
            {"_id": item["_id"], "revision": item["revision"]},
            {"$set": fields, "$inc": {"revision": 1}},
            return_document=ReturnDocument.AFTER,
        )
    except Duplicate:
        raise Refused(NOT_CHANGED, f"A {kind.one} with the same name already exists for this user") from None
    return changed


async def _checked(tenant: Tenant, kind: Kind, body: Any, caller: Caller, limits: Limits) -> Change:
    form = change_form(body, items.fields_of(kind) - {"name"} | {"owner"}, limits)
    values = {
        "owner": await _owner(tenant, form.text("owner"), caller),
        "visibility": form.one_of("visibility", Visibility),
        "status": form.one_of("status", Status),
        "description": form.text("description", LONGEST_DESCRIPTION),
    }
    deltas = {
        "tags": form.delta("tags", form.word),
        "metadata": form.delta("metadata", form.pair, form.pair_to_remove),
        "users": await _users(tenant, form.delta("users", form.key)),
        "datasets": await _datasets(tenant, form.delta("datasets", form.key), caller),
    }
    return Change(
        {name: value for name, value in values.items() if value is not None},
        {name: delta for name, delta in deltas.items() if delta is not None},
        limits,
    )


async def _owner(tenant: Tenant, key: str | None, caller: Caller) -> ObjectId | None:
    if not key:
        return None
    if not caller.is_admin:
        raise Refused(CANNOT_MODIFY, "owner: only an administrator gives an item to somebody else")
    [owner] = await items.user_ids(tenant, [key], NOT_CHANGED, "owner")
    return owner


async def _users(tenant: Tenant, delta: Delta | None) -> Delta | None:
    return delta and Delta(
        await items.user_ids(tenant, delta.remove, NOT_CHANGED), await items.user_ids(tenant, delta.add, NOT_CHANGED)
    )


async def _datasets(tenant: Tenant, delta: Delta | None, caller: Caller) -> Delta | None:
    """A dataset to remove may be one that is gone, or one that the caller may not read any more: its id will do."""
    if delta is None:
        return None
    removed = [ObjectId(key) for key in delta.remove if ObjectId.is_valid(key)]
    named = [key for key in delta.remove if not ObjectId.is_valid(key)]
    return Delta(
        removed + await items.dataset_ids(tenant, named, caller, NOT_CHANGED),
        await items.dataset_ids(tenant, delta.add, caller, NOT_CHANGED),
    )


async def _refuse_unknown_tags(tenant: Tenant, item: Raw, wanted: Change, caller: Caller) -> None:
    """As the reference does, though it says so by accident: a tag to remove must be one that the tenant knows."""
    removed = wanted.deltas["tags"].remove if "tags" in wanted.deltas else []
    absent = {naming.spelling_in(item["tags"], tag) for tag in removed} - set(item["tags"])
    if absent and (unknown := absent - await terms.known(tenant, terms.Names.TAGS, absent, caller)):
        raise Refused(NOT_CREATED, f"tags: Tag not existent ({', '.join(sorted(unknown))})")


def after(name: str, elements: list[Any], delta: Delta, most: int) -> list[Any]:
    """The list `name` without what `delta` removes, and with what it adds.

    What the list has already may be spelled as new words may not. Raises Refused: NOT_CHANGED.
    """
    match name:
        case "metadata":
            after = _pairs(elements, delta)
        case "tags":
            after = _elements(elements, _spelled(name, elements, delta))
        case _:
            after = _elements(elements, delta)
    if len(after) > max(most, len(elements)):  # a limit that was lowered is no reason to refuse what shortens the list
        raise Refused(NOT_CHANGED, f"{name}: at most {most} are allowed, not {len(after)}")
    return after


def _elements(elements: list[Any], delta: Delta) -> list[Any]:
    removed = set(delta.remove)
    return list(dict.fromkeys([element for element in elements if element not in removed] + delta.add))


def _spelled(name: str, words: Collection[str], delta: Delta) -> Delta:
    """`delta` in the spellings of a list's words, and in the normalized one of what is new to it."""
    return Delta(
        [naming.spelling_in(words, word) for word in delta.remove],
        [_new(name, words, word) for word in delta.add],
    )


def _new(name: str, words: Container[str], word: str) -> str:
    if word in words:
        return word
    try:
        return naming.word(word)
    except naming.NameInvalidError as problem:
        raise Refused(NOT_CHANGED, f"{name}: {problem}") from None


def _pairs(elements: list[Raw], delta: Delta) -> list[Raw]:
    terms = {pair["name"] for pair in elements}
    removed = [pair | {"name": naming.spelling_in(terms, pair["name"])} for pair in delta.remove]
    added = [pair.model_dump() | {"name": _new("metadata", terms, pair.name)} for pair in delta.add]
    kept = {pair["name"]: pair for pair in elements if not any(_covers(each, pair) for each in removed)}
    return list((kept | {pair["name"]: pair for pair in added}).values())


def _covers(removed: Raw, pair: Raw) -> bool:
    return all(pair[field] == value for field, value in removed.items())
