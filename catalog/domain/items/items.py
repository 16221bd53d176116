"""Models, datasets and algorithms: created, read and removed. `changes` changes them."""

from catalog.domain import naming
from catalog.domain.access import Caller, may_change, may_manage, may_read, readers, refuse_beyond_reach
from catalog.domain.items import sharing, trash
from catalog.domain.items.in_use import refuse_while_used
from catalog.domain.items.inputs import LISTS, TEXTS, NewItem
from catalog.domain.items.reading.dataset_references import dataset_ids
from catalog.domain.items.reading.lookup import find, reader_ids
from catalog.domain.items.references import Reference
from catalog.domain.items.writing import creation
from catalog.domain.items.writing.indexing import reindex
from catalog.domain.limits import LIMITS, LONGEST_NAME, Limits
from catalog.domain.terms import item_terms
from catalog.domain.tracking.removal import refuse_deployed
from catalog.domain.validation import Validator
from catalog.domain.versions.lookup import find_of_reference
from catalog.errors import (
    CANNOT_DELETE,
    CANNOT_MODIFY,
    CANNOT_READ,
    NOT_CREATED,
    NOT_FOUND,
    Fault,
    Refused,
)
from catalog.store.records import Changes, ItemRecord
from catalog.vocabulary import Kind, Status

TRAINED = (Kind.MODEL, Kind.ALGORITHM)
"""The kinds with a status and with datasets."""

ONLY_TRAINED = "only models and algorithms have a status and datasets"


async def create(
    caller: Caller,
    kind: Kind,
    new: NewItem,
    limits: Limits = LIMITS,
    allowance: item_terms.TermAllowance | None = None,
    *,
    is_unambiguous: bool = False,
) -> ItemRecord:
    """Create an item that the caller owns. The items of one request share an `allowance` of new terms.

    With `is_unambiguous` its name alone must mean it: the caller can read no other item of that name.

    Raises Refused: NOT_CREATED, EXTERNAL_ID_TAKEN, AMBIGUOUS for a dataset, QUOTA_EXCEEDED when the tenant has too many
    terms, CANNOT_CREATE for a robot that is limited to other items; NAME_TAKEN if the name is to be unambiguous.
    """
    fields = await check_new(caller, kind, new, limits, allowance)
    fields["readers"] = readers(caller.user, fields["users"], fields["editors"], new.visibility)
    fields["shares"] = sharing.shares_of([*fields["users"], *fields["editors"]], caller.user) or None
    spellings = naming.spellings(new.name) if is_unambiguous else ()
    return await creation.insert(caller, kind, fields, spellings)


async def check_new(
    caller: Caller,
    kind: Kind,
    new: NewItem,
    limits: Limits = LIMITS,
    allowance: item_terms.TermAllowance | None = None,
) -> Changes:
    """The fields of an item to create, before an index has accepted them. Raises Refused as `create` does."""
    fields = await _fields(caller, kind, new, Validator(NOT_CREATED, limits))
    refuse_beyond_reach(caller, fields["tags"])
    used = item_terms.ItemTerms(frozenset(fields["tags"]), frozenset(pair["name"] for pair in fields["metadata"]))
    allowance = allowance or item_terms.TermAllowance(limits)
    await item_terms.spend(caller.tenant, item_terms.NO_TERMS, used, allowance, NOT_CREATED)
    return fields


async def _fields(caller: Caller, kind: Kind, new: NewItem, check: Validator) -> Changes:
    """The fields that the client sets, checked."""
    if kind not in TRAINED and (new.status or new.datasets):
        check.refuse(ONLY_TRAINED)
    fields: Changes = {
        "_id": new.identity,
        "name": check.new_name("name", new.name, check.limits.name, naming.item_name),
        **{field: check.text(field, getattr(new, field), longest) for field, longest in TEXTS.items()},
        **{field: check.words(field, getattr(new, field)) for field in LISTS},
        "external_id": check.line("external_id", new.external_id, LONGEST_NAME) or None,
        "archived": new.archived,
        "visibility": str(new.visibility),
        "tags": check.tags("tags", new.tags),
        "metadata": [{"name": pair.name, "value": pair.value} for pair in check.pairs("metadata", new.metadata)],
        "users": await reader_ids(caller, check.references("users", new.users), NOT_CREATED),
        "editors": await reader_ids(caller, check.references("editors", new.editors), NOT_CREATED, "editors"),
    }
    if kind in TRAINED:
        fields["status"] = str(new.status or Status.TRAINING)
        fields["datasets"] = await dataset_ids(caller, check.references("datasets", new.datasets), NOT_CREATED)
    return fields


async def read(caller: Caller, kind: Kind, reference: Reference) -> ItemRecord:
    """Return the item that a reference names; `iris@3` names `iris` if it has this version.

    Raises Refused: NOT_FOUND, CANNOT_READ (only by id), AMBIGUOUS when several readable items fit and none of them is
    the caller's.
    """
    item = await find(caller, kind, reference)
    if item is None and (named := await find_of_reference(caller, kind, reference)):
        item, _ = named
    return readable(caller, item, reference)


def readable(caller: Caller, item: ItemRecord | None, reference: Reference) -> ItemRecord:
    """Return what was found. Raises Refused: NOT_FOUND, CANNOT_READ."""
    if item is None:
        raise Refused(NOT_FOUND, reference.key)
    if not may_read(caller, item):
        raise Refused(CANNOT_READ, reference.key)
    return item


async def changeable(caller: Caller, kind: Kind, reference: Reference) -> ItemRecord:
    """Return the item if the caller may change its content. A version does not stand for its item here.

    Raises Refused: NOT_FOUND, AMBIGUOUS, CANNOT_MODIFY.
    """
    item = await _itself(caller, kind, reference)
    refuse_unchangeable(caller, item, reference.key)
    return item


def refuse_unchangeable(caller: Caller, item: ItemRecord, key: str = "") -> None:
    """Refuse a caller who may not change the content of an item, which `key` names. Raises Refused: CANNOT_MODIFY."""
    if not may_change(caller, item):
        raise Refused(CANNOT_MODIFY, key or str(item["_id"]))


async def manageable(caller: Caller, kind: Kind, reference: Reference, fault: Fault = CANNOT_MODIFY) -> ItemRecord:
    """Return the item if the caller may share, rename and delete it. A version does not stand for its item here.

    Raises Refused: NOT_FOUND, AMBIGUOUS, or `fault`.
    """
    item = await _itself(caller, kind, reference)
    if not may_manage(caller, item):
        raise Refused(fault, reference.key)
    return item


async def _itself(caller: Caller, kind: Kind, reference: Reference) -> ItemRecord:
    """Raises Refused: NOT_FOUND, AMBIGUOUS."""
    item = await find(caller, kind, reference)
    if item is None:
        if await find_of_reference(caller, kind, reference):
            raise Refused(NOT_FOUND, f"{reference.key} is a version, not a {kind.one}")
        raise Refused(NOT_FOUND, reference.key)
    return item


async def remove(caller: Caller, kind: Kind, reference: Reference, *, days: int = 0, force: bool = False) -> ItemRecord:
    """Move an item to the trash for so many `days`, and return it as it was.

    With 0 days the item still passes through the trash, so that a later purge finishes what a crash interrupts, and
    its versions are removed at once. The sweep removes bytes that no version names any more.

    Raises Refused: NOT_FOUND, CANNOT_DELETE, NOT_DELETED while a model or an algorithm uses the dataset, DEPLOYED while
    a service serves the model, unless with `force`.
    """
    item = await manageable(caller, kind, reference, CANNOT_DELETE)
    if kind is Kind.DATASET:
        await refuse_while_used(caller.tenant, {"datasets": item["_id"]}, TRAINED)
    if not force:
        await refuse_deployed(caller.tenant, item["_id"])
    while not await trash.take(caller, kind, item, days):
        item = await manageable(caller, kind, Reference(str(item["_id"])), CANNOT_DELETE)
    await reindex(caller.tenant, kind, item, None, caller.user)
    if not days:
        await trash.purge_item(caller.tenant, item["_id"])
    return item
