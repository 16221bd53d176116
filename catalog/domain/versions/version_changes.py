"""Changes to the fields of a version, and to whether it is archived. Its files never change.

`archived` is the rule of lists. The state of a complete version that is not in quarantine says the same: `ARCHIVED` or
`LIVE`. Setting one of them sets the other.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from catalog.domain.access import Caller
from catalog.domain.items import items
from catalog.domain.items.inputs import MetadataChange
from catalog.domain.items.references import Reference
from catalog.domain.items.writing.lists import changed_metadata
from catalog.domain.limits import LIMITS, Limits
from catalog.domain.lineage.inputs import InputReference, resolve
from catalog.domain.validation import Validator
from catalog.domain.versions import insertion, lookup, reading, touching
from catalog.domain.versions.details import TrainingRun, check_lines, external_id_taken
from catalog.domain.versions.files.version_files import has_files
from catalog.errors import NOT_CHANGED, NOT_FOUND, Refused
from catalog.store.clock import later_than
from catalog.store.concurrency.optimistic import RecordGoneError, refuse_stale, revise
from catalog.store.failures import Duplicate
from catalog.store.records import Changes, VersionRecord
from catalog.vocabulary import Kind, Stage, VersionState

STATES = (VersionState.LIVE, VersionState.ARCHIVED)
"""The states that a client gives a version."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionChange:
    """Changes to a version. What is None stays as it is."""

    description: str | None = None
    metadata: MetadataChange | None = None
    state: VersionState | None = None
    author: str | None = None
    stage: Stage | None = None
    stage_turn: int | None = None  # of a stage that is taken over, see `stages`
    archived: bool | None = None
    pinned: bool | None = None  # no retention policy removes it
    external_id: str | None = None  # empty: none any more
    run: TrainingRun | None = None  # without both fields: none any more
    uri: str | None = None  # of a version without files
    made_from: Sequence[InputReference] | None = None  # they replace the inputs that it has, see domain.lineage

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
        if None not in (self.state, self.archived) and self.archived is not (self.state is VersionState.ARCHIVED):
            check.refuse("state and archived say the opposite")
        check_lines(check, author=self.author, external_id=self.external_id, run=self.run, uri=self.uri)


async def change(
    caller: Caller,
    kind: Kind,
    reference: Reference,
    requested: VersionChange,
    limits: Limits = LIMITS,
    *,
    revisions: Collection[int] | None = None,
) -> VersionRecord:
    """Change a version, and return it as it is then.

    With `revisions`, the version must still have one of them.

    Raises Refused: NOT_FOUND, CANNOT_MODIFY, NOT_CHANGED, STALE, BUSY, VERSION_DRAFT for the state of a draft,
    QUARANTINED for the state of a version that only an administrator releases, EXTERNAL_ID_TAKEN.
    """
    item = await items.changeable(caller, kind, reference)
    version = await lookup.find(caller, item, reference.which)
    return await change_read(caller, kind, version, requested, limits, revisions=revisions)


async def change_read(
    caller: Caller,
    kind: Kind,
    version: VersionRecord,
    requested: VersionChange,
    limits: Limits = LIMITS,
    *,
    revisions: Collection[int] | None = None,
) -> VersionRecord:
    """The same, of a version that was read a moment ago and that the caller may change."""
    requested.check(limits)
    records = caller.tenant.versions.records
    inputs = None if requested.made_from is None else await resolve(caller, requested.made_from, NOT_CHANGED)

    async def read() -> VersionRecord | None:
        return await records.find_one({"_id": version["_id"]})

    async def fields(version: VersionRecord) -> Changes:
        refuse_stale(version["revision"], revisions)
        changed = _changed_fields(caller, version, requested, limits)
        return changed if inputs is None else changed | {"inputs": [each.model_dump() for each in inputs]}

    try:
        before, changed = await revise(records, read, fields, first=version)
    except Duplicate:
        raise external_id_taken(requested.external_id or "") from None
    except RecordGoneError:
        raise Refused(NOT_FOUND, version["ordinal"]) from None
    is_summarized = any(before.get(field) != changed.get(field) for field in touching.SUMMARIZED)
    await touching.touch(caller.tenant, kind, version["item"], is_summarized=is_summarized)
    return changed


def _changed_fields(caller: Caller, version: VersionRecord, requested: VersionChange, limits: Limits) -> Changes:
    """Raises Refused: NOT_CHANGED, VERSION_DRAFT, QUARANTINED."""
    fields: Changes = {"lastmod": later_than(version["lastmod"])}
    for field in ("description", "author", "pinned", "stage_turn"):
        if (value := getattr(requested, field)) is not None:
            fields[field] = value
    if requested.stage is not None:
        fields["stage"] = requested.stage.value
    if requested.external_id is not None:
        fields["external_id"] = requested.external_id or None
    if requested.run is not None:
        fields["run"] = requested.run.record()
    if requested.uri is not None:
        _refuse_uri(version)
        fields["uri"] = requested.uri
    if requested.metadata is not None:
        fields["metadata"] = changed_metadata(version["metadata"], requested.metadata, limits.metadata)
    if requested.state is not None:
        reading.refuse_draft(version)
        reading.refuse_quarantined(version, caller)
        fields |= _state_fields(archived=requested.state is VersionState.ARCHIVED)
    elif requested.archived is not None:
        is_open = version["state"] in STATES
        fields |= _state_fields(archived=requested.archived) if is_open else {"archived": requested.archived}
    return fields


def _state_fields(*, archived: bool) -> Changes:
    return {"archived": archived, "state": insertion.open_state(archived=archived).value}


def _refuse_uri(version: VersionRecord) -> None:
    """Raises Refused: NOT_CHANGED."""
    if has_files(version) or version["state"] == VersionState.DRAFT:
        raise Refused(NOT_CHANGED, "uri: a version with files has none")
