"""Versions: an item's files, numbered. The bytes are safe before a record points at them.

An upload becomes a version in three steps: `prepare` before a byte is read, `intake.receive`, `record`.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import cast

from bson import ObjectId

from catalog.domain.access import Caller, may_change, may_manage
from catalog.domain.cards import mlmodel, readme
from catalog.domain.files import intake
from catalog.domain.files.intake import IncomingFile, StoredFile
from catalog.domain.items import items
from catalog.domain.items.references import Reference
from catalog.domain.limits import LIMITS, Limits
from catalog.domain.versions import lookup, numbering, removal, touching
from catalog.domain.versions.details import NO_DETAILS, VersionDetails, external_id_taken
from catalog.domain.versions.files import folders, version_files
from catalog.domain.versions.insertion import draft_of, has_external_id, initial_state, insert, serial_ahead
from catalog.errors import CANNOT_MODIFY, Refused
from catalog.store.documents.items import PairSubdocument
from catalog.store.documents.versions import FileSubdocument, VersionDocument
from catalog.store.ids import document_id
from catalog.store.records import FileRecord, ItemRecord, PairRecord, VersionRecord
from catalog.vocabulary import Kind, VersionState


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
    return await record(caller, kind, item["_id"], [stored], whole, first=item)


async def prepare(caller: Caller, kind: Kind, reference: Reference, details: VersionDetails = NO_DETAILS) -> ItemRecord:
    """The item that is to get a version, before anything of it is read.

    Raises Refused: NOT_FOUND, CANNOT_MODIFY, NOT_CREATED for an ordinal that is taken, that is an alias or `latest`, or
    that no address can hold, EXTERNAL_ID_TAKEN.
    """
    item = await items.changeable(caller, kind, reference)
    await numbering.refuse_ordinal(caller.tenant, item, details.ordinal)
    if details.external_id and await has_external_id(caller.tenant, item["_id"], details.external_id):
        raise external_id_taken(details.external_id)
    return item


async def register(
    caller: Caller, kind: Kind, reference: Reference, details: VersionDetails, limits: Limits = LIMITS
) -> tuple[ItemRecord, VersionRecord]:
    """Make a version whose bytes are not in the catalog, and return it with its item. Its `uri`, if it has one, says
    where they are.

    Raises Refused: NOT_FOUND, CANNOT_MODIFY, NOT_CREATED, and what `insert` raises.
    """
    with serial_ahead(caller) as serial:
        item = await items.changeable(caller, kind, reference)
        return await register_of(caller, kind, item, details, limits, serial)


async def register_of(
    caller: Caller, kind: Kind, item: ItemRecord, details: VersionDetails, limits: Limits, serial: Awaitable[int]
) -> tuple[ItemRecord, VersionRecord]:
    """The same, of an item that was read a moment ago, with the `serial` that was asked ahead."""
    if not may_change(caller, item):
        raise Refused(CANNOT_MODIFY, item["name"])
    details = details.checked(limits)
    numbering.check_ordinal(item, details.ordinal)  # the unique index says whether it is taken
    version = draft_of(caller, kind, item["_id"], await details.resolved(caller))
    version.folder, version.state = False, initial_state(caller.tenant, is_suspicious=False, archived=details.archived)
    changed = await insert(caller, version, item, serial)
    return changed, cast("VersionRecord", version.model_dump(by_alias=True))


async def record(
    caller: Caller,
    kind: Kind,
    item: ObjectId,
    files: Sequence[StoredFile],
    details: VersionDetails = NO_DETAILS,
    *,
    identity: ObjectId | None = None,
    first: ItemRecord | None = None,
) -> ItemRecord:
    """Make stored files the next version of an item, and return the item. Files with paths make a folder.

    With an `identity` the version is made once, however often this is called. `first` is the item, if it was read.

    Raises Refused: NOT_CHANGED for files that make no folder, UNSAFE_FILE for a threat if the details are strict, and
    what `insert` raises.
    """
    if details.strict:
        intake.refuse_threats([(file.path, file.brief.verdict) for file in files if file.is_suspicious])
    version = draft_of(caller, kind, item, details)
    version.id = document_id(identity or ObjectId())
    is_suspicious = any(file.is_suspicious for file in files)
    version.state = initial_state(caller.tenant, is_suspicious=is_suspicious, archived=details.archived)
    records = _take_content(version, files)
    described = await mlmodel.described(caller.tenant, mlmodel.among(records))
    if described:
        version.metadata += _missing(version.metadata, described.pairs())
    if not version.folder:
        version.files = [FileSubdocument(**record) for record in records]
        changed = await insert(caller, version, first)
    else:
        changed = await _insert_folder(caller, version, records)
    if version.state is VersionState.QUARANTINED:
        return changed
    return await readme.become_card(caller, kind, changed, readme.among(records), described)


def _take_content(version: VersionDocument, files: Sequence[StoredFile]) -> list[FileRecord]:
    """Set what a version says of its files, and return their records. Raises Refused: NOT_CHANGED."""
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
    return records


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
