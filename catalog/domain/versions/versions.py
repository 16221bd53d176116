"""Versions: an item's files, numbered. The bytes are safe before a record points at them.

An upload becomes a version in three steps: `prepare` before a byte is read, `intake.receive`, `record`.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import cast

from bson import ObjectId

from catalog.blobs.protocol import Blob
from catalog.domain import archiving
from catalog.domain.access import Caller, may_change, may_manage
from catalog.domain.cards import mlmodel, readme
from catalog.domain.files import blob_records, intake
from catalog.domain.files.intake import IncomingFile, StoredFile
from catalog.domain.items import items
from catalog.domain.items.references import Reference
from catalog.domain.limits import LIMITS, Limits
from catalog.domain.versions import lookup, numbering, removal, touching
from catalog.domain.versions.aliases.names import equals_an_alias
from catalog.domain.versions.details import NO_DETAILS, VersionDetails, external_id_taken
from catalog.domain.versions.files import folders, version_files
from catalog.errors import BYTES_ELSEWHERE, CANNOT_MODIFY, NOT_FOUND, QUARANTINED, VERSION_DRAFT, Refused
from catalog.store.concurrency import shared_writes
from catalog.store.concurrency.optimistic import RecordGoneError
from catalog.store.derived.reader_copies import copied
from catalog.store.documents.items import PairSubdocument
from catalog.store.documents.versions import FileSubdocument, VersionDocument
from catalog.store.failures import Duplicate
from catalog.store.ids import document_id
from catalog.store.records import FileRecord, ItemRecord, PairRecord, Query, VersionRecord
from catalog.store.tenant import VERSION_SERIAL, Tenant
from catalog.vocabulary import Archived, InspectionPolicy, Kind, VersionState


async def add(
    caller: Caller,
    kind: Kind,
    reference: Reference,
    upload: IncomingFile,
    *,
    ordinal: str = "",
    details: Callable[[], VersionDetails] = lambda: NO_DETAILS,
    limits: Limits = LIMITS,
) -> ItemRecord:
    """Make a file the next version of an item, and return the item.

    `details` is called again after the file has been read: a form may have some of them behind it.

    Raises Refused: what `prepare`, `intake.receive`, `details` and `record` raise.
    """
    first = replace(details(), ordinal=ordinal).checked(limits)
    item = await prepare(caller, kind, reference, first)
    first = await first.resolved(caller)
    stored = await intake.receive(caller, upload)
    whole = replace(details(), ordinal=ordinal, description=upload.description).checked(limits)
    is_known = whole.made_from == first.made_from
    whole = replace(whole, inputs=first.inputs) if is_known else await whole.resolved(caller)
    return await record(caller, kind, item["_id"], [stored], whole)


async def prepare(caller: Caller, kind: Kind, reference: Reference, details: VersionDetails = NO_DETAILS) -> ItemRecord:
    """The item that is to get a version, before anything of it is read.

    Raises Refused: NOT_FOUND, CANNOT_MODIFY, NOT_CREATED for an ordinal that is taken, that is an alias or `latest`, or
    that no address can hold, EXTERNAL_ID_TAKEN.
    """
    item = await items.changeable(caller, kind, reference)
    await numbering.refuse_ordinal(caller.tenant, item, details.ordinal)
    if details.external_id and await _has_external_id(caller.tenant, item["_id"], details.external_id):
        raise external_id_taken(details.external_id)
    return item


async def register(
    caller: Caller, kind: Kind, reference: Reference, details: VersionDetails, limits: Limits = LIMITS
) -> VersionRecord:
    """Make a version whose bytes are not in the catalog, and return it. Its `uri`, if it has one, says where they are.

    Raises Refused: NOT_CREATED, and what `prepare` and `insert` raise.
    """
    details = details.checked(limits)
    item = await prepare(caller, kind, reference, details)
    version = draft_of(caller, kind, item["_id"], await details.resolved(caller))
    version.folder, version.state = False, initial_state(caller.tenant, is_suspicious=False, archived=details.archived)
    await insert(caller, version, item)
    return cast("VersionRecord", version.model_dump(by_alias=True))


async def record(
    caller: Caller,
    kind: Kind,
    item: ObjectId,
    files: Sequence[StoredFile],
    details: VersionDetails = NO_DETAILS,
    *,
    identity: ObjectId | None = None,
) -> ItemRecord:
    """Make stored files the next version of an item, and return the item. Files with paths make a folder.

    With an `identity` the version is made once, however often this is called.

    Raises Refused: NOT_CHANGED for files that make no folder, UNSAFE_FILE for a threat if the details are strict, and
    what `insert` raises.
    """
    if details.strict:
        intake.refuse_threats([(file.path, file.brief.verdict) for file in files if file.is_suspicious])
    version = draft_of(caller, kind, item, details)
    version.id = document_id(identity or ObjectId())
    is_suspicious = any(file.is_suspicious for file in files)
    version.state = initial_state(caller.tenant, is_suspicious=is_suspicious, archived=details.archived)
    records = [file.record() for file in files]
    version.folder = any(file.path for file in files)
    if version.folder:
        records = folders.in_order(records)
        version.digest, version.inspection = folders.digest_of(records), dict(folders.inspection_of(records))
    else:
        [file] = files
        version.digest, version.inspection = file.blob.digest, dict(file.inspection or {})
        version.original = file.head.name
    version.file_count, version.size = len(records), sum(record["size"] for record in records)
    described = await mlmodel.described(caller.tenant, mlmodel.among(records))
    if described:
        version.metadata += _missing(version.metadata, described.pairs())
    if not version.folder:
        version.files = [FileSubdocument(**record) for record in records]
        changed = await insert(caller, version)
    else:
        changed = await _insert_folder(caller, version, records)
    if version.state is VersionState.QUARANTINED:
        return changed
    return await readme.become_card(caller, kind, changed, readme.among(records), described)


def _missing(present: Sequence[PairSubdocument], pairs: Sequence[PairRecord]) -> list[PairSubdocument]:
    names = {pair.name for pair in present}
    return [PairSubdocument(**pair) for pair in pairs if pair["name"] not in names]


async def _insert_folder(caller: Caller, version: VersionDocument, files: Sequence[FileRecord]) -> ItemRecord:
    """Write the files of a folder and then the folder, so that no version lacks a file."""
    tenant, identity = caller.tenant, ObjectId(version.id)
    numbered = [version_files.numbered(identity, number, file) for number, file in enumerate(files, 1)]
    await tenant.files.insert_missing(numbered)
    version.last_file = len(files)
    try:
        return await insert(caller, version)
    except Refused:
        if not await tenant.versions.records.find_one({"_id": identity}, {"_id": 1}):
            await version_files.remove(tenant.base, [identity])
        raise


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
    tenant, ordinal, exactly = caller.tenant, version.ordinal, version.number
    version.serial = await shared_writes.next_number(tenant, VERSION_SERIAL)
    while True:
        numbered = await numbering.next_number(caller, version.kind, version.item, ordinal, exactly, item)
        item = None
        version.number, version.ordinal = numbered.number, numbered.ordinal
        version.readers = copied(numbered.item["readers"])
        version.ordinal_key = version.ordinal.casefold()
        try:
            await shared_writes.insert(tenant, version)  # the unique index decides, not a look beforehand
            break
        except Duplicate:
            if version.id and await tenant.versions.records.find_one({"_id": version.id}, {"_id": 1}):
                break
            if version.external_id and await _has_external_id(tenant, version.item, version.external_id):
                raise external_id_taken(version.external_id) from None
            if ordinal or exactly:
                raise numbering.taken(version.ordinal) from None

    # The item's revision is raised only now: a client that reads the new one also reads the version. The highest number
    # is written again, because the item may have been in the trash and restored in between.
    item = await touching.touch_added(tenant, version, numbered.item)
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


async def _has_external_id(tenant: Tenant, item: ObjectId, external_id: str) -> bool:
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


async def read(caller: Caller, kind: Kind, reference: Reference) -> VersionRecord:
    """The version of an item that the reference names, see `lookup.find`.

    Raises Refused: NOT_FOUND, CANNOT_READ.
    """
    return (await read_with_item(caller, kind, reference))[1]


async def read_with_item(caller: Caller, kind: Kind, reference: Reference) -> tuple[ItemRecord, VersionRecord]:
    """The same version, with its item. Raises Refused: NOT_FOUND, CANNOT_READ."""
    item = await items.read(caller, kind, reference)
    return item, await lookup.find(caller, item, reference.which)


async def read_content(caller: Caller, kind: Kind, reference: Reference) -> VersionRecord:
    """The version, for a caller who may download its files.

    Raises Refused: NOT_FOUND, CANNOT_READ, QUARANTINED.
    """
    version = await read(caller, kind, reference)
    refuse_quarantined(version, caller)
    return version


async def verify(
    caller: Caller, kind: Kind, reference: Reference
) -> list[tuple[FileRecord, blob_records.BlobCondition]]:
    """Read all bytes of a version in the storage, and record the condition of each of its files.

    Raises Refused: what `read_content` raises, BYTES_ELSEWHERE.
    """
    version = await read_content(caller, kind, reference)
    refuse_elsewhere(version)
    return [
        (file, await blob_records.verify(caller.tenant, Blob(file["digest"], file["size"])))
        for file in await version_files.all_of(caller.tenant, version)
    ]


def refuse_quarantined(version: VersionRecord, caller: Caller) -> None:
    """Raises Refused: QUARANTINED, unless for an administrator."""
    if version["state"] == VersionState.QUARANTINED and not caller.is_admin:
        raise Refused(QUARANTINED, version["ordinal"])


def refuse_elsewhere(version: VersionRecord) -> None:
    """Raises Refused: BYTES_ELSEWHERE for a complete version without files."""
    if not version_files.has_files(version) and version["state"] != VersionState.DRAFT:
        uri = version.get("uri")
        raise Refused(BYTES_ELSEWHERE, f"they are at {uri}" if uri else "nor does the version say where they are")


def refuse_draft(version: VersionRecord) -> None:
    """Raises Refused: VERSION_DRAFT."""
    if version["state"] == VersionState.DRAFT:
        raise Refused(VERSION_DRAFT, version["ordinal"])


async def remove(
    caller: Caller, kind: Kind, reference: Reference, *, force: bool = False, with_aliases: bool = False
) -> ItemRecord:
    """Remove a version, and return its item. The bytes are left to the sweep: other versions may name them too.

    One that aliases point to is removed `with_aliases` or `force`, one that a service serves with `force`. An editor
    of the item removes only versions that the editor has added.

    Raises Refused: NOT_FOUND, CANNOT_MODIFY, ALIASED, DEPLOYED, BUSY.
    """
    item = await items.changeable(caller, kind, reference)
    version = await lookup.find(caller, item, reference.which)
    if not may_manage(caller, item) and version["owner"] != caller.user:
        raise Refused(CANNOT_MODIFY, f"{version['ordinal']}: an editor removes only the versions that it has added")
    same = Reference(str(item["_id"]))

    async def read() -> ItemRecord:
        return await items.changeable(caller, kind, same)

    await removal.drop(caller, version, read, force=force, with_aliases=with_aliases)
    return await touching.touch(caller.tenant, kind, item["_id"]) or item


def visible_to(caller: Caller, item: ItemRecord, archived: Archived = Archived.EXCLUDED) -> Query:
    """The filter of an item's versions that the caller may list: only those who may change the item see drafts."""
    of_item: Query = {"item": item["_id"], **archiving.shown(archived)}
    return of_item if may_change(caller, item) else of_item | {"state": {"$ne": VersionState.DRAFT.value}}
