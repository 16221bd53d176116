"""Registered models: models, by their serials."""

from collections.abc import Sequence
from typing import Any

from catalog.dialects.kubeflow.filters.properties import REGISTERED_MODELS
from catalog.dialects.kubeflow.models.lists import ResourcePage
from catalog.dialects.kubeflow.models.registry import RegisteredModel, RegisteredModelCreate, RegisteredModelUpdate
from catalog.dialects.kubeflow.pages import listed
from catalog.dialects.kubeflow.requests import Ask, refuse_without_keys
from catalog.domain.access import readable_by
from catalog.domain.cards import cards
from catalog.domain.items import items
from catalog.domain.items.references import Reference
from catalog.domain.items.writing import changes
from catalog.domain.tracking import models
from catalog.domain.tracking.records import refuse_external_id
from catalog.errors import NOT_CREATED, STALE, Refused
from catalog.store.records import ItemRecord
from catalog.vocabulary import Kind

ATTEMPTS = 50
"""How often a change is tried that others keep overtaking."""


async def find(ask: Ask) -> RegisteredModel:
    name, external_id = ask.query("name"), ask.query("externalId")
    refuse_without_keys(name, external_id)
    return await _shown(ask, await models.find(ask.caller, name=name, external_id=external_id))


async def list_(ask: Ask) -> ResourcePage[RegisteredModel]:
    tenant = ask.caller.tenant

    async def shapes(found: Sequence[ItemRecord]) -> list[Any]:
        readmes = await models.readmes(ask.caller, [item["_id"] for item in found])
        return [RegisteredModel.of(item, readmes.get(item["_id"], "")) for item in found]

    access, top = readable_by(ask.caller), await tenant.recent("serial")
    return await listed(ask, tenant.models.raw, access, REGISTERED_MODELS, shapes, top=top)


async def create(ask: Ask) -> RegisteredModel:
    new: RegisteredModelCreate = await ask.body(RegisteredModelCreate)
    await models.refuse_name(ask.caller, new.name)
    await refuse_external_id(ask.caller.tenant, new.external_id)
    try:
        item = await items.create(ask.caller, Kind.MODEL, new.as_input(ask.services.default_visibility), ask.limits)
    except Refused as refused:
        if refused.fault is NOT_CREATED:  # another request may have been first
            await models.refuse_name(ask.caller, new.name)
        raise
    if new.readme:
        item = await cards.write_first(ask.caller, Kind.MODEL, item["_id"], new.readme, ask.limits)
    return await _shown(ask, item)


async def read(ask: Ask) -> RegisteredModel:
    return await _shown(ask, await models.read(ask.caller, ask.serial))


async def update(ask: Ask) -> RegisteredModel:
    body: RegisteredModelUpdate = await ask.body(RegisteredModelUpdate)
    if body.readme is not None:
        item = await models.read(ask.caller, ask.serial)
        # What would be refused afterwards is refused first, so that a refused change writes no card.
        changes.refuse_to_manage(ask.caller, item, body.as_change(item))
        await refuse_external_id(ask.caller.tenant, body.external_id, item["_id"])
        await cards.write_first(ask.caller, Kind.MODEL, item["_id"], body.readme, ask.limits)
    for _ in range(ATTEMPTS):
        item = await models.read(ask.caller, ask.serial)
        await refuse_external_id(ask.caller.tenant, body.external_id, item["_id"])
        reference = Reference(str(item["_id"]))
        try:
            # Properties replace what was read, so nothing may have changed since.
            changed = await changes.change(
                ask.caller, Kind.MODEL, reference, body.as_change(item), ask.limits, revisions=[item["revision"]]
            )
        except Refused as refused:
            if refused.fault is not STALE:
                raise
        else:
            return await _shown(ask, changed)
    raise Refused(STALE, "others change it again and again")


async def _shown(ask: Ask, item: ItemRecord) -> RegisteredModel:
    return RegisteredModel.of(item, (await models.readmes(ask.caller, [item["_id"]])).get(item["_id"], ""))
