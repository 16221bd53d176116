"""How an item changes: read it, decide, and write it if its revision is still the same, else again.

Changes to one item queue within a server, so that only another server can overtake one.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import cast

from bson import ObjectId

from catalog.domain import naming
from catalog.domain.access import Caller, may_manage, readers_of
from catalog.domain.items import items, sharing
from catalog.domain.items.inputs import LISTS, TEXTS, ItemChange, ListChange, ReferencesChange
from catalog.domain.items.reading.dataset_references import dataset_ids
from catalog.domain.items.reading.lookup import reader_ids, user_ids
from catalog.domain.items.references import Reference
from catalog.domain.items.writing.duplicates import taken
from catalog.domain.items.writing.indexing import reindex
from catalog.domain.items.writing.lists import changed_ids, changed_metadata, changed_tags
from catalog.domain.limits import LIMITS, LONGEST_NAME, Limits
from catalog.domain.terms import item_terms
from catalog.domain.terms.terms import Vocabulary, existing
from catalog.domain.validation import Validator
from catalog.errors import CANNOT_MODIFY, NOT_CHANGED, NOT_CREATED, Refused
from catalog.store.clock import later_than, now
from catalog.store.concurrency.optimistic import Revised, queue_of, refuse_stale, revise
from catalog.store.concurrency.unique_writes import write_unless_taken
from catalog.store.derived import reader_copies
from catalog.store.records import Changes, ItemRecord
from catalog.vocabulary import Kind

MANAGED = ("owner", "visibility", "users", "editors", "archived")
"""The fields that an editor does not change."""

IdsChange = ListChange[ObjectId, ObjectId]


@dataclass(frozen=True, slots=True)
class CheckedChange:
    """An ItemChange within the limits, with ids instead of references."""

    requested: ItemChange
    limits: Limits
    owner: ObjectId | None
    users: IdsChange | None
    editors: IdsChange | None
    datasets: IdsChange | None

    def fields(self, item: ItemRecord) -> Changes:
        """The changed fields of `item`. Raises Refused: NOT_CHANGED."""
        values = {
            "owner": self.owner,
            "visibility": self.requested.visibility,
            "status": self.requested.status,
            "archived": self.requested.archived,
            **{field: getattr(self.requested, field) for field in TEXTS},
        }
        values |= {field: list(words) for field in LISTS if (words := getattr(self.requested, field)) is not None}
        fields = {name: value for name, value in values.items() if value is not None} | self._lists(item)
        if self.requested.external_id is not None:
            fields["external_id"] = self.requested.external_id or None
        return fields

    def _lists(self, item: ItemRecord) -> Changes:
        lists: Changes = {}
        limits = self.limits
        if self.requested.tags is not None:
            lists["tags"] = changed_tags(item["tags"], self.requested.tags, limits.tags)
        if self.requested.metadata is not None:
            lists["metadata"] = changed_metadata(item["metadata"], self.requested.metadata, limits.metadata)
        if self.users is not None:
            lists["users"] = changed_ids("users", item["users"], self.users, limits.users)
        if self.editors is not None:
            editors = item.get("editors", [])
            lists["editors"] = changed_ids("editors", editors, self.editors, limits.users)
        if self.datasets is not None:
            lists["datasets"] = changed_ids("datasets", item["datasets"], self.datasets, limits.users)
        return lists


async def change(
    caller: Caller,
    kind: Kind,
    reference: Reference,
    requested: ItemChange,
    limits: Limits = LIMITS,
    *,
    revisions: Collection[int] | None = None,
) -> ItemRecord:
    """Change an item, and return it as it is then.

    With `revisions`, the item must still have one of them.

    Raises Refused: NOT_FOUND, CANNOT_MODIFY (also for a new owner, unless by an administrator, and for an editor who
    would share the item), NOT_CHANGED (also when the new owner has an item of that kind and name), EXTERNAL_ID_TAKEN,
    NOT_CREATED for a tag to remove that the tenant does not have, QUOTA_EXCEEDED when the tenant has too many terms,
    STALE, BUSY.
    """
    item = await items.changeable(caller, kind, reference)
    return await change_read(caller, kind, item, requested, limits, revisions=revisions)


async def change_read(
    caller: Caller,
    kind: Kind,
    item: ItemRecord,
    requested: ItemChange,
    limits: Limits = LIMITS,
    *,
    revisions: Collection[int] | None = None,
) -> ItemRecord:
    """The same, of an item that was read a moment ago and that the caller may change."""
    refuse_to_manage(caller, item, requested)
    checked = await _checked(caller, kind, requested, limits)
    await _refuse_unknown_tags(caller, item, requested)
    allowance = item_terms.TermAllowance(limits)
    same = Reference(str(item["_id"]))

    async def read_again() -> ItemRecord:
        found = await items.changeable(caller, kind, same)
        refuse_to_manage(caller, found, requested)
        return found

    async def fields(item: ItemRecord) -> Changes:
        refuse_stale(item["revision"], revisions)
        return await _fields(caller, item, checked, allowance)

    lock = queue_of(caller.tenant.name, item["_id"])
    first = None if lock.locked() else item  # a change that is under way makes it stale

    async def write() -> Revised[ItemRecord]:
        return await revise(caller.tenant.items(kind).records, read_again, fields, first=first)

    async def refusal() -> Refused | None:
        nonlocal first
        first, found = None, await read_again()
        new_owner = checked.owner or found["owner"]
        name = found["name"] if new_owner != found["owner"] else ""  # else the name is its own
        return await taken(caller.tenant, kind, new_owner, name, requested.external_id, NOT_CHANGED)

    async with lock:
        before, after = await write_unless_taken(write, refusal)
        await reindex(caller.tenant, kind, before, after, caller.user)
    if after["readers"] != before["readers"]:
        await reader_copies.spread(caller.tenant, kind, after)
    return after


async def check(caller: Caller, kind: Kind, item: ItemRecord, requested: ItemChange, limits: Limits = LIMITS) -> None:
    """Check a change of an item without making it. Raises Refused as `change` does."""
    refuse_to_manage(caller, item, requested)
    checked = await _checked(caller, kind, requested, limits)
    await _refuse_unknown_tags(caller, item, requested)
    await _fields(caller, item, checked, item_terms.TermAllowance(limits))


def refuse_to_manage(caller: Caller, item: ItemRecord, requested: ItemChange) -> None:
    """Raises Refused: CANNOT_MODIFY, when an editor would change a field that only the owner changes."""
    field = next((field for field in MANAGED if getattr(requested, field) is not None), None)
    if field and not may_manage(caller, item):
        raise Refused(CANNOT_MODIFY, f"{field}: only the owner and administrators change it")


async def _fields(
    caller: Caller, item: ItemRecord, change: CheckedChange, allowance: item_terms.TermAllowance
) -> Changes:
    """The fields to set. Raises Refused: NOT_CHANGED, QUOTA_EXCEEDED."""
    fields = change.fields(item)
    after = cast("ItemRecord", {**item, **fields})
    allowance.left = allowance.most  # an earlier attempt may have used some
    if item.get("archived") and not after.get("archived"):
        allowance.left = item_terms.ANY_NUMBER  # they were counted against a request when the item got them
        terms = item_terms.NO_TERMS, item_terms.used_by(after)
    else:
        terms = item_terms.used_by(item), item_terms.used_by(after)
    await item_terms.spend(caller.tenant, *terms, allowance, NOT_CHANGED)
    if not fields.keys().isdisjoint(sharing.PARTIES):
        fields["shares"] = sharing.shares_of(sharing.shared_with(after), caller.user, item.get("shares", ()))
    fields["readers"] = readers_of(after)
    if fields["readers"] != item["readers"]:
        fields["readers_changed"] = now()
    fields["lastmod"] = later_than(item["lastmod"])
    return fields


async def _checked(caller: Caller, kind: Kind, requested: ItemChange, limits: Limits) -> CheckedChange:
    check = Validator(NOT_CHANGED, limits)
    if kind not in items.TRAINED and (requested.status or requested.datasets):
        check.refuse(items.ONLY_TRAINED)
    for field, longest in TEXTS.items():
        if (text := getattr(requested, field)) is not None:
            check.text(field, text, longest)
    for field in LISTS:
        check.words(field, getattr(requested, field) or ())
    check.line("external_id", requested.external_id or "", LONGEST_NAME)
    if requested.tags is not None:
        check.tags_in_change("tags.remove", requested.tags.remove)
        check.tags_in_change("tags.add", requested.tags.add)
    if requested.metadata is not None:
        check.pairs_in_change("metadata.remove", requested.metadata.remove)
        check.pairs_in_change("metadata.add", requested.metadata.add)
    return CheckedChange(
        requested,
        limits,
        owner=await _owner(caller, requested.owner, check),
        users=await _readers(caller, "users", requested.users, check),
        editors=await _readers(caller, "editors", requested.editors, check),
        datasets=await _datasets(caller, requested.datasets, check),
    )


async def _owner(caller: Caller, key: str | None, check: Validator) -> ObjectId | None:
    if not key:
        return None
    if not caller.is_admin:
        raise Refused(CANNOT_MODIFY, "owner: only an administrator gives an item to another user")
    [owner] = await user_ids(caller, [check.text("owner", key, LONGEST_NAME)], NOT_CHANGED, "owner")
    return owner


async def _readers(caller: Caller, field: str, change: ReferencesChange | None, check: Validator) -> IdsChange | None:
    if change is None:
        return None
    return ListChange(
        await reader_ids(caller, check.references(f"{field}.remove", change.remove), NOT_CHANGED, field),
        await reader_ids(caller, check.references(f"{field}.add", change.add), NOT_CHANGED, field),
    )


async def _datasets(caller: Caller, change: ReferencesChange | None, check: Validator) -> IdsChange | None:
    """A dataset to remove may be gone, or not readable any more: then its id still names it."""
    if change is None:
        return None
    remove = check.references("datasets.remove", change.remove)
    removed = [ObjectId(key) for key in remove if ObjectId.is_valid(key)]
    named = [key for key in remove if not ObjectId.is_valid(key)]
    return ListChange(
        removed + await dataset_ids(caller, named, NOT_CHANGED),
        await dataset_ids(caller, check.references("datasets.add", change.add), NOT_CHANGED),
    )


async def _refuse_unknown_tags(caller: Caller, item: ItemRecord, requested: ItemChange) -> None:
    """Refuse to remove a tag that the tenant does not have, as the reference registry does by accident."""
    removed = requested.tags.remove if requested.tags else ()
    absent = {naming.spelling_in(item["tags"], tag) for tag in removed} - set(item["tags"])
    if absent and (unknown := absent - await existing(caller.tenant, Vocabulary.TAGS, absent, caller)):
        raise Refused(NOT_CREATED, f"tags: Tag not existent ({', '.join(sorted(unknown))})")
