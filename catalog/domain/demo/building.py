"""Creates the items of the demo, each with its versions, card and aliases. Existing ones stay as they are."""

from collections.abc import AsyncIterator

from catalog.blobs.protocol import FileHead
from catalog.domain.access import Caller
from catalog.domain.cards import cards
from catalog.domain.demo.content import DemoItem, DemoVersion
from catalog.domain.files import intake
from catalog.domain.items import items, trash
from catalog.domain.items.references import Reference
from catalog.domain.versions import versions
from catalog.domain.versions.aliases import aliases
from catalog.domain.versions.details import VersionDetails
from catalog.errors import ALIAS_MOVED, NOT_CREATED, NOT_FOUND, Refused
from catalog.store.documents.versions import InputSubdocument
from catalog.store.ids import document_id
from catalog.store.query.paging.cursors import ASCENDING
from catalog.store.records import ItemRecord, VersionRecord
from catalog.vocabulary import Kind


class DemoFile:
    """A file in memory, where an upload is expected."""

    def __init__(self, head: FileHead, content: bytes) -> None:
        self.digest = ""
        self.announced = len(content)
        self.description = ""
        self._head = head
        self._content = content

    async def open(self) -> FileHead:
        return self._head

    async def chunks(self) -> AsyncIterator[bytes]:
        yield self._content


async def item(caller: Caller, planned: DemoItem) -> tuple[ItemRecord | None, bool]:
    """The item, from the trash if it is there, and whether it is new. None when its owner has another of that name."""
    records = caller.tenant.items(planned.kind).records
    if found := await records.find_one({"_id": planned.id}):
        return found, False
    try:
        return await _restored(caller, planned) or await items.create(caller, planned.kind, planned.new), True
    except Refused as refused:
        if refused.fault is not NOT_CREATED:
            raise
    return await records.find_one({"_id": planned.id}), False  # another request may have made it


async def _restored(caller: Caller, planned: DemoItem) -> ItemRecord | None:
    try:
        return await trash.restore(caller, str(planned.id))
    except Refused as refused:
        if refused.fault is not NOT_FOUND:
            raise
    return None


async def complete(caller: Caller, planned: DemoItem, there: ItemRecord) -> int:
    """Give an item the versions, the card and the aliases that it lacks. Returns how many versions are new."""
    kind, itself = planned.kind, Reference(str(planned.id))
    plans = {each.id: each for each in planned.versions}
    query = {"item": planned.id, "_id": {"$in": list(plans)}}
    present = {found["_id"] async for found in caller.tenant.versions.records.find(query, {"_id": 1})}
    missing = [each for each in planned.versions if each.id not in present]
    for version in missing:
        await _add(caller, planned, version)
    if await cards.text_of(caller.tenant, planned.id) is None:
        await cards.write(caller, kind, itself, planned.card)
    has = {alias["name"] for alias in there["aliases"]}
    for name, identity in planned.aliases.items():
        version_record = await caller.tenant.versions.records.find_one({"_id": identity})
        if name not in has and version_record:
            current = await items.changeable(caller, kind, itself)
            await _point(caller, kind, current, name, version_record)
    return len(missing)


async def _point(caller: Caller, kind: Kind, there: ItemRecord, name: str, version: VersionRecord) -> None:
    try:
        await aliases.point_to(caller, kind, there, name, version, expected="")
    except Refused as refused:
        if refused.fault is not ALIAS_MOVED:  # another request has set it meanwhile
            raise


async def _add(caller: Caller, planned: DemoItem, version: DemoVersion) -> None:
    head = FileHead(version.filename, version.mimetype, "binary")
    stored = await intake.receive(caller, DemoFile(head, version.content))
    details = VersionDetails(
        description=version.description,
        metadata=version.metadata,
        author=caller.username,
        stage=version.stage,
        inputs=await _inputs(caller, version),
    )
    await versions.record(caller, planned.kind, planned.id, [stored], details, identity=version.id)


async def _inputs(caller: Caller, version: DemoVersion) -> list[InputSubdocument]:
    """The versions that it was made from, without those that were removed."""
    found = caller.tenant.versions.records.find(
        {"_id": {"$in": list(version.inputs)}}, {"kind": 1, "item": 1, "number": 1}
    )
    return [
        InputSubdocument(kind=each["kind"], item=document_id(each["item"]), number=each["number"])
        async for each in found.sort("_id", ASCENDING)
    ]
