"""Artifacts: what belongs to versions and runs, or stands alone.

The content of a version of a model is an artifact, too (see `contents`). Its serial is that of the version: both are
counted together, so that no other artifact has it.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import NamedTuple, cast

from catalog.domain.access import Caller
from catalog.domain.limits import LONGEST_DESCRIPTION, LONGEST_LINK, Limits
from catalog.domain.tracking import contents, metrics, records
from catalog.domain.tracking.access import readable, refuse_change
from catalog.domain.tracking.artifact_parents import Parent, linked_fields
from catalog.domain.tracking.records import NO_CHANGE, Details, DetailsChange, name_key
from catalog.domain.validation import Validator
from catalog.errors import INVALID_FIELD, NAME_TAKEN, NOT_FOUND, Refused
from catalog.store.documents.tracking import ArtifactDocument
from catalog.store.failures import Duplicate
from catalog.store.ids import document_id
from catalog.store.records import ArtifactRecord, Changes, Value
from catalog.store.tenant import VERSION_SERIAL
from catalog.store.tenant_documents import record_of
from catalog.vocabulary import ArtifactState, ArtifactType, Visibility

REPLACED_BY_NAME = (ArtifactType.METRIC, ArtifactType.PARAMETER)
"""Of these, one of a name that a version or a run has already takes the place of the earlier one."""

TEXTS = frozenset({"source", "schema", "profile", "value"})
"""Fields of a type that may have several lines: the description of a dataset, and the value of a parameter."""

ATTEMPTS = 20
"""How often an artifact is written that others keep overtaking."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewArtifact:
    """An artifact. `values` are the fields of its type."""

    details: Details
    type: ArtifactType
    uri: str = ""
    state: ArtifactState | None = None
    values: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ArtifactChange:
    """What changes. None stays as it is, and so do the fields of its type that `values` does not have."""

    details: DetailsChange = NO_CHANGE
    type: ArtifactType | None = None  # it cannot change
    uri: str | None = None
    state: ArtifactState | None = None
    values: Mapping[str, Value] = field(default_factory=dict)


class Upserted(NamedTuple):
    artifact: ArtifactRecord
    is_new: bool


async def create(
    caller: Caller, new: NewArtifact, limits: Limits, visibility: Visibility = Visibility.PRIVATE
) -> ArtifactRecord:
    """Create an artifact that stands alone. Raises Refused: INVALID_FIELD, EXTERNAL_ID_TAKEN."""
    serial = await caller.tenant.next(VERSION_SERIAL)
    document = _document(caller, new, limits, serial, records.own_readers(caller, visibility))
    return await records.insert(caller.tenant.artifacts, document)


async def add(caller: Caller, parent: Parent, new: NewArtifact, limits: Limits) -> Upserted:
    """Add an artifact to a version or a run. A metric or a parameter replaces an earlier one of its name.

    The first model artifact of a version without bytes is its content: its address becomes the `uri` of the version.

    Raises Refused: INVALID_FIELD, NAME_TAKEN, EXTERNAL_ID_TAKEN, BUSY.
    """
    if new.type is ArtifactType.MODEL and contents.has_no_address(parent.version):
        with suppress(Duplicate):  # nearly always it is the first one, so it is written without a look
            return await _added(caller, parent, await _insert(caller, parent, new, limits, is_content=True))
    for _ in range(ATTEMPTS):
        if new.details.name and (there := await _of_name(caller, parent, new.type, new.details.name)):
            if new.type not in REPLACED_BY_NAME:
                raise Refused(NAME_TAKEN, new.details.name)
            changed = await _replace(caller, there, new, limits)
            await _keep_point(caller, parent, changed)
            return Upserted(changed, is_new=False)
        is_content = new.type is ArtifactType.MODEL and await contents.is_open(caller.tenant, parent.version)
        try:
            record = await _insert(caller, parent, new, limits, is_content=is_content)
        except Duplicate:
            await _refuse_taken(caller, parent, new)  # else another request was first, and it is looked for again
        else:
            return await _added(caller, parent, record)
    raise Refused(NAME_TAKEN, new.details.name)


async def _insert(
    caller: Caller, parent: Parent, new: NewArtifact, limits: Limits, *, is_content: bool
) -> ArtifactRecord:
    """Write an artifact; the content of a version under its serial. Raises Refused: INVALID_FIELD; Duplicate."""
    serial = parent.version["serial"] if is_content and parent.version else None
    serial = serial or await caller.tenant.next(VERSION_SERIAL)
    document = _document(caller, new, limits, serial, records.readers_of((), parent.readers), parent)
    await caller.tenant.artifacts.insert(document)
    return cast("ArtifactRecord", record_of(document))


async def _added(caller: Caller, parent: Parent, added: ArtifactRecord) -> Upserted:
    """Let the version and the history of its metric follow a new artifact."""
    if parent.version and parent.item and added["serial"] == parent.version["serial"]:
        await contents.set_address(caller, parent.item, parent.version, added["uri"])
    await _keep_point(caller, parent, added)
    return Upserted(added, is_new=True)


async def _refuse_taken(caller: Caller, parent: Parent, new: NewArtifact) -> None:
    """Raises Refused: EXTERNAL_ID_TAKEN. Of the same name and external id, a metric or a parameter is the one that was
    first.
    """
    is_there = new.details.name and await _of_name(caller, parent, new.type, new.details.name)
    refused = await records.taken(caller.tenant.artifacts, new.details.name, new.details.external_id, ())
    if refused and not is_there:
        raise refused


async def link(
    caller: Caller, parent: Parent, serial: int, requested: ArtifactChange, limits: Limits
) -> ArtifactRecord:
    """Change an artifact, and let it belong to a version or a run, too.

    Raises Refused: INVALID_FIELD for an unknown serial or another type, NOT_FOUND, CANNOT_MODIFY, NAME_TAKEN.
    """
    try:
        record = await changeable(caller, serial)
    except Refused as refused:
        raise Refused(INVALID_FIELD, f"no artifact {serial}") if refused.fault is NOT_FOUND else refused from None
    changed = await _change(caller, record, requested, limits, parent)
    await _keep_point(caller, parent, changed)
    return changed


async def change(caller: Caller, serial: int, requested: ArtifactChange, limits: Limits) -> ArtifactRecord:
    """Raises Refused: NOT_FOUND, CANNOT_MODIFY, INVALID_FIELD for another type, EXTERNAL_ID_TAKEN, BUSY."""
    return await _change(caller, await changeable(caller, serial), requested, limits)


async def read(caller: Caller, serial: int) -> ArtifactRecord:
    """Raises Refused: NOT_FOUND."""
    found = await caller.tenant.artifacts.records.find_one({"serial": serial})
    if found is None:
        return await contents.read(caller, serial)
    if not await readable(caller, [found]):
        raise Refused(NOT_FOUND, f"artifact {serial} not found")
    return found


async def find(
    caller: Caller, *, name: str = "", parent: int = 0, external_id: str = "", type_: ArtifactType | None = None
) -> ArtifactRecord:
    """The artifact of an external id, or of a name in a version or a run. Raises Refused: NOT_FOUND."""
    of_type = {"type": type_.value} if type_ else {}
    if not name:
        return await records.find_one(caller, caller.tenant.artifacts, {"external_id": external_id, **of_type})
    parents = [
        record["_id"]
        for records_ in (caller.tenant.versions.records, caller.tenant.runs.records)
        async for record in records_.find({"serial": parent}, {"_id": 1})
    ]
    types = [type_] if type_ else list(ArtifactType)
    keys = [name_key(f"{key}:{each}", name) for key in parents for each in types]
    found = await readable(
        caller, await caller.tenant.artifacts.records.find({"keys": {"$in": keys}}).to_list(len(keys) or None)
    )
    if not found and type_ in {None, ArtifactType.MODEL}:
        found = await contents.named(caller, parent, name)
    if len(found) != 1:
        raise Refused(NOT_FOUND, "artifact not found")
    return found[0]


async def changeable(caller: Caller, serial: int) -> ArtifactRecord:
    """An artifact that the caller may change; the content of a version gets a record. Raises Refused: NOT_FOUND,
    CANNOT_MODIFY.
    """
    found = await caller.tenant.artifacts.records.find_one({"serial": serial})
    if found is None:
        content = await contents.read(caller, serial)
        await refuse_change(caller, content)
        return await contents.stored(caller, content)
    await refuse_change(caller, found)
    return found


def _document(
    caller: Caller, new: NewArtifact, limits: Limits, serial: int, readers: Changes, parent: Parent | None = None
) -> ArtifactDocument:
    fields = records.new_fields(caller, new.details, limits, (), serial)
    if parent:
        fields["keys"] = [parent.key(new.type, fields["name"]), *(key for key in fields["keys"] if key[0] == "x")]
    return ArtifactDocument(
        **fields,
        **readers,
        **(parent.fields() if parent else {}),
        run=document_id(parent.run["_id"]) if parent and parent.run else None,
        type=new.type,
        uri=checked_uri(new.uri, limits),
        state=new.state or ArtifactState.UNKNOWN,
        details=_values(new.values, limits),
    )


async def _of_name(caller: Caller, parent: Parent, of: ArtifactType, name: str) -> ArtifactRecord | None:
    there = await caller.tenant.artifacts.records.find_one({"keys": parent.key(of, name)})
    if there or of is not ArtifactType.MODEL or not parent.version or not parent.item:
        return there
    content = contents.of_version(parent.version, parent.item)
    if content is None or content["name"] != name:
        return None
    other = await caller.tenant.artifacts.records.find_one({"serial": content["serial"]}, {"_id": 1})
    return None if other else content


async def _replace(caller: Caller, there: ArtifactRecord, new: NewArtifact, limits: Limits) -> ArtifactRecord:
    """A metric or a parameter takes over all that a client says of it."""
    details = DetailsChange(
        description=new.details.description or None,
        external_id=new.details.external_id or None,
        metadata=new.details.metadata or None,
    )
    requested = ArtifactChange(details=details, uri=new.uri or None, state=new.state, values=new.values)
    return await _change(caller, there, requested, limits)


async def _change(
    caller: Caller, record: ArtifactRecord, requested: ArtifactChange, limits: Limits, parent: Parent | None = None
) -> ArtifactRecord:
    if requested.type is not None and requested.type != record["type"]:
        raise Refused(
            INVALID_FIELD,
            f"cannot change artifact type from '{record['type']}' to '{requested.type}': artifact type is immutable",
        )

    if requested.uri is not None:
        await contents.refuse_address(caller, record)

    def fields(current: ArtifactRecord) -> Changes:
        values: Changes = {"uri": requested.uri, "state": requested.state and requested.state.value}
        if requested.uri is not None:
            checked_uri(requested.uri, limits)
        changed: Changes = {name: value for name, value in values.items() if value is not None}
        changed |= records.changed_fields(current, requested.details, limits)
        if requested.values:
            changed["details"] = {**current["details"], **_values(requested.values, limits)}
        return {**changed, **(linked_fields(current, parent, changed) if parent else {})}

    changed = await records.change(caller.tenant.artifacts, record, fields)
    if requested.uri is not None:
        await contents.follow_address(caller, changed)
    return changed


def checked_uri(uri: str, limits: Limits) -> str:
    """Raises Refused: INVALID_FIELD."""
    return Validator(INVALID_FIELD, limits).line("uri", uri, contents.LONGEST_URI)


def _values(values: Mapping[str, Value], limits: Limits) -> dict[str, Value]:
    check = Validator(INVALID_FIELD, limits)
    for name, value in values.items():
        if isinstance(value, str) and name in TEXTS:
            check.text(name, value, LONGEST_DESCRIPTION)
        elif isinstance(value, str):
            check.line(name, value, LONGEST_LINK)
    return dict(values)


async def _keep_point(caller: Caller, parent: Parent, artifact: ArtifactRecord) -> None:
    """Each value that a metric of a run ever had is kept."""
    if parent.run and artifact["type"] == ArtifactType.METRIC:
        await metrics.keep(caller, parent.run, artifact)
