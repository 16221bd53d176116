"""Serving environments, inference services and served models."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from bson import ObjectId

from catalog.dialects.kubeflow.filters.properties import INFERENCE_SERVICES, SERVE_MODELS, SERVING_ENVIRONMENTS
from catalog.dialects.kubeflow.models.common import serial_of
from catalog.dialects.kubeflow.models.lists import ResourcePage
from catalog.dialects.kubeflow.models.registry import ModelVersion, RegisteredModel
from catalog.dialects.kubeflow.models.serving import (
    InferenceService,
    InferenceServiceCreate,
    InferenceServiceOfEnvironment,
    InferenceServiceUpdate,
    ServeModel,
    ServeModelCreate,
    ServingEnvironment,
    ServingEnvironmentCreate,
    ServingEnvironmentUpdate,
)
from catalog.dialects.kubeflow.pages import listed
from catalog.dialects.kubeflow.requests import Ask, refuse_without_keys
from catalog.domain.access import readable_by
from catalog.domain.serving import environments, served_models, services
from catalog.domain.tracking import models
from catalog.domain.tracking.access import listed_to, readable
from catalog.errors import INVALID_FIELD, Refused
from catalog.store.records import EnvironmentRecord, Query, ServedModelRecord, ServiceRecord
from catalog.store.tenant_documents import Raw


async def find_environment(ask: Ask) -> ServingEnvironment:
    name, external_id = ask.query("name"), ask.query("externalId")
    refuse_without_keys(name, external_id)
    return ServingEnvironment.of(await environments.find(ask.caller, name=name, external_id=external_id))


async def list_environments(ask: Ask) -> ResourcePage[ServingEnvironment]:
    async def shapes(found: Sequence[EnvironmentRecord]) -> list[Any]:
        return [ServingEnvironment.of(record) for record in found]

    tenant = ask.caller.tenant
    access, top = readable_by(ask.caller), await tenant.recent("serial")
    return await listed(ask, tenant.environments.raw, access, SERVING_ENVIRONMENTS, shapes, top=top)


async def create_environment(ask: Ask) -> ServingEnvironment:
    new: ServingEnvironmentCreate = await ask.body(ServingEnvironmentCreate)
    created = await environments.create(ask.caller, new.details(), ask.limits, ask.services.default_visibility)
    return ServingEnvironment.of(created)


async def read_environment(ask: Ask) -> ServingEnvironment:
    return ServingEnvironment.of(await environments.read(ask.caller, ask.serial))


async def update_environment(ask: Ask) -> ServingEnvironment:
    body: ServingEnvironmentUpdate = await ask.body(ServingEnvironmentUpdate)
    before = await environments.read(ask.caller, ask.serial)
    wanted = body.details_change(before["metadata"])
    return ServingEnvironment.of(await environments.change(ask.caller, ask.serial, wanted, ask.limits))


async def find_service(ask: Ask) -> InferenceService:
    name, parent, external_id = ask.query("name"), ask.parent(), ask.query("externalId")
    refuse_without_keys(name and parent, external_id)
    found = await services.find(ask.caller, name=name if parent else "", environment=parent, external_id=external_id)
    return await _service(ask, found)


async def list_services(ask: Ask) -> ResourcePage[InferenceService]:
    return await _listed_services(ask, await listed_to(ask.caller), top=await ask.caller.tenant.recent("serial"))


async def list_services_of_environment(ask: Ask) -> ResourcePage[InferenceService]:
    """A list of what is not there is empty."""
    query: Query = {"environment": await _id_of(ask.caller.tenant.environments.records, ask.serial)}
    if name := ask.query("name"):
        query |= {"name": name}
    elif external_id := ask.query("externalId"):
        query |= {"external_id": external_id}
    return await _listed_services(ask, query)


async def _listed_services(ask: Ask, query: Query, *, top: int | None = None) -> ResourcePage[InferenceService]:
    async def keep(batch: list[Raw]) -> list[Raw]:
        return await readable(ask.caller, batch)  # type: ignore[type-var]

    async def shapes(found: Sequence[ServiceRecord]) -> list[Any]:
        related = await _related(ask, found)
        return [_shape(record, related) for record in found]

    return await listed(ask, ask.caller.tenant.services.raw, query, INFERENCE_SERVICES, shapes, keep=keep, top=top)


async def create_service(ask: Ask) -> InferenceService:
    new: InferenceServiceCreate = await ask.body(InferenceServiceCreate)
    return await _created(ask, serial_of(new.serving_environment_id, "servingEnvironmentId"), new)


async def create_service_of_environment(ask: Ask) -> InferenceService:
    new: InferenceServiceOfEnvironment = await ask.body(InferenceServiceOfEnvironment)
    sent = new.serving_environment_id
    if sent and serial_of(sent, "servingEnvironmentId") != ask.serial:
        raise Refused(INVALID_FIELD, "servingEnvironmentId is not the id in the path")
    return await _created(ask, ask.serial, new)


async def _created(ask: Ask, environment: int, new: InferenceServiceOfEnvironment) -> InferenceService:
    return await _service(ask, await services.create(ask.caller, environment, new.as_input(), ask.limits))


async def read_service(ask: Ask) -> InferenceService:
    return await _service(ask, await services.read(ask.caller, ask.serial))


async def update_service(ask: Ask) -> InferenceService:
    body: InferenceServiceUpdate = await ask.body(InferenceServiceUpdate)
    before = await services.read(ask.caller, ask.serial)
    wanted = body.as_change(before["metadata"])
    return await _service(ask, await services.change(ask.caller, ask.serial, wanted, ask.limits))


async def model_of_service(ask: Ask) -> RegisteredModel:
    item = await services.model_of(ask.caller, ask.serial)
    return RegisteredModel.of(item, (await models.readmes(ask.caller, [item["_id"]])).get(item["_id"], ""))


async def version_of_service(ask: Ask) -> ModelVersion:
    model = await services.model_of(ask.caller, ask.serial)
    return ModelVersion.of(await services.version_of(ask.caller, ask.serial), model["serial"])


async def list_served(ask: Ask) -> ResourcePage[ServeModel]:
    """A list of what is not there is empty."""

    async def keep(batch: list[Raw]) -> list[Raw]:
        return await readable(ask.caller, batch)  # type: ignore[type-var]

    async def shapes(found: Sequence[ServedModelRecord]) -> list[Any]:
        serials = await _serials(ask.caller.tenant.versions.records, [record["version"] for record in found])
        return [ServeModel.of(record, serials[record["version"]]) for record in found if record["version"] in serials]

    tenant = ask.caller.tenant
    query = {"service": await _id_of(tenant.services.records, ask.serial)}
    return await listed(ask, tenant.served_models.raw, query, SERVE_MODELS, shapes, keep=keep)


async def create_served(ask: Ask) -> ServeModel:
    new: ServeModelCreate = await ask.body(ServeModelCreate)
    wanted = new.as_input()
    return ServeModel.of(await served_models.create(ask.caller, ask.serial, wanted, ask.limits), wanted.version)


class _Related(NamedTuple):
    """The serials of what services name."""

    models: dict[ObjectId, int]
    environments: dict[ObjectId, int]
    versions: dict[ObjectId, int]


async def _related(ask: Ask, found: Sequence[ServiceRecord]) -> _Related:
    tenant = ask.caller.tenant
    return _Related(
        await _serials(tenant.models.records, [record["item"] for record in found]),
        await _serials(tenant.environments.records, [record["environment"] for record in found]),
        await _serials(tenant.versions.records, [key for record in found if (key := record.get("version"))]),
    )


def _shape(record: ServiceRecord, related: _Related) -> InferenceService:
    version = record.get("version")
    return InferenceService.of(
        record,
        model=related.models.get(record["item"], 0),
        environment=related.environments.get(record["environment"], 0),
        version=related.versions.get(version) if version else None,
    )


async def _service(ask: Ask, record: ServiceRecord) -> InferenceService:
    return _shape(record, await _related(ask, [record]))


async def _id_of(collection: Any, serial: int) -> ObjectId | None:
    found = await collection.find_one({"serial": serial}, {"_id": 1})
    return found["_id"] if found else None


async def _serials(collection: Any, keys: Sequence[ObjectId]) -> dict[ObjectId, int]:
    wanted = list(set(keys))
    if not wanted:
        return {}
    return {found["_id"]: found["serial"] async for found in collection.find({"_id": {"$in": wanted}}, {"serial": 1})}
