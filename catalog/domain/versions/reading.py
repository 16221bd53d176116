"""Reading versions, and checks of access to their files."""

from catalog.blobs.protocol import Blob
from catalog.domain import archiving
from catalog.domain.access import Caller, may_change
from catalog.domain.files import blob_records
from catalog.domain.items import items
from catalog.domain.items.references import Reference
from catalog.domain.versions import lookup
from catalog.domain.versions.files import version_files
from catalog.errors import BYTES_ELSEWHERE, QUARANTINED, VERSION_DRAFT, Refused
from catalog.store.records import FileRecord, ItemRecord, Query, VersionRecord
from catalog.vocabulary import Archived, Kind, VersionState


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


def visible_to(caller: Caller, item: ItemRecord, archived: Archived = Archived.EXCLUDED) -> Query:
    """The filter of an item's versions that the caller may list: only those who may change the item see drafts."""
    of_item: Query = {"item": item["_id"], **archiving.shown(archived)}
    return of_item if may_change(caller, item) else of_item | {"state": {"$ne": VersionState.DRAFT.value}}
