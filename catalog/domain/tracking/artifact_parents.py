"""Parents of artifacts: versions of models, and runs."""

from typing import NamedTuple

from bson import ObjectId

from catalog.domain.access import Caller, may_change
from catalog.domain.tracking import models, records
from catalog.domain.tracking.records import name_key
from catalog.errors import CANNOT_MODIFY, Refused
from catalog.store.derived.reader_copies import copied
from catalog.store.records import ArtifactRecord, Changes, ExperimentRunRecord, ItemRecord, VersionRecord
from catalog.vocabulary import ArtifactType


class Parent(NamedTuple):
    """What an artifact is added to: a version of a model, or a run."""

    version: VersionRecord | None = None
    item: ItemRecord | None = None
    run: ExperimentRunRecord | None = None

    @property
    def id(self) -> ObjectId:
        record = self.version or self.run
        assert record is not None
        return record["_id"]

    @property
    def readers(self) -> list[ObjectId | str]:
        record = self.item or self.run
        assert record is not None
        return record["readers"]

    def key(self, of: ArtifactType, name: str) -> str:
        return name_key(f"{self.id}:{of}", name)

    def fields(self) -> dict[str, list[ObjectId]]:
        """What the record says of it."""
        if self.run:
            return {"runs": [self.run["_id"]], "experiments": [self.run["experiment"]]}
        return {"versions": [self.id], "items": [self.item["_id"]] if self.item else []}


async def version_parent(caller: Caller, serial: int) -> Parent:
    """A version that the caller may add artifacts to. Raises Refused: NOT_FOUND, CANNOT_MODIFY."""
    version, item = await models.read_version_and_model(caller, serial)
    if not may_change(caller, item):
        raise Refused(CANNOT_MODIFY, f"version {serial}")
    return Parent(version=version, item=item)


async def run_parent(caller: Caller, serial: int) -> Parent:
    """A run that the caller may add artifacts to. Raises Refused: NOT_FOUND, CANNOT_MODIFY."""
    return Parent(run=await records.changeable(caller, caller.tenant.runs, serial))


def linked_fields(current: ArtifactRecord, parent: Parent, changed: Changes) -> Changes:
    """The fields that say what an artifact belongs to, with one thing more."""
    key = parent.key(ArtifactType(current["type"]), current["name"])
    keys = changed.get("keys", current["keys"])
    lists = {
        name: [*current[name], *(each for each in ids if each not in current[name])]  # type: ignore[literal-required]
        for name, ids in parent.fields().items()
    }
    readers = {"readers": copied(current["readers"], parent.readers)}
    return {**lists, **readers, "keys": [*(each for each in keys if each[0] != "#"), *([] if key in keys else [key])]}
