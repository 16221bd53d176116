"""The content of a version of a model as an artifact: the address of its bytes. It has no record until a client sets a
field that the version does not have. Its serial is that of the version, and its name that of the model. `uri` is empty
where the catalog stores the bytes: each dialect has an address of its own for them.
"""

from collections.abc import Iterable

from catalog.domain.access import Caller, may_change
from catalog.domain.tracking import models, records
from catalog.domain.versions import version_changes
from catalog.domain.versions.details import is_address
from catalog.domain.versions.files.version_files import has_files
from catalog.domain.versions.version_changes import VersionChange
from catalog.errors import CANNOT_MODIFY, INVALID_FIELD, NOT_FOUND, Refused
from catalog.store.derived.reader_copies import copied
from catalog.store.documents.tracking import ArtifactDocument
from catalog.store.records import ArtifactRecord, ItemRecord, VersionRecord
from catalog.store.tenant import Tenant
from catalog.vocabulary import ArtifactState, ArtifactType, Kind

LONGEST_URI = 8192  # characters

ATTEMPTS = 20
"""How often an address is written that other changes keep overtaking."""


def of_version(version: VersionRecord, item: ItemRecord) -> ArtifactRecord | None:
    """The content of a version; None of a version that does not say where its bytes are."""
    if has_no_address(version):
        return None
    serial = version.get("serial") or 0
    return {
        "_id": version["_id"],
        "serial": serial,
        "name": item["name"],
        "owner": version["owner"],
        "own_readers": [],
        "readers": copied(item["readers"]),
        "items": [version["item"]],
        "experiments": [],
        "keys": [records.name_key(f"{version['_id']}:{ArtifactType.MODEL}", item["name"])],
        "description": "",
        "metadata": [],
        "timestamp": version["timestamp"],
        "lastmod": version["lastmod"],
        "revision": 1,
        "type": ArtifactType.MODEL.value,
        "versions": [version["_id"]],
        "runs": [],
        "uri": version.get("uri", ""),
        "state": ArtifactState.LIVE.value,
        "details": {},
    }


async def named(caller: Caller, version: int, name: str) -> list[ArtifactRecord]:
    """The content of a version of this serial, if its model has this name now: clients ask for it by that name, also
    after the model was renamed.
    """
    try:
        found, item = await models.read_version_and_model(caller, version)
    except Refused:
        return []
    if item["name"] != name:
        return []
    record = await caller.tenant.artifacts.records.find_one({"serial": version, "versions": found["_id"]})
    content = record or of_version(found, item)
    return [content] if content else []


async def read(caller: Caller, serial: int) -> ArtifactRecord:
    """The content of the version of this serial. Raises Refused: NOT_FOUND."""
    try:
        version, item = await models.read_version_and_model(caller, serial)
    except Refused:
        raise Refused(NOT_FOUND, f"artifact {serial} not found") from None
    content = of_version(version, item)
    if content is None or await caller.tenant.artifacts.records.find_one({"serial": serial}, {"_id": 1}):
        raise Refused(NOT_FOUND, f"artifact {serial} not found")
    return content


async def without_records(tenant: Tenant, contents: Iterable[ArtifactRecord]) -> list[ArtifactRecord]:
    """Those that have no record of their own."""
    found = {content["serial"]: content for content in contents}
    if not found:
        return []
    async for record in tenant.artifacts.records.find({"serial": {"$in": list(found)}}, {"serial": 1}):
        found.pop(record["serial"], None)
    return list(found.values())


def has_no_address(version: VersionRecord | None) -> bool:
    """Whether a version says nowhere where its bytes are."""
    return version is not None and not has_files(version) and not version.get("uri")


async def is_open(tenant: Tenant, version: VersionRecord | None) -> bool:
    """Whether a version has neither bytes nor a model artifact that says where they are."""
    if version is None or not has_no_address(version):
        return False
    return await tenant.artifacts.records.find_one({"serial": version.get("serial")}, {"_id": 1}) is None


async def stored(caller: Caller, content: ArtifactRecord) -> ArtifactRecord:
    """Give the content of a version a record of its own, so that it can change, and return that."""
    document = ArtifactDocument(**{name: value for name, value in content.items() if name != "_id"})
    try:
        return await records.insert(caller.tenant.artifacts, document)
    except Refused:
        there = await caller.tenant.artifacts.records.find_one({"serial": content["serial"]})
        if there is None:
            raise
        return there


async def set_address(caller: Caller, item: ItemRecord, version: VersionRecord, uri: str) -> None:
    """Say in a version where its bytes are. A text that is no address stays with the artifact alone."""
    address = uri if is_address(uri) else ""
    if address != version.get("uri", ""):
        if not may_change(caller, item):
            raise Refused(CANNOT_MODIFY, item["name"])
        await version_changes.change_read(caller, Kind.MODEL, version, VersionChange(uri=address))


async def refuse_address(caller: Caller, artifact: ArtifactRecord) -> None:
    """Raises Refused: INVALID_FIELD for the content of a version whose bytes the catalog stores."""
    version = await caller.tenant.versions.records.find_one({"serial": artifact["serial"]})
    if version is not None and has_files(version):
        raise Refused(INVALID_FIELD, "uri: the files of this version are stored here, so its address does not change")


async def follow_address(caller: Caller, artifact: ArtifactRecord) -> None:
    """After the address of an artifact has changed: the version has it, too, if the artifact is its content.

    Another change, also on another server, may write an older address after this one, so the artifact is read again.
    """
    tenant, current = caller.tenant, artifact
    for _ in range(ATTEMPTS):
        version = await tenant.versions.records.find_one({"serial": current["serial"]})
        item = version and await tenant.models.records.find_one({"_id": version["item"]})
        if version is None or item is None or version["_id"] not in current["versions"]:
            return
        await set_address(caller, item, version, current["uri"])
        written, current = current, await tenant.artifacts.records.find_one({"_id": artifact["_id"]}) or current
        if written["uri"] == current["uri"]:
            return
