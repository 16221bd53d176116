"""Served models: which version a service deployed, and how far that is."""

from dataclasses import dataclass

from catalog.domain.access import Caller
from catalog.domain.limits import Limits
from catalog.domain.serving.pinning import pin_served
from catalog.domain.tracking import models, records
from catalog.domain.tracking.records import SERIAL, Details
from catalog.errors import INVALID_FIELD, Refused
from catalog.store.documents.tracking import ServedModelDocument
from catalog.store.records import ServedModelRecord, VersionRecord
from catalog.vocabulary import ExecutionState


@dataclass(frozen=True, slots=True, kw_only=True)
class NewServedModel:
    """A deployment. `version` is a serial."""

    details: Details
    version: int
    state: ExecutionState = ExecutionState.UNKNOWN


async def create(caller: Caller, service: int, new: NewServedModel, limits: Limits) -> ServedModelRecord:
    """Record that a service deployed a version.

    Raises Refused: NOT_FOUND, CANNOT_MODIFY, INVALID_FIELD (also for a version whose metadata say that its bytes are
    gated or private elsewhere), NAME_TAKEN, EXTERNAL_ID_TAKEN.
    """
    tenant = caller.tenant
    deployed = await records.changeable(caller, tenant.services, service)
    version, item = await models.read_version_and_model(caller, new.version)
    _refuse_gated(version)
    fields = records.new_fields(caller, new.details, limits, [deployed["_id"]], await tenant.next(SERIAL))
    document = ServedModelDocument(
        **fields,
        **records.readers_of([caller.user], item["readers"]),
        items=[item["_id"]],
        item=item["_id"],
        service=deployed["_id"],
        version=version["_id"],
        state=new.state,
    )
    record = await records.insert(tenant.served_models, document)
    await pin_served(tenant, tenant.served_models, record, version["_id"], f"version {new.version}")
    return record


def _refuse_gated(version: VersionRecord) -> None:
    """Raises Refused: INVALID_FIELD."""
    texts = {pair["name"]: str(pair["value"]).lower() for pair in version["metadata"]}
    if texts.get("hf_gated", "") not in {"", "false"} or texts.get("hf_private") == "true":
        raise Refused(INVALID_FIELD, f"version {version['serial']} comes from a gated or private repository")
