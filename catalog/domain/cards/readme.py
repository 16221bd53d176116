"""The first card of an item, from the files of a new version: a README.md, else what an MLmodel says."""

from collections.abc import Iterable

from catalog.blobs.protocol import StorageUnavailableError, UnknownBlobError
from catalog.domain.access import Caller
from catalog.domain.cards import cards
from catalog.domain.cards.mlmodel import MARK, Described
from catalog.errors import Refused
from catalog.store.records import FileRecord, ItemRecord
from catalog.vocabulary import Kind

NAME = "readme.md"


def among(files: Iterable[FileRecord]) -> FileRecord | None:
    """The README beside the other files, not one in a folder of them."""
    return next((file for file in files if file["path"].lower() == NAME), None)


async def become_card(
    caller: Caller, kind: Kind, item: ItemRecord, file: FileRecord | None, described: Described | None = None
) -> ItemRecord:
    """Return the item, which has the README as its card if that is possible, else what an MLmodel says.

    A card that a person has written stays. The version is there in any case.
    """
    tenant = caller.tenant
    is_readme = file is not None and file["size"] <= cards.LARGEST
    if not is_readme and described is None:
        return item
    present = await cards.text_of(tenant, item["_id"])
    if present is not None and not present.startswith(MARK):
        return item
    try:
        if file is not None and is_readme:
            content = b"".join([chunk async for chunk in tenant.blobs.read(file["digest"])])
            text = content.decode()
        else:
            text = described.card() if described else ""
        return item if "\0" in text else await cards.write_first(caller, kind, item["_id"], text)
    except (Refused, UnknownBlobError, StorageUnavailableError, OSError, UnicodeDecodeError):
        return item
