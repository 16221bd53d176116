"""Each file of a folder has a record of its own. Older versions kept all of them in the record of the version."""

from bson import ObjectId

from catalog.store.migrations.progress import Progress
from catalog.store.migrations.walk import batches
from catalog.store.records import FileRecord, VersionFileRecord
from catalog.store.tenant import Tenant

AT_ONCE = 1000
"""Files that are written in one command."""


async def run(tenant: Tenant, progress: Progress) -> None:
    """Move the files of each folder. A file is in one of the two places at each moment, so no sweep takes its bytes."""
    async for versions in batches(tenant.versions, {"folder": 1, "files": {"$slice": 1}, "last_file": 1}):
        for version in versions:
            if version["folder"] and (version["files"] or "last_file" not in version):
                await _move(tenant, version["_id"])
                progress.add(1)


async def _move(tenant: Tenant, version: ObjectId) -> None:
    """Move the files of one folder. May be repeated after a crash half-way."""
    whole = await tenant.versions.records.find_one({"_id": version}, {"files": 1})
    if whole is None:
        return
    files = [_numbered(version, number, file) for number, file in enumerate(whole["files"], 1)]
    for start in range(0, len(files), AT_ONCE):
        await tenant.files.insert_missing(files[start : start + AT_ONCE])
    moved = {"$set": {"files": [], "last_file": len(files)}}
    await tenant.versions.records.update_one({"_id": version, "last_file": None}, moved)


def _numbered(version: ObjectId, number: int, file: FileRecord) -> VersionFileRecord:
    """As `domain.versions.files.version_files` writes it."""
    inspected = {"format": "", "verdict": "", "held": False} | file
    return {"_id": f"{version}/{number}", "version": version, "number": number, **inspected}
