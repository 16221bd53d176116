"""Versions of registered models, by their serials."""

from collections.abc import Sequence
from typing import Any

from bson import ObjectId

from catalog.dialects.kubeflow.filters.properties import MODEL_VERSIONS
from catalog.dialects.kubeflow.handlers.registered_models import ATTEMPTS
from catalog.dialects.kubeflow.models.common import serial_of
from catalog.dialects.kubeflow.models.lists import ResourcePage
from catalog.dialects.kubeflow.models.registry import (
    ModelVersion,
    ModelVersionCreate,
    ModelVersionOfModel,
    ModelVersionUpdate,
)
from catalog.dialects.kubeflow.pages import listed
from catalog.dialects.kubeflow.requests import Ask, refuse_without_keys
from catalog.domain.items.references import Reference
from catalog.domain.tracking import models
from catalog.domain.tracking.access import listed_to
from catalog.domain.tracking.records import refuse_external_id
from catalog.domain.versions import version_changes, versions
from catalog.errors import INVALID_FIELD, NAME_TAKEN, NOT_CREATED, NOT_FOUND, REQUIRED_FIELD, STALE, Refused
from catalog.store.records import ItemRecord, Query, VersionRecord
from catalog.store.tenant import VERSION_SERIAL
from catalog.store.tenant_documents import Raw
from catalog.vocabulary import Kind


async def find(ask: Ask) -> ModelVersion:
    name, parent, external_id = ask.query("name"), ask.parent(), ask.query("externalId")
    refuse_without_keys(name and parent, external_id)
    version, item = await models.find_version(ask.caller, name=name, model=parent, external_id=external_id)
    return ModelVersion.of(version, item["serial"])


async def list_(ask: Ask) -> ResourcePage[ModelVersion]:
    """All versions, of every model that the caller may read."""
    top = await ask.caller.tenant.recent(VERSION_SERIAL)
    return await _listed(ask, models.COMPLETE | await listed_to(ask.caller, "item"), top=top)


async def list_of_model(ask: Ask) -> ResourcePage[ModelVersion]:
    """A list of what is not there is empty, and so is one of what the caller may not read."""
    query: Query = {"item": await models.readable_id(ask.caller, ask.serial), "state": models.COMPLETE["state"]}
    if name := ask.query("name"):
        query |= {"ordinal_key": name.casefold(), "ordinal": name}
    elif external_id := ask.query("externalId"):
        query |= {"external_id": external_id}
    return await _listed(ask, query, id_field="number")


async def _listed(
    ask: Ask, query: Query, *, top: int | None = None, id_field: str = "serial"
) -> ResourcePage[ModelVersion]:
    known: dict[ObjectId, ItemRecord] = {}

    async def keep(batch: list[Raw]) -> list[Raw]:
        known.update(await models.readable(ask.caller, {version["item"] for version in batch} - known.keys()))
        return [version for version in batch if version["item"] in known]

    async def shapes(found: Sequence[VersionRecord]) -> list[Any]:
        return [ModelVersion.of(version, known[version["item"]]["serial"]) for version in found]

    return await listed(
        ask, ask.caller.tenant.versions.raw, query, MODEL_VERSIONS, shapes, keep=keep, top=top, id_field=id_field
    )


async def create(ask: Ask) -> ModelVersion:
    new: ModelVersionCreate = await ask.body(ModelVersionCreate)
    return await _created(ask, new, serial_of(new.registered_model_id, "registeredModelId"))


async def upsert_of_model(ask: Ask) -> ModelVersion:
    """Create a version of the model in the path or, with an `id`, change it."""
    body: ModelVersionOfModel = await ask.body(ModelVersionOfModel)
    model = ask.serial
    if body.registered_model_id and serial_of(body.registered_model_id, "registeredModelId") != model:
        raise Refused(INVALID_FIELD, "registeredModelId is not the id in the path")
    if not body.id:
        return await _created(ask, body, model)
    version, item = await models.read_version_and_model(ask.caller, serial_of(body.id))
    if item["serial"] != model:
        raise Refused(NOT_FOUND, f"version {body.id} of model {model} not found")
    return await _changed(ask, version["serial"] or 0, body)


async def _created(ask: Ask, new: ModelVersionCreate, model: int) -> ModelVersion:
    if not new.name:
        raise Refused(REQUIRED_FIELD, "required field 'name' is zero value.")
    item = await models.read(ask.caller, model)
    await refuse_external_id(ask.caller.tenant, new.external_id)
    reference = Reference(str(item["_id"]))
    try:
        version = await versions.register(ask.caller, Kind.MODEL, reference, new.as_details(), ask.limits)
    except Refused as refused:
        if refused.fault is NOT_CREATED and await models.has_version(ask.caller, item["_id"], new.name):
            raise Refused(NAME_TAKEN, f"version {new.name} of model {model} already exists") from None
        raise
    return ModelVersion.of(version, model)


async def read(ask: Ask) -> ModelVersion:
    version, item = await models.read_version_and_model(ask.caller, ask.serial)
    return ModelVersion.of(version, item["serial"])


async def update(ask: Ask) -> ModelVersion:
    return await _changed(ask, ask.serial, await ask.body(ModelVersionUpdate))


async def _changed(ask: Ask, serial: int, body: ModelVersionUpdate) -> ModelVersion:
    for _ in range(ATTEMPTS):
        version, item = await models.read_version_and_model(ask.caller, serial)
        await refuse_external_id(ask.caller.tenant, body.external_id, version["_id"])
        reference = Reference(str(item["_id"]), version["ordinal"])
        try:
            changed = await version_changes.change(
                ask.caller,
                Kind.MODEL,
                reference,
                body.as_change(version),
                ask.limits,
                revisions=[version["revision"]],
            )
        except Refused as refused:
            if refused.fault is not STALE:
                raise
        else:
            return ModelVersion.of(changed, item["serial"])
    raise Refused(STALE, "others change it again and again")
