"""Registered models: models, by their serials."""

from collections.abc import Sequence

from catalog.dialects.kubeflow.filters.properties import REGISTERED_MODELS
from catalog.dialects.kubeflow.models.lists import ResourcePage
from catalog.dialects.kubeflow.models.registry import RegisteredModel, RegisteredModelCreate, RegisteredModelUpdate
from catalog.dialects.kubeflow.pages import listed
from catalog.dialects.kubeflow.requests import KubeflowCall, refuse_without_keys
from catalog.domain.access import readable_by
from catalog.domain.cards import cards
from catalog.domain.items import items
from catalog.domain.items.references import Reference
from catalog.domain.items.writing import changes
from catalog.domain.tracking import models
from catalog.domain.tracking.records import refuse_external_id
from catalog.errors import NOT_CREATED, STALE, Refused
from catalog.store.records import ItemRecord, Value
from catalog.vocabulary import Kind

ATTEMPTS = 50
"""How often a change is tried that others keep overtaking."""


async def find(call: KubeflowCall) -> RegisteredModel:
    name, external_id = call.query("name"), call.query("externalId")
    refuse_without_keys(name, external_id)
    return await _shown(call, await models.find(call.caller, name=name, external_id=external_id))


async def list_(call: KubeflowCall) -> ResourcePage[RegisteredModel]:
    tenant = call.caller.tenant

    async def shapes(found: Sequence[ItemRecord]) -> list[RegisteredModel]:
        readmes = await models.readmes(call.caller, [item["_id"] for item in found])
        return [RegisteredModel.of(item, readmes.get(item["_id"], "")) for item in found]

    async def read_readmes(found: Sequence[ItemRecord]) -> list[dict[str, Value]]:
        readmes = await models.readmes(call.caller, [item["_id"] for item in found])
        return [{"readme": text} if (text := readmes.get(item["_id"])) else {} for item in found]

    access, top = readable_by(call.caller), await tenant.recent("serial")
    return await listed(
        call, tenant.models.records, access, REGISTERED_MODELS, shapes, top=top, read_beyond=read_readmes
    )


async def create(call: KubeflowCall) -> RegisteredModel:
    new: RegisteredModelCreate = await call.body(RegisteredModelCreate)
    await models.refuse_name(call.caller, new.name)
    await refuse_external_id(call.caller.tenant, new.external_id)
    try:
        item = await items.create(call.caller, Kind.MODEL, new.as_input(call.services.default_visibility), call.limits)
    except Refused as refused:
        if refused.fault is NOT_CREATED:  # another request may have been first
            await models.refuse_name(call.caller, new.name)
        raise
    if not new.readme:
        return RegisteredModel.of(item)  # a new model has no card
    item = await cards.write_first(call.caller, Kind.MODEL, item["_id"], new.readme, call.limits)
    return await _shown(call, item)


async def read(call: KubeflowCall) -> RegisteredModel:
    return await _shown(call, await models.read(call.caller, call.serial))


async def update(call: KubeflowCall) -> RegisteredModel:
    body: RegisteredModelUpdate = await call.body(RegisteredModelUpdate)
    if body.readme is not None:
        item = await models.read(call.caller, call.serial)
        # What would be refused afterwards is refused first, so that a refused change writes no card.
        changes.refuse_to_manage(call.caller, item, body.as_change(item))
        await refuse_external_id(call.caller.tenant, body.external_id, item["_id"])
        await cards.write_first(call.caller, Kind.MODEL, item["_id"], body.readme, call.limits)
    for _ in range(ATTEMPTS):
        item = await models.read(call.caller, call.serial)
        await refuse_external_id(call.caller.tenant, body.external_id, item["_id"])
        reference = Reference(str(item["_id"]))
        try:
            # Properties replace what was read, so nothing may have changed since.
            changed = await changes.change(
                call.caller, Kind.MODEL, reference, body.as_change(item), call.limits, revisions=[item["revision"]]
            )
        except Refused as refused:
            if refused.fault is not STALE:
                raise
        else:
            return await _shown(call, changed)
    raise Refused(STALE, "others change it again and again")


async def _shown(call: KubeflowCall, item: ItemRecord) -> RegisteredModel:
    return RegisteredModel.of(item, (await models.readmes(call.caller, [item["_id"]])).get(item["_id"], ""))
