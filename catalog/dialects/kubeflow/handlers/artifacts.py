"""Artifacts of versions and runs, and those that stand alone."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from bson import ObjectId
from litestar import Response

from catalog.dialects.kubeflow.addresses import is_ours, uri_of
from catalog.dialects.kubeflow.filters.properties import ARTIFACTS
from catalog.dialects.kubeflow.models.artifacts import SHOWN, ArtifactBody, ModelArtifactInput, ShownArtifact
from catalog.dialects.kubeflow.models.common import serial_of
from catalog.dialects.kubeflow.models.lists import ResourcePage
from catalog.dialects.kubeflow.pages import asked_of, filter_of, merged, page_of
from catalog.dialects.kubeflow.requests import ARTIFACT_TYPES, Ask, answer, refuse_without_keys
from catalog.domain.tracking import artifacts, contents, models
from catalog.domain.tracking.access import listed_to, readable
from catalog.domain.tracking.artifacts import Parent
from catalog.errors import INVALID_FIELD, INVALID_QUERY, NOT_FOUND, Refused
from catalog.store.query.filters.filter import Filter
from catalog.store.query.filters.matching import matcher
from catalog.store.query.paging.keysets import Walk, walk
from catalog.store.query.paging.pages import Listing
from catalog.store.records import ArtifactRecord, Query
from catalog.store.tenant import VERSION_SERIAL
from catalog.store.tenant_documents import Raw
from catalog.vocabulary import ArtifactType

CREATED, REPLACED = 201, 200
ANSWERED_AS_NEW = (ArtifactType.MODEL, ArtifactType.DOCUMENT)
"""New artifacts of these types are answered with 201, others with 200."""


def finds(*types: ArtifactType) -> Callable[[Ask], Awaitable[ShownArtifact]]:
    """A search for one artifact, of a type if one is given."""

    async def find(ask: Ask) -> ShownArtifact:
        name, parent, external_id = ask.query("name"), ask.parent(), ask.query("externalId")
        refuse_without_keys(name and parent, external_id)
        found = await artifacts.find(
            ask.caller, name=name, parent=parent, external_id=external_id, type_=types[0] if types else None
        )
        return await _shown(ask, found)

    return find


def lists(*types: ArtifactType) -> Callable[[Ask], Awaitable[ResourcePage[ShownArtifact]]]:
    """A list of all artifacts, of a type if one is given."""

    async def list_(ask: Ask) -> ResourcePage[ShownArtifact]:
        wanted = types[0] if types else _asked_type(ask)
        query: Query = {"type": wanted.value} if wanted else {}
        access = await listed_to(ask.caller)
        top = await ask.caller.tenant.recent(VERSION_SERIAL)
        with_contents = wanted in {None, ArtifactType.MODEL}
        versions = models.COMPLETE | await listed_to(ask.caller, "item") if with_contents else None
        return await _listed(ask, query | access, versions, top=top)

    return list_


async def list_of_version(ask: Ask) -> ResourcePage[ShownArtifact]:
    """A list of what is not there is empty, and so is one of what the caller may not read."""
    key = await models.readable_version(ask.caller, ask.serial)
    wanted = _asked_type(ask)
    with_contents = key is not None and wanted in {None, ArtifactType.MODEL}
    query = {"versions": key, **_named(ask, wanted)}
    return await _listed(ask, query, {"_id": key, **models.COMPLETE} if with_contents else None)


async def list_of_run(ask: Ask) -> ResourcePage[ShownArtifact]:
    run = await ask.caller.tenant.runs.records.find_one({"serial": ask.serial})
    if run is None or not await readable(ask.caller, [run]):
        raise Refused(NOT_FOUND, f"run {ask.serial} not found")
    return await _listed(ask, {"runs": run["_id"], **_named(ask, _asked_type(ask))}, None)


def creates(body_of: Callable[[Ask], Awaitable[ArtifactBody]]) -> Callable[[Ask], Awaitable[ShownArtifact]]:
    async def create(ask: Ask) -> ShownArtifact:
        new = (await body_of(ask)).as_input()
        return await _shown(ask, await artifacts.create(ask.caller, new, ask.limits, ask.services.default_visibility))

    return create


def reads(*types: ArtifactType) -> Callable[[Ask], Awaitable[ShownArtifact]]:
    async def read(ask: Ask) -> ShownArtifact:
        found = await artifacts.read(ask.caller, ask.serial)
        _refuse_others(found, types)
        return await _shown(ask, found)

    return read


def updates(
    body_of: Callable[[Ask], Awaitable[ArtifactBody]], *types: ArtifactType
) -> Callable[[Ask], Awaitable[ShownArtifact]]:
    async def update(ask: Ask) -> ShownArtifact:
        body = await body_of(ask)
        found = await artifacts.read(ask.caller, ask.serial)
        _refuse_others(found, types)
        wanted = _without_our_address(found, body).as_change(found["metadata"])
        return await _shown(ask, await artifacts.change(ask.caller, ask.serial, wanted, ask.limits))

    return update


async def upsert_of_version(ask: Ask) -> Response[bytes]:
    body = await any_body(ask)  # first: while it arrives, the caller may lose the right to the model
    return await _upserted(ask, body, await artifacts.version_parent(ask.caller, ask.serial))


async def upsert_of_run(ask: Ask) -> Response[bytes]:
    body = await any_body(ask)
    return await _upserted(ask, body, await artifacts.run_parent(ask.caller, ask.serial))


async def any_body(ask: Ask) -> ArtifactBody:
    body: ArtifactBody = await ask.body(ask.api.artifact_body)
    return body


async def model_artifact_body(ask: Ask) -> ArtifactBody:
    body: ModelArtifactInput = await ask.body(ModelArtifactInput)
    return body.body()


async def _upserted(ask: Ask, body: ArtifactBody, parent: Parent) -> Response[bytes]:
    if body.id:
        serial = serial_of(body.id)
        before = await ask.caller.tenant.artifacts.records.find_one({"serial": serial}, {"metadata": 1, "serial": 1})
        wanted = body.as_change(before["metadata"] if before else ())
        changed = await artifacts.link(ask.caller, parent, serial, wanted, ask.limits)
        return answer(ask, await _shown(ask, changed), REPLACED)
    record, is_new = await artifacts.add(ask.caller, parent, body.as_input(), ask.limits)
    is_created = is_new and body.type in ANSWERED_AS_NEW
    return answer(ask, await _shown(ask, record), CREATED if is_created else REPLACED)


async def _listed(
    ask: Ask, query: Query, versions: Query | None, *, top: int | None = None
) -> ResourcePage[ShownArtifact]:
    """Artifacts with a record, and the contents of versions that have none."""
    tenant, asked, wanted = ask.caller.tenant, asked_of(ask), await filter_of(ask, ARTIFACTS)

    async def keep(batch: list[Raw]) -> list[Raw]:
        return await readable(ask.caller, batch)  # type: ignore[type-var]

    walks = [
        await walk(Listing.of(tenant.artifacts.raw, query, wanted, asked.order, top=top), asked.key, asked.limit, keep)
    ]
    if versions is not None:
        of_versions = Listing(tenant.versions.raw, versions, asked.order, top=top)
        walks.append(await walk(of_versions, asked.key, asked.limit, _contents(ask, query, wanted)))
    found: Walk = walks[0] if len(walks) == 1 else merged(walks, asked.order, asked.limit)
    return await page_of(asked, found, lambda records: _all_shown(ask, records))


def _contents(ask: Ask, query: Query, wanted: Filter) -> Callable[[list[Raw]], Awaitable[list[Any]]]:
    """Turns versions into their contents, where these match and have no record."""
    named = {name: value for name, value in query.items() if name in {"name", "external_id"}}
    tests = [matcher(each) for each in (wanted.query, named) if each]
    tests += [wanted.matches] if wanted.matches else []

    async def keep(batch: list[Raw]) -> list[Any]:
        items = await models.readable(ask.caller, {version["item"] for version in batch})
        found = [
            content
            for version in batch
            if version["item"] in items and (content := contents.of_version(version, items[version["item"]]))  # type: ignore[arg-type]
        ]
        matching = [content for content in found if all(test(content) for test in tests)]
        return list(await contents.without_records(ask.caller.tenant, matching))

    return keep


def _named(ask: Ask, type_: ArtifactType | None) -> Query:
    query: Query = {"type": type_.value} if type_ else {}
    if name := ask.query("name"):
        return query | {"name": name}
    if external_id := ask.query("externalId"):
        return query | {"external_id": external_id}
    return query


def _asked_type(ask: Ask) -> ArtifactType | None:
    text = ask.query("artifactType")
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


async def _shown(ask: Ask, record: ArtifactRecord) -> ShownArtifact:
    return (await _all_shown(ask, [record]))[0]


async def _all_shown(ask: Ask, records: Sequence[ArtifactRecord]) -> list[ShownArtifact]:
    tenant = ask.caller.tenant
    runs = await _serials(tenant.runs.records, [record.get("run") for record in records])
    experiments = await _serials(
        tenant.experiments.records, [key for record in records if record.get("run") for key in record["experiments"]]
    )
    own = [record for record in records if record["type"] == ArtifactType.MODEL and not record["uri"]]
    uris = await uri_of(ask, own) if own else {}
    return [_shape(ask, record, runs, experiments, uris) for record in records]


def _shape(
    ask: Ask,
    record: ArtifactRecord,
    runs: dict[ObjectId, int],
    experiments: dict[ObjectId, int],
    uris: dict[int, str],
) -> ShownArtifact:
    type_ = ArtifactType(record["type"])
    shown = ask.api.metric if type_ is ArtifactType.METRIC else SHOWN[type_]
    more: dict[str, Any] = {"uri": uris[record["serial"]]} if record["serial"] in uris else {}
    run = record.get("run")
    if ask.api.has_experiments and run in runs:
        more["experiment_run_id"] = str(runs[run])
        serials = [experiments[key] for key in record["experiments"] if key in experiments]
        more |= {"experiment_id": str(serials[0])} if serials else {}
    if type_ is ArtifactType.METRIC and "value" not in record["details"]:
        raise Refused(INVALID_FIELD, "metric value is required")
    return shown.of(record, **more)


async def _serials(collection: Any, keys: Sequence[ObjectId | None]) -> dict[ObjectId, int]:
    wanted = list({key for key in keys if key})
    if not wanted:
        return {}
    return {found["_id"]: found["serial"] async for found in collection.find({"_id": {"$in": wanted}}, {"serial": 1})}
