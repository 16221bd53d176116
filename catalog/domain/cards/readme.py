"""A README.md among the files of a new version becomes the card of an item that has none."""

from collections.abc import Iterable

from catalog.blobs.protocol import StorageUnavailableError, UnknownBlobError
from catalog.domain.access import Caller
from catalog.domain.cards import cards
from catalog.errors import Refused
from catalog.store.records import FileRecord, ItemRecord
from catalog.vocabulary import Kind

NAME = "readme.md"


def among(files: Iterable[FileRecord]) -> FileRecord | None:
    """The README beside the other files, not one in a folder of them."""
    return next((file for file in files if file["path"].lower() == NAME), None)


async def become_card(caller: Caller, kind: Kind, item: ItemRecord, file: FileRecord | None) -> ItemRecord:
    """Return the item, which has the file as its card if that is possible. The version is there in any case."""
    tenant = caller.tenant
    if file is None or file["size"] > cards.LARGEST or await cards.text_of(tenant, item["_id"]) is not None:
        return item
    try:
        content = b"".join([chunk async for chunk in tenant.blobs.read(file["digest"])])
        text = content.decode()
        return item if "\0" in text else await cards.write_first(caller, kind, item["_id"], text)
    except (Refused, UnknownBlobError, StorageUnavailableError, OSError, UnicodeDecodeError):
        return item
