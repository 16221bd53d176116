"""Folders: versions of many files, which come one by one. A draft until it is closed, immutable afterwards.

A file is one conditional write on its version's record, so that files that come at once are all there, and
none comes into a version that is closed. A folder's digest is the SHA-256 of what `sha256sum` prints of its
files, in the order of their paths.
"""

from collections.abc import Iterable
from datetime import datetime
from hashlib import sha256
from pathlib import PurePosixPath
from time import monotonic
from typing import Any

from pymongo import ReturnDocument

from catalog.blobs.protocol import Blob, Blobs, FileHead
from catalog.domain.access import Caller
from catalog.domain.body_fields import Form
from catalog.domain.files import acceptance, blob_records
from catalog.domain.files.filenames import file_path
from catalog.domain.items import items
from catalog.domain.items.references import Reference
from catalog.domain.limits import LIMITS, LONGEST_DESCRIPTION, Limits
from catalog.domain.versions import versions
from catalog.domain.versions.versions import Upload
from catalog.errors import BUSY, NOT_CHANGED, NOT_CREATED, NOT_FOUND, VERSION_CLOSED, Refused
from catalog.inspection.findings import NOTHING
from catalog.store.database import Tenant
from catalog.store.documents import Version, now
from catalog.store.fence import FRESH
from catalog.store.tenant_documents import Raw
from catalog.vocabulary import Kind, VersionState

MOST_FILES = 10_000
"""With paths of at most LONGEST_PATH their record stays under the 16 MB that the database takes."""

MOST_FINDINGS = 100
ATTEMPTS = 1000
"""How often a write is tried that others keep overtaking."""

FIELDS = frozenset({"draft", "ordinal", "description", "metadata"})

FOLDER = "folder"
"""The format of an inspection that sums up those of the files."""


async def begin(tenant: Tenant, kind: Kind, key: str, body: Any, caller: Caller, limits: Limits = LIMITS) -> Raw:
    """Make a draft without files, and return it: `{draft: true, ordinal, description, metadata}`.

    Raises Refused: NOT_FOUND, CANNOT_MODIFY, NOT_CREATED.
    """
    form = Form(body, NOT_CREATED, FIELDS, limits)
    ordinal = (form.text("ordinal") or "").strip()
    item = await versions.prepare(tenant, kind, key, caller, ordinal)
    draft = Version(
        item=item["_id"],
        kind=kind,
        number=0,
        ordinal=ordinal,
        ordinal_key="",  # with the number, see `versions.record`
        files=[],
        folder=True,
        file_count=0,
        description=form.text("description", LONGEST_DESCRIPTION) or "",
        metadata=form.pairs("metadata"),
        state=VersionState.DRAFT,
        owner=caller.user,
    )
    await versions.record(tenant, draft, caller)
    made: Raw = draft.model_dump(by_alias=True)
    return made


async def put(
    tenant: Tenant,
    kind: Kind,
    key: str,
    which: str,
    path: str,
    upload: Upload,
    caller: Caller,
    blobs: Blobs,
    *,
    fresh: float = FRESH,
) -> Raw:
    """Keep a file under `path` in a draft, in the place of one that was there, and return its record.

    When it took longer than `fresh` seconds to come, everything is looked at again: the item may be another's by now.

    Raises Refused: NOT_FOUND, CANNOT_MODIFY, VERSION_CLOSED, NOT_CREATED for a path that is none or one file too
    many, and what receiving and accepting a file raises.
    """
    looked = monotonic()
    draft = await ready(tenant, kind, key, which, path, caller)
    await blob_records.refuse_over_quota(tenant, upload.announced)
    head = await upload.open()
    blob = await versions.receive(tenant, upload, blobs)
    if monotonic() - looked > fresh:
        draft = await ready(tenant, kind, str(draft["item"]), which, path, caller)
    return await add(tenant, draft, path, head, blob, blobs)


async def ready(tenant: Tenant, kind: Kind, key: str, which: str, path: str, caller: Caller) -> Raw:
    """The draft that is to get a file, before anything of that is read.

    Raises Refused: NOT_FOUND, CANNOT_MODIFY, VERSION_CLOSED, NOT_CREATED for a path that is none or one file too many.
    """
    draft = await _draft(tenant, kind, key, which, caller)
    path = file_path(path)
    if draft["file_count"] >= MOST_FILES and _at(draft, path) is None:
        raise _too_many()
    return draft


async def add(tenant: Tenant, draft: Raw, path: str, head: FileHead, blob: Blob, blobs: Blobs) -> Raw:
    """Make bytes that are kept a file of a draft, in the place of one that was there, and return its record.

    Raises Refused: VERSION_CLOSED, NOT_CREATED when there are too many by now, QUOTA_EXCEEDED, UNSAFE_FILE, BUSY.
    """
    head = head._replace(name=PurePosixPath(path).name)
    inspection = await acceptance.look(tenant, blobs, head, blob)
    file = acceptance.kept_file(head, blob, path, inspection).model_dump()
    for _ in range(ATTEMPTS):
        if await _replaced(tenant, draft, file) or await _added(tenant, draft, file):
            return file
        draft = await _still_draft(tenant, draft)
        if draft["file_count"] >= MOST_FILES and _at(draft, path) is None:
            raise _too_many()
    raise Refused(BUSY, draft["ordinal"])


async def drop(tenant: Tenant, kind: Kind, key: str, which: str, path: str, caller: Caller) -> Raw:
    """Remove a file from a draft, and return its record.

    Raises Refused: NOT_FOUND, CANNOT_MODIFY, VERSION_CLOSED.
    """
    draft = await _draft(tenant, kind, key, which, caller)
    for _ in range(ATTEMPTS):
        file = _at(draft, path)
        if file is None:
            raise Refused(NOT_FOUND, path)
        change = {"$pull": {"files": {"path": path}}, **_counted(-1, -file["size"])}
        if (await tenant.versions.raw.update_one(_with(draft, file), change)).matched_count:
            return file
        draft = await _still_draft(tenant, draft)
    raise Refused(BUSY, which)


async def close(tenant: Tenant, kind: Kind, key: str, which: str, caller: Caller) -> Raw:
    """Make a draft a version like others, and return it. From now on its files never change.

    Raises Refused: NOT_FOUND, CANNOT_MODIFY, VERSION_CLOSED, NOT_CHANGED without files, or when one is a folder too.
    """
    draft = await _draft(tenant, kind, key, which, caller)
    for _ in range(ATTEMPTS):
        files = sorted(draft["files"], key=lambda file: file["path"].encode())
        _refuse_incomplete(files)
        fields = {
            "files": files,
            "digest": digest_of(files),
            "inspection": _summed_up(files),
            "state": acceptance.state(tenant, held=any(file["held"] for file in files)).value,
            "timestamp": now(),
            "lastmod": now(),
        }
        # On the revision: a file that came meanwhile is looked at first.
        closed: Raw | None = await tenant.versions.raw.find_one_and_update(
            {"_id": draft["_id"], "state": VersionState.DRAFT.value, "revision": draft["revision"]},
            {"$set": fields, "$inc": {"revision": 1}},
            return_document=ReturnDocument.AFTER,
        )
        if closed is not None:
            await versions.touched(tenant, kind, draft["item"])
            return closed
        draft = await _still_draft(tenant, draft)
    raise Refused(BUSY, which)


def file_at(version: Raw, path: str) -> Raw:
    """Raises Refused: NOT_FOUND."""
    file = _at(version, path)
    if file is None:
        raise Refused(NOT_FOUND, path)
    return file


def abandoned(before: datetime) -> Raw:
    """The filter of drafts in which nothing has happened since `before`."""
    return {"state": VersionState.DRAFT.value, "lastmod": {"$lt": before}}


def digest_of(files: Iterable[Raw]) -> str:
    listed = "".join(f"{file['digest']}  {file['path']}\n" for file in files)
    return sha256(listed.encode()).hexdigest()


async def _draft(tenant: Tenant, kind: Kind, key: str, which: str, caller: Caller) -> Raw:
    item = await items.changeable(caller, kind, Reference(key))
    return _open(await versions.find(tenant, item, which, caller))


async def _still_draft(tenant: Tenant, draft: Raw) -> Raw:
    found: Raw | None = await tenant.versions.raw.find_one({"_id": draft["_id"]})
    if found is None:
        raise Refused(NOT_FOUND, draft["ordinal"])
    return _open(found)


def _open(version: Raw) -> Raw:
    if version["state"] != VersionState.DRAFT:
        raise Refused(VERSION_CLOSED, version["ordinal"])
    return version


def _at(version: Raw, path: str) -> Raw | None:
    return next((file for file in version["files"] if file["path"] == path), None)


def _with(draft: Raw, file: Raw) -> Raw:
    """The filter of a draft that has this very file."""
    same = {"$elemMatch": {"path": file["path"], "digest": file["digest"], "size": file["size"]}}
    return {"_id": draft["_id"], "state": VersionState.DRAFT.value, "files": same}


async def _replaced(tenant: Tenant, draft: Raw, file: Raw) -> bool:
    before = _at(draft, file["path"])
    if before is None:
        return False
    change = _counted(0, file["size"] - before["size"])
    change["$set"] |= {"files.$": file}
    return bool((await tenant.versions.raw.update_one(_with(draft, before), change)).matched_count)


async def _added(tenant: Tenant, draft: Raw, file: Raw) -> bool:
    room = {"files.path": {"$ne": file["path"]}, "file_count": {"$lt": MOST_FILES}}
    query = {"_id": draft["_id"], "state": VersionState.DRAFT.value, **room}
    change = {"$push": {"files": file}, **_counted(1, file["size"])}
    return bool((await tenant.versions.raw.update_one(query, change)).matched_count)


def _counted(files: int, size: int) -> Raw:
    return {"$inc": {"file_count": files, "size": size, "revision": 1}, "$set": {"lastmod": now()}}


def _too_many() -> Refused:
    return Refused(NOT_CREATED, f"a version has at most {MOST_FILES} files")


def _refuse_incomplete(files: list[Raw]) -> None:
    if not files:
        raise Refused(NOT_CHANGED, "a version without files cannot be closed")
    paths = {file["path"] for file in files}
    folders = {str(folder) for path in paths for folder in PurePosixPath(path).parents}
    if both := sorted(paths & folders):
        raise Refused(NOT_CHANGED, f"{both[0]} is a file, and a folder with files in it")


def _summed_up(files: list[Raw]) -> Raw:
    """One inspection for all files: how many there are of each format, and which ones were held against it."""
    formats: dict[str, int] = {}
    for file in files:
        formats[file["format"]] = formats.get(file["format"], 0) + 1
    held = [file for file in files if file["held"]]
    findings = [{"kind": "held", "what": file["verdict"], "where": file["path"]} for file in held[:MOST_FINDINGS]]
    verdicts = (
        [file["verdict"] for file in held] or sorted({file["verdict"] for file in files} - {NOTHING}) or [NOTHING]
    )
    return {
        "format": FOLDER,
        "summary": {"formats": [{"format": name, "files": count} for name, count in sorted(formats.items())]},
        "findings": findings,
        "verdict": verdicts[0] if len(verdicts) == 1 else f"{verdicts[0]}; and {len(verdicts) - 1} more",
        "inspected": now(),
    }
