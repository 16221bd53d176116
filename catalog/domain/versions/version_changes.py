"""Changes of a version: its description, its metadata, whether it is live. Its files never change."""

from collections.abc import Collection
from dataclasses import dataclass

from catalog.domain.access import Caller
from catalog.domain.items import items
from catalog.domain.items.inputs import MetadataChange
from catalog.domain.items.lists import changed_metadata
from catalog.domain.items.references import Reference
from catalog.domain.limits import LIMITS, Limits
from catalog.domain.validation import Validator
from catalog.domain.versions import lookup, versions
from catalog.errors import NOT_CHANGED, NOT_FOUND, STALE, Refused
from catalog.store.documents import now
from catalog.store.optimistic import RecordGoneError, revise
from catalog.store.records import Changes, VersionRecord
from catalog.vocabulary import Kind, VersionState

STATES = (VersionState.LIVE, VersionState.ARCHIVED)
"""The states that a client gives a version."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionChange:
    """Changes to a version. What is None stays as it is."""

    description: str | None = None
    metadata: MetadataChange | None = None
    state: VersionState | None = None

    def check(self, limits: Limits) -> None:
        """Raises Refused: NOT_CHANGED."""
        check = Validator(NOT_CHANGED, limits)
        if self.description is not None:
            check.description(self.description)
        if self.metadata is not None:
            check.pairs_in_change("metadata.remove", self.metadata.remove)
            check.pairs_in_change("metadata.add", self.metadata.add)
        if self.state is not None and self.state not in STATES:
            check.refuse(f"state: {' or '.join(STATES)} is needed")


async def change(
    caller: Caller,
    kind: Kind,
    reference: Reference,
    wanted: VersionChange,
    limits: Limits = LIMITS,
    *,
    revisions: Collection[int] | None = None,
) -> VersionRecord:
    """Change a version, and return it as it is then.

    With `revisions`, the version must still have one of them.

    Raises Refused: NOT_FOUND, CANNOT_MODIFY, NOT_CHANGED, STALE, BUSY, VERSION_DRAFT for the state of a draft,
    QUARANTINED for the state of a version that only an administrator releases.
    """
    wanted.check(limits)
    item = await items.changeable(caller, kind, reference)
    version = await lookup.find(caller, item, reference.which)
    records = caller.tenant.versions.records

    async def read() -> VersionRecord | None:
        return await records.find_one({"_id": version["_id"]})

    async def fields(version: VersionRecord) -> Changes:
        if revisions is not None and version["revision"] not in revisions:
            raise Refused(STALE, f"another revision was seen, it is {version['revision']} now")
        return _changed_fields(caller, version, wanted, limits)

    try:
        changed = (await revise(records, read, fields, first=version)).after
    except RecordGoneError:
        raise Refused(NOT_FOUND, version["ordinal"]) from None
    await versions.touch(caller.tenant, kind, item["_id"])
    return changed


def _changed_fields(caller: Caller, version: VersionRecord, wanted: VersionChange, limits: Limits) -> Changes:
    """Raises Refused: NOT_CHANGED, VERSION_DRAFT, QUARANTINED."""
    fields: Changes = {"lastmod": now()}
    if wanted.description is not None:
        fields["description"] = wanted.description
    if wanted.metadata is not None:
        fields["metadata"] = changed_metadata(version["metadata"], wanted.metadata, limits.metadata)
    if wanted.state is not None:
        versions.refuse_draft(version)
        versions.refuse_quarantined(version, caller)
        fields["state"] = wanted.state.value
    return fields
