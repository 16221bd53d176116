"""Versions of registered models, by their serials."""

from collections.abc import Sequence

from bson import ObjectId

from catalog.dialects.kubeflow.filters.properties import MODEL_VERSIONS
from catalog.dialects.kubeflow.models.common import serial_of
from catalog.dialects.kubeflow.models.lists import EncodedPage
from catalog.dialects.kubeflow.models.registry import (
    ModelVersion,
    ModelVersionCreate,
    ModelVersionOfModel,
    ModelVersionUpdate,
)
from catalog.dialects.kubeflow.pages import listed
from catalog.dialects.kubeflow.requests import KubeflowCall, repeated_while_stale
from catalog.domain.items import items
from catalog.domain.tracking import external_ids, models
from catalog.domain.tracking.access import listed_to
from catalog.domain.versions import numbering, version_changes, versions
from catalog.domain.versions.insertion import serial_ahead
from catalog.errors import INVALID_FIELD, NAME_TAKEN, NOT_CREATED, NOT_FOUND, REQUIRED_FIELD, Refused
from catalog.store.concurrency.optimistic import queue_of
from catalog.store.records import ItemRecord, Query, VersionRecord
from catalog.store.tenant import VERSION_SERIAL
from catalog.vocabulary import Kind


async def find(call: KubeflowCall) -> ModelVersion:
    name, parent, external_id = call.keys_in_parent()
    version, item = await models.find_version(call.caller, name=name, model=parent, external_id=external_id)
    return ModelVersion.of(version, item["serial"])


async def list_(call: KubeflowCall) -> EncodedPage:
    """All versions, of every model that the caller may read."""
    top = await call.caller.tenant.recent(VERSION_SERIAL)
    return await _listed(call, models.COMPLETE | await listed_to(call.caller, "item"), top=top)


async def list_of_model(call: KubeflowCall) -> EncodedPage:
    """The list is empty for a model that does not exist or that the caller may not read."""
    query: Query = {"item": await models.readable_id(call.caller, call.serial), "state": models.COMPLETE["state"]}
    if name := call.query("name"):
        query |= {"ordinal_key": name.casefold(), "ordinal": name}
    elif external_id := call.query("externalId"):
        query |= {"external_id": external_id}
    return await _listed(call, query, id_field="number")


async def _listed(call: KubeflowCall, query: Query, *, top: int | None = None, id_field: str = "serial") -> EncodedPage:
    known: dict[ObjectId, ItemRecord] = {}

    async def keep(batch: list[VersionRecord]) -> list[VersionRecord]:
        known.update(await models.readable(call.caller, {version["item"] for version in batch} - known.keys()))
        return [version for version in batch if version["item"] in known]

    async def shapes(found: Sequence[VersionRecord]) -> list[ModelVersion]:
        return [ModelVersion.of(version, known[version["item"]]["serial"]) for version in found]

    return await listed(
        call, call.caller.tenant.versions.records, query, MODEL_VERSIONS, shapes, keep=keep, top=top, id_field=id_field
    )


async def create(call: KubeflowCall) -> ModelVersion:
    new: ModelVersionCreate = await call.body(ModelVersionCreate)
    return await _created(call, new, serial_of(new.registered_model_id, "registeredModelId"))


async def upsert_of_model(call: KubeflowCall) -> ModelVersion:
    """Create a version of the model in the path or, with an `id`, change it."""
    body: ModelVersionOfModel = await call.body(ModelVersionOfModel)
    model = call.serial
    if body.registered_model_id and serial_of(body.registered_model_id, "registeredModelId") != model:
        raise Refused(INVALID_FIELD, "registeredModelId is not the id in the path")
    if not body.id:
        return await _created(call, body, model)
    version, item = await models.read_version_and_model(call.caller, serial_of(body.id))
    if item["serial"] != model:
        raise Refused(NOT_FOUND, f"version {body.id} of model {model} not found")
    return await _changed(call, version["serial"] or 0, body)


async def _created(call: KubeflowCall, new: ModelVersionCreate, model: int) -> ModelVersion:
    if not new.name:
        raise Refused(REQUIRED_FIELD, "required field 'name' is zero value.")
    caller = call.caller
    try:
        with serial_ahead(caller) as serial:
            item = await models.read(caller, model)
            async with external_ids.reserved(caller.tenant, new.external_id):
                details = new.as_details()
                _, version = await versions.register_of(caller, Kind.MODEL, item, details, call.limits, serial)
    except Refused as refused:
        if refused.fault is NOT_CREATED and await numbering.is_taken(caller.tenant, item["_id"], new.name):
            raise Refused(NAME_TAKEN, f"version {new.name} of model {model} already exists") from None
        raise
    return ModelVersion.of(version, model)


async def read(call: KubeflowCall) -> ModelVersion:
    version, item = await models.read_version_and_model(call.caller, call.serial)
    return ModelVersion.of(version, item["serial"])


async def update(call: KubeflowCall) -> ModelVersion:
    return await _changed(call, call.serial, await call.body(ModelVersionUpdate))


async def _changed(call: KubeflowCall, serial: int, body: ModelVersionUpdate) -> ModelVersion:
    """Properties replace those that were read, so nothing may have changed since. Changes of one server queue."""

    async def change() -> ModelVersion:
        version, item = await models.read_version_and_model(call.caller, serial)
        items.refuse_unchangeable(call.caller, item)
        revisions = None if body.custom_properties is None else [version["revision"]]
        async with external_ids.reserved(call.caller.tenant, body.external_id, version):
            changed = await version_changes.change_read(
                call.caller, Kind.MODEL, version, body.as_change(version), call.limits, revisions=revisions
            )
        return ModelVersion.of(changed, item["serial"])

    async with queue_of("kubeflow", call.caller.tenant.name, "version", serial):
        return await repeated_while_stale(change)
