"""Artifacts of versions and runs, and those that stand alone."""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from bson import ObjectId
from litestar import Response

from catalog.dialects.http.encoded import StructFields
from catalog.dialects.kubeflow.addresses import is_ours, uri_of
from catalog.dialects.kubeflow.filters.properties import ARTIFACTS
from catalog.dialects.kubeflow.models.artifacts import SHOWN, ArtifactBody, ModelArtifactInput, ShownArtifact
from catalog.dialects.kubeflow.models.common import serial_of
from catalog.dialects.kubeflow.models.lists import EncodedPage
from catalog.dialects.kubeflow.pages import filter_of, list_parameters, merged, page_of, serials_of
from catalog.dialects.kubeflow.requests import ARTIFACT_TYPES, KubeflowCall, answer
from catalog.domain.tracking import artifact_parents, artifacts, contents, models
from catalog.domain.tracking.access import listed_to, readable
from catalog.domain.tracking.artifact_parents import Parent
from catalog.domain.tracking.artifacts import ArtifactChange
from catalog.errors import INVALID_FIELD, INVALID_QUERY, NOT_FOUND, Refused
from catalog.store.query.filters.filter import Filter
from catalog.store.query.filters.matching import matcher
from catalog.store.query.paging.keysets import Keep, walk
from catalog.store.query.paging.pages import Listing
from catalog.store.records import ArtifactRecord, Query, VersionRecord
from catalog.store.tenant import VERSION_SERIAL
from catalog.vocabulary import ArtifactType

CREATED, REPLACED = 201, 200
ANSWERED_AS_NEW = (ArtifactType.MODEL, ArtifactType.DOCUMENT)
"""New artifacts of these types are answered with 201, others with 200."""


def finds(*types: ArtifactType) -> Callable[[KubeflowCall], Awaitable[ShownArtifact]]:
    """A search for one artifact, of a type if one is given."""

    async def find(call: KubeflowCall) -> ShownArtifact:
        name, parent, external_id = call.keys_in_parent()
        found = await artifacts.find(
            call.caller, name=name, parent=parent, external_id=external_id, type_=types[0] if types else None
        )
        return await _shown(call, found)

    return find


def lists(*types: ArtifactType) -> Callable[[KubeflowCall], Awaitable[EncodedPage]]:
    """A list of all artifacts, of a type if one is given."""

    async def list_(call: KubeflowCall) -> EncodedPage:
        type_ = types[0] if types else _type_parameter(call)
        query: Query = {"type": type_.value} if type_ else {}
        access = await listed_to(call.caller)
        top = await call.caller.tenant.recent(VERSION_SERIAL)
        with_contents = type_ in {None, ArtifactType.MODEL}
        versions = models.COMPLETE | await listed_to(call.caller, "item") if with_contents else None
        return await _listed(call, query | access, versions, top=top)

    return list_


async def list_of_version(call: KubeflowCall) -> EncodedPage:
    """The list is empty for a version that does not exist or that the caller may not read."""
    key = await models.readable_version(call.caller, call.serial)
    type_ = _type_parameter(call)
    with_contents = key is not None and type_ in {None, ArtifactType.MODEL}
    query = {"versions": key, **_named(call, type_)}
    return await _listed(call, query, {"_id": key, **models.COMPLETE} if with_contents else None)


async def list_of_run(call: KubeflowCall) -> EncodedPage:
    run = await call.caller.tenant.runs.records.find_one({"serial": call.serial})
    if run is None or not await readable(call.caller, [run]):
        raise Refused(NOT_FOUND, f"run {call.serial} not found")
    return await _listed(call, {"runs": run["_id"], **_named(call, _type_parameter(call))}, None)


def creates(
    body_of: Callable[[KubeflowCall], Awaitable[ArtifactBody]],
) -> Callable[[KubeflowCall], Awaitable[ShownArtifact]]:
    async def create(call: KubeflowCall) -> ShownArtifact:
        new = (await body_of(call)).as_input()
        return await _shown(
            call, await artifacts.create(call.caller, new, call.limits, call.services.default_visibility)
        )

    return create


def reads(*types: ArtifactType) -> Callable[[KubeflowCall], Awaitable[ShownArtifact]]:
    async def read(call: KubeflowCall) -> ShownArtifact:
        found = await artifacts.read(call.caller, call.serial)
        _refuse_others(found, types)
        return await _shown(call, found)

    return read


def updates(
    body_of: Callable[[KubeflowCall], Awaitable[ArtifactBody]], *types: ArtifactType
) -> Callable[[KubeflowCall], Awaitable[ShownArtifact]]:
    async def update(call: KubeflowCall) -> ShownArtifact:
        body = await body_of(call)
        found = await artifacts.read(call.caller, call.serial)
        _refuse_others(found, types)
        requested = _without_our_address(found, body).as_change(found["metadata"])
        return await _shown(call, await artifacts.change(call.caller, call.serial, requested, call.limits))

    return update


async def upsert_of_version(call: KubeflowCall) -> Response[bytes]:
    body = await any_body(call)  # first: while it arrives, the caller may lose the right to the model
    return await _upserted(call, body, await artifact_parents.version_parent(call.caller, call.serial))


async def upsert_of_run(call: KubeflowCall) -> Response[bytes]:
    body = await any_body(call)
    return await _upserted(call, body, await artifact_parents.run_parent(call.caller, call.serial))


async def any_body(call: KubeflowCall) -> ArtifactBody:
    body: ArtifactBody = await call.body(call.api.artifact_body)
    return body


async def model_artifact_body(call: KubeflowCall) -> ArtifactBody:
    body: ArtifactBody = await call.body(ModelArtifactInput)
    return body


async def _upserted(call: KubeflowCall, body: ArtifactBody, parent: Parent) -> Response[bytes]:
    if body.id:
        serial = serial_of(body.id)
        requested = await _change_of(call, serial, body)
        changed = await artifacts.link(call.caller, parent, serial, requested, call.limits)
        return answer(call, await _shown(call, changed), REPLACED)
    record, is_new = await artifacts.add(call.caller, parent, body.as_input(), call.limits)
    is_created = is_new and body.type in ANSWERED_AS_NEW
    return answer(call, await _shown(call, record), CREATED if is_created else REPLACED)


async def _change_of(call: KubeflowCall, serial: int, body: ArtifactBody) -> ArtifactChange:
    """The body of an existing artifact as a change of it."""
    try:
        found = await artifacts.read(call.caller, serial)
    except Refused:  # what follows says why
        return body.as_change(())
    return _without_our_address(found, body).as_change(found["metadata"])


async def _listed(call: KubeflowCall, query: Query, versions: Query | None, *, top: int | None = None) -> EncodedPage:
    """Artifacts with a record, and the contents of versions that have none."""
    tenant, parameters, filters = (
        call.caller.tenant,
        list_parameters(call),
        (await filter_of(call, ARTIFACTS)).of_document,
    )

    walks = [
        await walk(
            Listing.of(tenant.artifacts.records, query, filters, parameters.order, top=top),
            parameters.key,
            parameters.limit,
            partial(readable, call.caller),
        )
    ]
    if versions is not None:
        of_versions = Listing(tenant.versions.records, versions, parameters.order, top=top)
        walks.append(await walk(of_versions, parameters.key, parameters.limit, _contents(call, query, filters)))
    found = walks[0] if len(walks) == 1 else merged(walks, parameters.order, parameters.limit)
    return await page_of(parameters, found, lambda records: _all_shown(call, records))


def _contents(call: KubeflowCall, query: Query, filters: Filter) -> Keep[VersionRecord, ArtifactRecord]:
    """Turns versions into their contents, where these match and have no record."""
    named = {name: value for name, value in query.items() if name in {"name", "external_id"}}
    tests = [matcher(each) for each in (filters.query, named) if each]
    tests += [filters.matches] if filters.matches else []

    async def keep(batch: list[VersionRecord]) -> list[ArtifactRecord]:
        items = await models.readable(call.caller, {version["item"] for version in batch})
        found = [
            content
            for version in batch
            if version["item"] in items and (content := contents.of_version(version, items[version["item"]]))
        ]
        matching = [content for content in found if all(test(content) for test in tests)]
        return await contents.without_records(call.caller.tenant, matching)

    return keep


def _named(call: KubeflowCall, type_: ArtifactType | None) -> Query:
    query: Query = {"type": type_.value} if type_ else {}
    if name := call.query("name"):
        return query | {"name": name}
    if external_id := call.query("externalId"):
        return query | {"external_id": external_id}
    return query


def _type_parameter(call: KubeflowCall) -> ArtifactType | None:
    text = call.query("artifactType")
    if not text:
        return None
    try:
        return ArtifactType(text)
    except ValueError:
        raise Refused(INVALID_QUERY, f"invalid artifact type, must be either {ARTIFACT_TYPES}") from None


def _refuse_others(found: ArtifactRecord, types: Sequence[ArtifactType]) -> None:
    """Raises Refused: NOT_FOUND."""
    if types and found["type"] not in types:
        raise Refused(NOT_FOUND, f"{types[0]} {found['serial']} not found")


def _without_our_address(found: ArtifactRecord, body: ArtifactBody) -> ArtifactBody:
    """Clients send back what they were shown: the address of files that we store is not stored."""
    if found["uri"] or body.uri is None or not is_ours(body.uri, found):
        return body
    body.uri = None
    return body


async def _shown(call: KubeflowCall, record: ArtifactRecord) -> ShownArtifact:
    return (await _all_shown(call, [record]))[0]


async def _all_shown(call: KubeflowCall, records: Sequence[ArtifactRecord]) -> list[ShownArtifact]:
    tenant = call.caller.tenant
    runs = await serials_of(tenant.runs.records, [record.get("run") for record in records])
    experiments = await serials_of(
        tenant.experiments.records, [key for record in records if record.get("run") for key in record["experiments"]]
    )
    own = [record for record in records if record["type"] == ArtifactType.MODEL and not record["uri"]]
    uris = await uri_of(call, own) if own else {}
    return [_shape(call, record, runs, experiments, uris) for record in records]


def _shape(
    call: KubeflowCall,
    record: ArtifactRecord,
    runs: dict[ObjectId, int],
    experiments: dict[ObjectId, int],
    uris: dict[int, str],
) -> ShownArtifact:
    type_ = ArtifactType(record["type"])
    shown = call.api.metric if type_ is ArtifactType.METRIC else SHOWN[type_]
    more: StructFields = {"uri": uris[record["serial"]]} if record["serial"] in uris else {}
    run = record.get("run")
    if call.api.has_experiments and run in runs:
        more["experiment_run_id"] = str(runs[run])
        serials = [experiments[key] for key in record["experiments"] if key in experiments]
        more |= {"experiment_id": str(serials[0])} if serials else {}
    if type_ is ArtifactType.METRIC and "value" not in record["details"]:
        raise Refused(INVALID_FIELD, "metric value is required")
    return shown.of(record, more)
