"""Serving environments, inference services and served models."""

from collections.abc import Sequence
from typing import NamedTuple

from bson import ObjectId

from catalog.dialects.kubeflow.filters.properties import INFERENCE_SERVICES, SERVE_MODELS, SERVING_ENVIRONMENTS
from catalog.dialects.kubeflow.handlers.registered_models import shown
from catalog.dialects.kubeflow.models.common import serial_of
from catalog.dialects.kubeflow.models.lists import EncodedPage
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
from catalog.dialects.kubeflow.pages import listed, serials_of
from catalog.dialects.kubeflow.requests import KubeflowCall
from catalog.domain.access import readable_by
from catalog.domain.serving import environments, served_models, services
from catalog.domain.tracking.access import listed_to, readable
from catalog.errors import INVALID_FIELD, NOT_FOUND, Refused
from catalog.store.query.paging.serial_scan import Collection
from catalog.store.records import EnvironmentRecord, Query, ServedModelRecord, ServiceRecord
from catalog.store.tenant_documents import R


async def find_environment(call: KubeflowCall) -> ServingEnvironment:
    name, external_id = call.keys()
    return ServingEnvironment.of(await environments.find(call.caller, name=name, external_id=external_id))


async def list_environments(call: KubeflowCall) -> EncodedPage:
    async def shapes(found: Sequence[EnvironmentRecord]) -> list[ServingEnvironment]:
        return [ServingEnvironment.of(record) for record in found]

    tenant = call.caller.tenant
    access, top = readable_by(call.caller), await tenant.recent("serial")
    return await listed(call, tenant.environments.records, access, SERVING_ENVIRONMENTS, shapes, top=top)


async def create_environment(call: KubeflowCall) -> ServingEnvironment:
    new: ServingEnvironmentCreate = await call.body(ServingEnvironmentCreate)
    created = await environments.create(call.caller, new.details(), call.limits, call.services.default_visibility)
    return ServingEnvironment.of(created)


async def read_environment(call: KubeflowCall) -> ServingEnvironment:
    return ServingEnvironment.of(await environments.read(call.caller, call.serial))


async def update_environment(call: KubeflowCall) -> ServingEnvironment:
    body: ServingEnvironmentUpdate = await call.body(ServingEnvironmentUpdate)
    before = await environments.read(call.caller, call.serial)
    requested = body.details_change(before["metadata"])
    return ServingEnvironment.of(await environments.change(call.caller, call.serial, requested, call.limits))


async def find_service(call: KubeflowCall) -> InferenceService:
    name, parent, external_id = call.keys_in_parent()
    found = await services.find(call.caller, name=name, environment=parent, external_id=external_id)
    return await _service(call, found)


async def list_services(call: KubeflowCall) -> EncodedPage:
    return await _listed_services(call, await listed_to(call.caller), top=await call.caller.tenant.recent("serial"))


async def list_services_of_environment(call: KubeflowCall) -> EncodedPage:
    """A list of what is not there is empty."""
    query: Query = {"environment": await _id_of(call.caller.tenant.environments.records, call.serial)}
    if name := call.query("name"):
        query |= {"name": name}
    elif external_id := call.query("externalId"):
        query |= {"external_id": external_id}
    return await _listed_services(call, query)


async def _listed_services(call: KubeflowCall, query: Query, *, top: int | None = None) -> EncodedPage:
    async def keep(batch: list[ServiceRecord]) -> list[ServiceRecord]:
        """Without those of a model in the trash, which return with it."""
        known = await serials_of(call.caller.tenant.models.records, [service["item"] for service in batch])
        return await readable(call.caller, [service for service in batch if service["item"] in known])

    async def shapes(found: Sequence[ServiceRecord]) -> list[InferenceService]:
        related = await _related(call, found)
        return [_shape(record, related) for record in found]

    return await listed(
        call,
        call.caller.tenant.services.records,
        query,
        INFERENCE_SERVICES,
        shapes,
        keep=keep,
        top=top,
    )


async def create_service(call: KubeflowCall) -> InferenceService:
    new: InferenceServiceCreate = await call.body(InferenceServiceCreate)
    return await _created(call, serial_of(new.serving_environment_id, "servingEnvironmentId"), new)


async def create_service_of_environment(call: KubeflowCall) -> InferenceService:
    new: InferenceServiceOfEnvironment = await call.body(InferenceServiceOfEnvironment)
    sent = new.serving_environment_id
    if sent and serial_of(sent, "servingEnvironmentId") != call.serial:
        raise Refused(INVALID_FIELD, "servingEnvironmentId is not the id in the path")
    return await _created(call, call.serial, new)


async def _created(call: KubeflowCall, environment: int, new: InferenceServiceOfEnvironment) -> InferenceService:
    return await _service(call, await services.create(call.caller, environment, new.as_input(), call.limits))


async def read_service(call: KubeflowCall) -> InferenceService:
    return await _service(call, await services.read(call.caller, call.serial))


async def update_service(call: KubeflowCall) -> InferenceService:
    body: InferenceServiceUpdate = await call.body(InferenceServiceUpdate)
    before = await services.read(call.caller, call.serial)
    await _service(call, before)  # refused while its model is in the trash
    requested = body.as_change(before["metadata"])
    return await _service(call, await services.change(call.caller, call.serial, requested, call.limits))


async def model_of_service(call: KubeflowCall) -> RegisteredModel:
    return await shown(call, await services.model_of(call.caller, call.serial))


async def version_of_service(call: KubeflowCall) -> ModelVersion:
    model = await services.model_of(call.caller, call.serial)
    return ModelVersion.of(await services.version_of(call.caller, call.serial), model["serial"])


async def list_served(call: KubeflowCall) -> EncodedPage:
    """A list of what is not there is empty."""
    tenant, serials = call.caller.tenant, dict[ObjectId, int]()

    async def keep(batch: list[ServedModelRecord]) -> list[ServedModelRecord]:
        serials.update(await serials_of(tenant.versions.records, [served["version"] for served in batch]))
        return await readable(call.caller, [served for served in batch if served["version"] in serials])

    async def shapes(found: Sequence[ServedModelRecord]) -> list[ServeModel]:
        return [ServeModel.of(record, serials[record["version"]]) for record in found]

    query = {"service": await _id_of(tenant.services.records, call.serial)}
    return await listed(call, tenant.served_models.records, query, SERVE_MODELS, shapes, keep=keep)


async def create_served(call: KubeflowCall) -> ServeModel:
    new: ServeModelCreate = await call.body(ServeModelCreate)
    requested = new.as_input()
    return ServeModel.of(
        await served_models.create(call.caller, call.serial, requested, call.limits), requested.version
    )


class _Related(NamedTuple):
    """The serials of what services name."""

    models: dict[ObjectId, int]
    environments: dict[ObjectId, int]
    versions: dict[ObjectId, int]


async def _related(call: KubeflowCall, found: Sequence[ServiceRecord]) -> _Related:
    tenant = call.caller.tenant
    return _Related(
        await serials_of(tenant.models.records, [record["item"] for record in found]),
        await serials_of(tenant.environments.records, [record["environment"] for record in found]),
        await serials_of(tenant.versions.records, [key for record in found if (key := record.get("version"))]),
    )


def _shape(record: ServiceRecord, related: _Related) -> InferenceService:
    version = record.get("version")
    if record["item"] not in related.models:
        raise Refused(NOT_FOUND, f"service {record['serial']} not found: its model is in the trash")
    return InferenceService.of(
        record,
        model=related.models[record["item"]],
        environment=related.environments[record["environment"]],
        version=related.versions.get(version) if version else None,
    )


async def _service(call: KubeflowCall, record: ServiceRecord) -> InferenceService:
    return _shape(record, await _related(call, [record]))


async def _id_of(collection: Collection[R], serial: int) -> ObjectId | None:
    found = await collection.find_one({"serial": serial}, {"_id": 1})
    key: ObjectId | None = found["_id"] if found else None
    return key
