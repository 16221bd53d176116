"""Closing a draft: from then on it is a version like others, and its files never change."""

from asyncio import to_thread
from contextlib import suppress

from bson import ObjectId

from catalog.domain.access import Caller
from catalog.domain.cards import mlmodel, readme
from catalog.domain.files import intake
from catalog.domain.items.references import Reference
from catalog.domain.versions import insertion, touching
from catalog.domain.versions.drafts import drafts
from catalog.domain.versions.files import folders, version_files
from catalog.errors import BUSY, Refused
from catalog.store.clock import now
from catalog.store.concurrency.optimistic import RecordGoneError, revise
from catalog.store.records import Changes, FileRecord, PairRecord, VersionFileRecord, VersionRecord
from catalog.store.tenant import Tenant
from catalog.vocabulary import Kind, VersionState

README = ("README.md", "readme.md", "Readme.md")


async def close(caller: Caller, kind: Kind, reference: Reference, *, strict: bool = False) -> VersionRecord:
    """Make a draft a version like others, and return it. From now on its files never change.

    Raises Refused: NOT_FOUND, CANNOT_MODIFY, VERSION_CLOSED, NOT_CHANGED without files, or when one is a folder too;
    if it is `strict`, UNSAFE_FILE for a file in which the inspection has found a threat. Then it stays a draft.
    """
    tenant, draft = caller.tenant, await drafts.find(caller, kind, reference)
    for _ in range(drafts.ATTEMPTS):
        token = ObjectId()
        begun = await tenant.versions.modify(drafts.open_one(draft), {"$set": {"closing": token}})
        if begun is not None:
            closed = await _close(tenant, begun, token, strict=strict)
            return await _described(caller, kind, closed)
        draft = await drafts.when_open(tenant, draft)
    raise Refused(BUSY, reference.which)


async def _described(caller: Caller, kind: Kind, version: VersionRecord) -> VersionRecord:
    """The version with what its MLmodel says, and its item with a card made of the files."""
    tenant = caller.tenant
    found = await version_files.current_at(tenant, version["_id"], (*README, mlmodel.NAME))
    described = await mlmodel.described(tenant, found.pop(mlmodel.NAME, None))
    if described is not None:
        version = await _with_metadata(tenant, version, described.pairs())
    item = await touching.touch(tenant, kind, version["item"])
    if item is not None and version["state"] != VersionState.QUARANTINED:
        await readme.become_card(caller, kind, item, next(iter(found.values()), None), described)
    return version


async def _with_metadata(tenant: Tenant, version: VersionRecord, pairs: list[PairRecord]) -> VersionRecord:
    """The version with those pairs whose names it does not have."""
    records = tenant.versions.records

    async def metadata(version: VersionRecord) -> Changes:
        names = {pair["name"] for pair in version["metadata"]}
        return {"metadata": [*version["metadata"], *(pair for pair in pairs if pair["name"] not in names)]}

    with suppress(RecordGoneError):
        return (await revise(records, lambda: records.find_one({"_id": version["_id"]}), metadata)).after
    return version


async def _close(tenant: Tenant, draft: VersionRecord, token: ObjectId, *, strict: bool) -> VersionRecord:
    """Close a draft. It takes no file meanwhile, and takes files again if this fails."""
    try:
        files = await _settled(tenant, draft)
        if strict:
            intake.refuse_threats([(file["path"], file["verdict"]) for file in files if file["held"]])
        change = await to_thread(_closed, tenant, draft, files)
        mine = {"_id": draft["_id"], "state": VersionState.DRAFT.value, "closing": token}
        closed = await tenant.versions.modify(mine, {"$set": change, "$inc": {"revision": 1}})
    except BaseException:
        await drafts.reopen(tenant.base, draft["_id"], token)
        raise
    if closed is None:
        raise Refused(BUSY, draft["ordinal"])  # it took so long that another request took its lease
    return closed


async def _settled(tenant: Tenant, draft: VersionRecord) -> list[FileRecord]:
    """The files of a draft that is being closed, and nothing else of it: no late file, no replaced one."""
    version, numbers = draft["_id"], set(range(1, draft.get("last_file", 0) + 1))
    entries = await _entries(tenant, version)
    if missing := sorted(numbers - {entry["number"] for entry in entries}):
        # Their requests have died, or are about to write: one of the two gets the number.
        await tenant.files.insert_missing([version_files.no_file(version, number) for number in missing])
        entries = await _entries(tenant, version)
    current = {entry["_id"] for entry in version_files.current(entries)}
    replaced = [entry["_id"] for entry in entries if entry["path"] and entry["_id"] not in current]
    if replaced:
        await tenant.files.records.update_many({"_id": {"$in": replaced}}, {"$set": {"path": "", "digest": ""}})
    return [entry for entry in entries if entry["_id"] in current]


async def _entries(tenant: Tenant, version: ObjectId) -> list[VersionFileRecord]:
    return await tenant.files.records.find({"version": version}).sort(version_files.IN_ORDER).to_list(None)


def _closed(tenant: Tenant, draft: VersionRecord, files: list[FileRecord]) -> Changes:
    """Raises Refused: NOT_CHANGED."""
    files, moment = folders.in_order(files), now()
    is_suspicious, archived = any(file["held"] for file in files), draft.get("archived", False)
    return {
        "file_count": len(files),
        "size": sum(file["size"] for file in files),
        "digest": folders.digest_of(files),
        "inspection": folders.inspection_of(files),
        "state": insertion.initial_state(tenant, is_suspicious=is_suspicious, archived=archived).value,
        "closing": None,
        "timestamp": moment,
        "lastmod": moment,
    }
