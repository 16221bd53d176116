"""Moving and removing aliases. Each is one conditional write on the item.

An alias points to one version by its number. No ordinal is an alias, no alias an ordinal (`numbering` and
`_refuse_ordinal`), and none points to a version that is gone (`removal`).
"""

from collections.abc import Awaitable, Callable, Collection

from catalog.domain.access import Caller
from catalog.domain.items import items
from catalog.domain.items.references import Reference
from catalog.domain.versions import lookup, reading, removal
from catalog.domain.versions.aliases import history, moves, names
from catalog.errors import ALIAS_MOVED, ALIAS_UNKNOWN, INVALID_FIELD, LIMIT_REACHED, NOT_FOUND, STALE, Refused
from catalog.store.concurrency.optimistic import revise
from catalog.store.records import AliasMoveRecord, AliasRecord, Changes, ItemRecord, VersionRecord
from catalog.vocabulary import Kind

MOST = 100
"""How many aliases an item may have."""

FAR_ENOUGH = 1000
"""How many moves a rollback looks back."""


class _NothingToDoError(Exception):
    """The alias points to the version already."""


def read(item: ItemRecord, name: str) -> AliasRecord:
    """Raises Refused: ALIAS_UNKNOWN."""
    alias = moves.find(item, name)
    if alias is None:
        raise Refused(ALIAS_UNKNOWN, name)
    return alias


async def point(
    caller: Caller,
    kind: Kind,
    reference: Reference,
    name: str,
    *,
    expected: str | None = None,
    revisions: Collection[int] | None = None,
) -> ItemRecord:
    """Point an alias, which need not exist, to the version that `reference` names, and return the item.

    With `expected`, the alias must point to that version now; the empty text stands for an alias that does not exist.
    With `revisions`, the alias must still have one of them.

    Raises Refused: NOT_FOUND, CANNOT_MODIFY, INVALID_FIELD for a name that no alias may have, VERSION_DRAFT,
    QUARANTINED, LIMIT_REACHED, ALIAS_MOVED when `expected` is not so, STALE, BUSY.
    """
    name = names.checked(name)
    item = await items.changeable(caller, kind, Reference(reference.key))
    version = await lookup.find(caller, item, reference.which)
    return await point_to(caller, kind, item, name, version, expected=expected, revisions=revisions)


async def point_to(
    caller: Caller,
    kind: Kind,
    item: ItemRecord,
    name: str,
    version: VersionRecord,
    *,
    expected: str | None = None,
    revisions: Collection[int] | None = None,
) -> ItemRecord:
    """The same, with an item that the caller may change and a version of it, as they were just read."""
    name = names.checked(name)

    async def changes(item: ItemRecord) -> Changes:
        await _refuse_other(caller, item, name, expected, revisions)
        await _refuse_ordinal(caller, item, name)
        return await _pointed(caller, item, name, version)

    return await _change(caller, kind, item, changes)


async def refuse_new(caller: Caller, item: ItemRecord, name: str) -> str:
    """Check that a version to come can have an alias, and return its name.

    Raises Refused: INVALID_FIELD, LIMIT_REACHED.
    """
    name = names.checked(name)
    if moves.find(item, name) is None:
        _refuse_too_many(item)
    await _refuse_ordinal(caller, item, name)
    return name


async def rollback(caller: Caller, kind: Kind, reference: Reference, name: str) -> ItemRecord:
    """Point an alias to the version that it pointed to before, and return the item.

    A second rollback goes one step further back.

    Raises Refused: NOT_FOUND, also when that version is gone, CANNOT_MODIFY, ALIAS_UNKNOWN, INVALID_FIELD when it never
    pointed to another version, BUSY.
    """
    item = await items.changeable(caller, kind, reference)

    async def changes(item: ItemRecord) -> Changes:
        read(item, name)
        await history.complete(caller, kind, item)
        step = await _step_to_undo(caller, item, name)
        number = step.get("previous_number") if step else None
        if step is None or number is None:
            raise Refused(INVALID_FIELD, f"{name} did not point to another version before")
        version = await lookup.numbered(caller.tenant, item["_id"], number)
        if version is None:
            raise Refused(NOT_FOUND, f"{name} pointed to {step.get('previous')} before, which was removed")
        return await _pointed(caller, item, name, version, is_rollback=True)

    return await _change(caller, kind, item, changes)


async def remove(
    caller: Caller, kind: Kind, reference: Reference, name: str, *, revisions: Collection[int] | None = None
) -> AliasRecord:
    """Remove an alias, and return it as it was. Its history stays.

    With `revisions`, the alias must still have one of them.

    Raises Refused: NOT_FOUND, CANNOT_MODIFY, ALIAS_UNKNOWN, STALE, BUSY.
    """
    removed: list[AliasRecord] = []

    async def changes(item: ItemRecord) -> Changes:
        removed[:] = [read(item, name)]
        await _refuse_other(caller, item, name, None, revisions)
        return moves.dropped(item, [name], caller.user)

    await _change(caller, kind, await items.changeable(caller, kind, reference), changes)
    return removed[0]


async def _change(
    caller: Caller, kind: Kind, item: ItemRecord, changes: Callable[[ItemRecord], Awaitable[Changes]]
) -> ItemRecord:
    same = Reference(str(item["_id"]))

    async def read_again() -> ItemRecord:
        return await items.changeable(caller, kind, same)

    try:
        changed = (await revise(caller.tenant.items(kind).records, read_again, changes, first=item)).after
    except _NothingToDoError:
        return await read_again()
    await history.complete(caller, kind, changed)
    return changed


async def _pointed(
    caller: Caller, item: ItemRecord, name: str, version: VersionRecord, *, is_rollback: bool = False
) -> Changes:
    """Raises Refused: NOT_FOUND when the version is gone, VERSION_DRAFT, QUARANTINED, LIMIT_REACHED."""
    reading.refuse_draft(version)
    reading.refuse_quarantined(version, caller)
    alias = moves.find(item, name)
    if alias and alias["number"] == version["number"]:
        raise _NothingToDoError
    if alias is None:
        _refuse_too_many(item)
    await removal.pin(caller.tenant, version["_id"], version["ordinal"])
    return moves.pointed(item, name, version, caller.user, is_rollback=is_rollback)


def _refuse_too_many(item: ItemRecord) -> None:
    """Raises Refused: LIMIT_REACHED."""
    if len(item.get("aliases", ())) >= MOST:
        raise Refused(LIMIT_REACHED, f"at most {MOST} aliases are allowed")


async def _refuse_other(
    caller: Caller, item: ItemRecord, name: str, expected: str | None, revisions: Collection[int] | None
) -> None:
    """Raises Refused: STALE, ALIAS_MOVED."""
    alias = moves.find(item, name)
    if revisions is not None and (alias is None or alias["revision"] not in revisions):
        raise Refused(STALE, f"{name} was moved meanwhile" if alias else f"there is no alias {name}")
    if expected is None:
        return
    if alias is None:
        if expected:
            raise Refused(ALIAS_MOVED, f"{name} does not exist")
    elif not await _is(caller, item, alias, expected):
        raise Refused(ALIAS_MOVED, f"{name} points to {alias['ordinal']}")


async def _is(caller: Caller, item: ItemRecord, alias: AliasRecord, which: str) -> bool:
    """Whether an alias points to the version that `which` names."""
    if not which or which.casefold() == alias["ordinal"].casefold():
        return bool(which)
    try:
        return (await lookup.find(caller, item, which))["number"] == alias["number"]
    except Refused:
        return False


async def _refuse_ordinal(caller: Caller, item: ItemRecord, name: str) -> None:
    """Raises Refused: INVALID_FIELD for the ordinal of a version.

    A version that is added meanwhile raises the revision of the item, so that this is asked again; or it comes later,
    and finds the alias on the item.
    """
    if await lookup.with_ordinal(caller.tenant, item["_id"], name):
        raise Refused(INVALID_FIELD, f"alias: {name} is the ordinal of a version")


async def _step_to_undo(caller: Caller, item: ItemRecord, name: str) -> AliasMoveRecord | None:
    """The newest move that no rollback has undone."""
    looked_at = undone = 0
    async for entry in history.newest_first(caller, item, name):
        looked_at += 1
        if looked_at > FAR_ENOUGH or entry.get("version") is None:
            return None
        if entry["is_rollback"]:
            undone += 1
        elif undone:
            undone -= 1
        else:
            return entry
    return None
