"""Inference services: a model, or one version of it, that is served in an environment.

A service belongs to its model: users who may read the model see it. Its owner sees and changes it in any case.
"""

from dataclasses import dataclass

from bson import ObjectId

from catalog.domain.access import Caller
from catalog.domain.limits import LONGEST_NAME, Limits
from catalog.domain.serving.pinning import pin_served
from catalog.domain.tracking import external_ids, models, records
from catalog.domain.tracking.records import NO_CHANGE, SERIAL, Details, DetailsChange
from catalog.domain.validation import Validator
from catalog.domain.versions import removal
from catalog.errors import INVALID_FIELD, NOT_FOUND, Refused
from catalog.store.documents.tracking import ServiceDocument
from catalog.store.query.paging.cursors import DESCENDING
from catalog.store.records import Changes, ItemRecord, ServiceRecord, VersionRecord
from catalog.vocabulary import ServiceState, VersionState


@dataclass(frozen=True, slots=True, kw_only=True)
class NewService:
    """A service. `model` and `version` are serials; without a version it serves the newest."""

    details: Details
    model: int
    version: int | None = None
    runtime: str | None = None
    desired_state: ServiceState = ServiceState.DEPLOYED


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceChange:
    """What changes. None stays as it is."""

    details: DetailsChange = NO_CHANGE
    version: int | None = None
    runtime: str | None = None
    desired_state: ServiceState | None = None


async def create(caller: Caller, environment: int, new: NewService, limits: Limits) -> ServiceRecord:
    """Serve a model in an environment that the caller may read.

    Raises Refused: NOT_FOUND, INVALID_FIELD, NAME_TAKEN, EXTERNAL_ID_TAKEN.
    """
    tenant = caller.tenant
    place = await records.read(caller, tenant.environments, environment)
    item = await models.read(caller, new.model)
    version = None if new.version is None else await _version_of(caller, item["_id"], new.version)
    fields = records.new_fields(caller, new.details, limits, [place["_id"]], await tenant.next(SERIAL))
    document = ServiceDocument(
        **fields,
        **records.readers_of([caller.user], item["readers"]),
        items=[item["_id"]],
        environment=place["_id"],
        item=item["_id"],
        version=version,
        runtime=_runtime(new.runtime, limits),
        desired_state=new.desired_state,
    )
    async with external_ids.reserved(tenant, document.external_id):
        record = await records.insert(tenant.services, document)
    if version is not None:
        await pin_served(tenant, tenant.services, record, version, f"version {new.version}")
    return record


async def read(caller: Caller, serial: int) -> ServiceRecord:
    """Raises Refused: NOT_FOUND."""
    return await records.read(caller, caller.tenant.services, serial)


async def find(caller: Caller, *, name: str = "", environment: int = 0, external_id: str = "") -> ServiceRecord:
    """The service of an external id, or of a name in an environment. Raises Refused: NOT_FOUND."""
    of = caller.tenant
    return await records.find_in(
        caller, of.services, of.environments, name=name, parent=environment, external_id=external_id
    )


async def change(caller: Caller, serial: int, requested: ServiceChange, limits: Limits) -> ServiceRecord:
    """Raises Refused: NOT_FOUND, CANNOT_MODIFY, INVALID_FIELD, EXTERNAL_ID_TAKEN, BUSY."""
    record = await records.changeable(caller, caller.tenant.services, serial)
    version = None if requested.version is None else await _version_of(caller, record["item"], requested.version)
    is_deployed = (requested.desired_state or record["desired_state"]) == ServiceState.DEPLOYED
    is_moved = is_deployed and (version is not None or requested.desired_state is not None)
    if is_moved and (served := version or record.get("version")):
        await removal.pin(caller.tenant, served, f"version of service {serial}")

    def fields(current: ServiceRecord) -> Changes:
        values = {
            "version": version,
            "runtime": _runtime(requested.runtime, limits),
            "desired_state": requested.desired_state and requested.desired_state.value,
        }
        changed = {name: value for name, value in values.items() if value is not None}
        return {**records.changed_fields(current, requested.details, limits), **changed}

    async with external_ids.reserved(caller.tenant, requested.details.external_id, record):
        changed = await records.change(caller.tenant.services, record, fields)
    if is_moved and (served := changed.get("version")):  # it may have been removed meanwhile
        await removal.pin(caller.tenant, served, f"version of service {serial}")
    return changed


async def model_of(caller: Caller, serial: int) -> ItemRecord:
    """The model that a service serves. Raises Refused: NOT_FOUND."""
    service = await read(caller, serial)
    return await models.read_by_id(caller, service["item"])


async def version_of(caller: Caller, serial: int) -> VersionRecord:
    """The version that a service serves: its own, else the newest of its model. Raises Refused: NOT_FOUND."""
    service = await read(caller, serial)
    item = await models.read_by_id(caller, service["item"])
    found: VersionRecord | None
    if service.get("version"):
        found = await caller.tenant.versions.records.find_one({"_id": service.get("version")})
    else:
        of_item = {"item": item["_id"], "state": {"$ne": VersionState.DRAFT.value}}
        found = await caller.tenant.versions.records.find_one(of_item, sort=[("number", DESCENDING)])
    if found is None:
        raise Refused(NOT_FOUND, f"version of service {serial} not found")
    return found


async def _version_of(caller: Caller, item: ObjectId, serial: int) -> ObjectId:
    version = await models.read_version(caller, serial)
    if version["item"] != item:
        raise Refused(INVALID_FIELD, f"version: {serial} is not a version of this model")
    return version["_id"]


def _runtime(text: str | None, limits: Limits) -> str | None:
    return None if text is None else Validator(INVALID_FIELD, limits).line("runtime", text, LONGEST_NAME)
