"""Writing the record of a new version. The bytes are safe before a record points at them."""

import asyncio
from contextlib import suppress

from bson import ObjectId

from catalog.domain.access import Caller
from catalog.domain.versions import numbering, removal, touching
from catalog.domain.versions.aliases.names import equals_an_alias
from catalog.domain.versions.details import VersionDetails, external_id_taken
from catalog.domain.versions.numbering import Numbered
from catalog.errors import NOT_FOUND, Refused
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


async def insert(caller: Caller, version: VersionDocument, item: ItemRecord | None = None) -> ItemRecord:
    """Write a version under the next number, with the next ordinal if it has none, and return its item.

    A version that has a number already must get that one. `item` is its item if it was read a moment ago.

    Raises Refused: NOT_CREATED for an ordinal that is taken, EXTERNAL_ID_TAKEN, NOT_FOUND when the item is gone,
    CANNOT_MODIFY when it belongs to another user by now.
    """
    # The bytes are safe before anything points at them. A crash between the two leaves a blob that no version names,
    # which a sweep removes; never a version without bytes.
    tenant, ordinal, is_alone = caller.tenant, version.ordinal, not touching.are_held(caller.tenant, version.item)
    touches = touching.of_item(tenant, version.kind, version.item)
    numbered = await _write_numbered(caller, version, item if is_alone else None)

    # The item's revision is raised only now: a client that reads the new one also reads the version. The highest number
    # is written again, because the item may have been in the trash and restored in between.
    item = await touching.touch_added(touches, version, numbered.item)
    if item is None:
        # Removing an item removes its versions next. If that happened between our look and our write, this version is
        # what it missed.
        await tenant.versions.records.delete_one({"_id": version.id})
        raise Refused(NOT_FOUND, str(version.item))
    if copied(item["readers"]) != version.readers:  # it was shared in between
        shared = {"$set": {"readers": copied(item["readers"])}}
        await tenant.versions.records.update_one({"_id": version.id}, shared)
    if ordinal and equals_an_alias(item, ordinal):
        await _take_back(caller, version)
        numbering.refuse_alias(item, ordinal)
    return item


async def _write_numbered(caller: Caller, version: VersionDocument, item: ItemRecord | None) -> Numbered:
    """Write a version with a number and a serial. Raises Refused as `insert` does."""
    tenant, ordinal, exactly = caller.tenant, version.ordinal, version.number
    kind, key = version.kind, version.item
    numbered, version.serial = await _counted(caller, version, item)
    while True:
        version.number, version.ordinal = numbered.number, numbered.ordinal
        version.readers = copied(numbered.item["readers"])
        version.ordinal_key = version.ordinal.casefold()
        try:
            await shared_writes.insert(tenant, version)  # the unique index decides, not a look beforehand
        except Duplicate:
            if version.id and await tenant.versions.records.find_one({"_id": version.id}, {"_id": 1}):
                return numbered
            await _refuse_duplicate(caller, version, ordinal, exactly)
            numbered = await numbering.next_number(caller, kind, key, ordinal, exactly)
        else:
            return numbered


async def _counted(caller: Caller, version: VersionDocument, item: ItemRecord | None) -> tuple[Numbered, int]:
    """The number of a version, and its serial. With its `item` nothing else is added to that in this server.

    A lone version is counted at once. Several that wait for their serials together are then numbered together.
    """
    number = numbering.next_number(caller, version.kind, version.item, version.ordinal, version.number, item)
    serial = shared_writes.next_number(caller.tenant, VERSION_SERIAL)
    if item:
        return await asyncio.gather(number, serial)
    return ((await serial), (await number))[::-1]


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
