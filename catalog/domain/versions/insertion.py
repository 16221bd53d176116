"""Writing the record of a new version. The bytes are safe before a record points at them."""

from collections.abc import Awaitable
from contextlib import AbstractContextManager, suppress

from bson import ObjectId

from catalog.domain.access import Caller, may_change
from catalog.domain.versions import numbering, removal, touching
from catalog.domain.versions.aliases.names import equals_an_alias
from catalog.domain.versions.details import VersionDetails, external_id_taken
from catalog.domain.versions.numbering import Numbered
from catalog.domain.versions.touching import Touches
from catalog.errors import CANNOT_MODIFY, NOT_FOUND, Refused
from catalog.store.concurrency import shared_writes
from catalog.store.concurrency.optimistic import RecordGoneError
from catalog.store.derived.reader_copies import copied
from catalog.store.documents.items import PairSubdocument
from catalog.store.documents.versions import VersionDocument
from catalog.store.failures import Duplicate
from catalog.store.records import ItemRecord
from catalog.store.tenant import VERSION_SERIAL, Tenant
from catalog.vocabulary import InspectionPolicy, Kind, VersionState


def draft_of(caller: Caller, kind: Kind, item: ObjectId, details: VersionDetails) -> VersionDocument:
    """A version without files, which is not stored yet. `insert` gives it its number and ordinal."""
    return VersionDocument(
        item=item,
        kind=kind,
        number=details.number,
        ordinal=details.ordinal,
        ordinal_key="",
        files=[],
        folder=True,
        file_count=0,
        metadata=[PairSubdocument(name=pair.name, value=pair.value) for pair in details.metadata],
        uri=details.uri,
        inputs=list(details.inputs),
        origin=details.origin,
        **details.fields(),
        state=VersionState.DRAFT,
        owner=caller.user,
    )


def serial_ahead(caller: Caller) -> AbstractContextManager[Awaitable[int]]:
    """The serial of a new version, counted while its item is read."""
    return shared_writes.number_ahead(caller.tenant, VERSION_SERIAL)


async def insert(
    caller: Caller, version: VersionDocument, item: ItemRecord | None = None, serial: Awaitable[int] | None = None
) -> ItemRecord:
    """Write a version under the next number, with the next ordinal if it has none, and return its item.

    A version that has a number already must get that one. `item` is its item if it was read a moment ago: then a lone
    version takes two writes. `serial` is that of the version if it was asked for ahead.

    Raises Refused: NOT_CREATED for an ordinal that is taken, EXTERNAL_ID_TAKEN, NOT_FOUND when the item is gone,
    CANNOT_MODIFY when it belongs to another user by now.
    """
    # The bytes are safe before anything points at them. A crash between the two leaves a blob that no version names,
    # which a sweep removes; never a version without bytes.
    tenant, ordinal, exactly = caller.tenant, version.ordinal, version.number
    is_alone = not touching.are_held(tenant, version.item)
    touches = touching.of_item(tenant, version.kind, version.item)
    await tenant.items(version.kind).cross_fence()
    changed = None
    if item is not None and is_alone:
        changed = await _insert_alone(caller, version, item, touches, serial)
    if changed is None:
        is_second = version.serial is not None
        version.ordinal, version.number = ordinal, exactly
        first = item if is_alone and not is_second else None
        changed = await _insert_counted(caller, version, touches, serial, first, is_second=is_second)
    if copied(changed["readers"]) != version.readers:  # it was shared in between
        shared = {"$set": {"readers": copied(changed["readers"])}}
        await tenant.versions.records.update_one({"_id": version.id}, shared)
    if ordinal and equals_an_alias(changed, ordinal):
        await _take_back(caller, version)
        numbering.refuse_alias(changed, ordinal)
    return changed


async def _insert_alone(
    caller: Caller, version: VersionDocument, item: ItemRecord, touches: Touches, serial: Awaitable[int] | None
) -> ItemRecord | None:
    """Write a version under the number that comes next, uncounted, and return its item. None: it must be counted.

    Raises Refused as `insert` does.
    """
    tenant = caller.tenant
    with numbering.assumed(caller, item, version.ordinal, version.number) as numbered:
        if numbered is None:
            return None
        version.serial = await (serial or shared_writes.next_number(tenant, VERSION_SERIAL))
        _take(version, numbered)
        try:
            await shared_writes.insert(tenant, version)
        except Duplicate:
            return None
        changed = await _followed(tenant, touches, version, item, numbered.used)
    if changed["revision"] > item["revision"] + 1:  # the item was changed in between
        if not may_change(caller, changed):
            await _take_back(caller, version)
            raise Refused(CANNOT_MODIFY, changed["name"])
        if numbering.may_be_used_twice(changed, numbered.number):
            await _take_back(caller, version)
            return None
    return changed


async def _insert_counted(
    caller: Caller,
    version: VersionDocument,
    touches: Touches,
    serial: Awaitable[int] | None,
    first: ItemRecord | None,
    *,
    is_second: bool,
) -> ItemRecord:
    """Write a version under a number that was counted for it, and return its item. Raises Refused as `insert` does."""
    numbered = await _write_numbered(caller, version, serial, first)

    # The item's revision is raised only now: a client that reads the new one also reads the version. The highest number
    # is written again, because the item may have been in the trash and restored in between. Where a number was taken, a
    # crash may have left its version, which the item does not tell of: then all versions are read.
    return await _followed(caller.tenant, touches, version, None if is_second else numbered.item)


async def _followed(
    tenant: Tenant,
    touches: Touches,
    version: VersionDocument,
    item: ItemRecord | None,
    assumed: numbering.Used | None = None,
) -> ItemRecord:
    """Let the item follow a version that is written, and return it. Raises Refused: NOT_FOUND."""
    changed = await touching.touch_added(touches, version, item, assumed)
    if changed is None:
        # Removing an item removes its versions next. If that happened between our read and our write, this version is
        # what it missed.
        await tenant.versions.records.delete_one({"_id": version.id})
        raise Refused(NOT_FOUND, str(version.item))
    return changed


def _take(version: VersionDocument, numbered: Numbered) -> None:
    version.number, version.ordinal = numbered.number, numbered.ordinal
    version.readers = copied(numbered.item["readers"])
    version.ordinal_key = version.ordinal.casefold()


async def _write_numbered(
    caller: Caller, version: VersionDocument, serial: Awaitable[int] | None, first: ItemRecord | None
) -> Numbered:
    """Write a version with a number and a serial. Raises Refused as `insert` does.

    Several that wait for their serials together are then numbered together. With its item, read at `first`, nothing
    else is added to that in this server.
    """
    tenant, ordinal, exactly = caller.tenant, version.ordinal, version.number
    kind, key = version.kind, version.item
    version.serial = version.serial or await (serial or shared_writes.next_number(tenant, VERSION_SERIAL))
    while True:
        numbered = await numbering.next_number(caller, kind, key, ordinal, exactly, first)
        first = None
        _take(version, numbered)
        try:
            await shared_writes.insert(tenant, version)  # the unique index decides, not a look beforehand
        except Duplicate:
            if version.id and await tenant.versions.records.find_one({"_id": version.id}, {"_id": 1}):
                return numbered
            await _refuse_duplicate(caller, version, ordinal, exactly)
        else:
            return numbered


async def _refuse_duplicate(caller: Caller, version: VersionDocument, ordinal: str, exactly: int) -> None:
    """Raises Refused: EXTERNAL_ID_TAKEN, NOT_CREATED for an ordinal or a number that the client asked for."""
    tenant = caller.tenant
    if version.external_id and await has_external_id(tenant, version.item, version.external_id):
        refused = external_id_taken(version.external_id)
    elif exactly or (ordinal and await numbering.is_taken(tenant, version.item, ordinal)):
        refused = numbering.taken(version.ordinal)
    else:
        return
    if not exactly:
        await numbering.give_back(tenant.base, version.kind, version.item, version.number)
    raise refused


async def _take_back(caller: Caller, version: VersionDocument) -> None:
    """Remove a version whose ordinal has become an alias since `prepare`. That it was added is not announced yet."""
    tenant = caller.tenant

    async def read_item() -> ItemRecord | None:
        return await tenant.items(version.kind).records.find_one({"_id": version.item})

    added = await tenant.versions.records.find_one({"_id": version.id})
    if added is not None:
        with suppress(RecordGoneError):
            await removal.drop(caller, added, read_item, force=True)
            await touching.touch(tenant, version.kind, version.item)


async def has_external_id(tenant: Tenant, item: ObjectId, external_id: str) -> bool:
    # The embedded engines choose an index by the first condition that has one.
    found = await tenant.versions.records.find_one({"external_id": external_id, "item": item}, {"_id": 1})
    return found is not None


def initial_state(tenant: Tenant, *, is_suspicious: bool, archived: bool) -> VersionState:
    """The state of a complete version; `is_suspicious` when it has a file that a policy may hold back."""
    is_held = is_suspicious and tenant.inspection is InspectionPolicy.QUARANTINE
    return VersionState.QUARANTINED if is_held else open_state(archived=archived)


def open_state(*, archived: bool) -> VersionState:
    """The state of a complete version that nothing holds back: it says the same as the field `archived`."""
    return VersionState.ARCHIVED if archived else VersionState.LIVE
