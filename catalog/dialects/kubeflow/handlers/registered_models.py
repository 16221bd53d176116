"""Registered models: models, by their serials."""

from collections.abc import Sequence

from catalog.dialects.kubeflow.filters.properties import REGISTERED_MODELS
from catalog.dialects.kubeflow.models.lists import EncodedPage
from catalog.dialects.kubeflow.models.registry import RegisteredModel, RegisteredModelCreate, RegisteredModelUpdate
from catalog.dialects.kubeflow.pages import listed
from catalog.dialects.kubeflow.requests import KubeflowCall, repeated_while_stale
from catalog.domain.access import readable_by
from catalog.domain.cards import cards
from catalog.domain.items import items
from catalog.domain.items.references import Reference
from catalog.domain.items.writing import changes
from catalog.domain.tracking import external_ids, models
from catalog.store.concurrency.optimistic import queue_of
from catalog.store.records import ItemRecord, Value
from catalog.vocabulary import Kind


async def find(call: KubeflowCall) -> RegisteredModel:
    name, external_id = call.keys()
    return await shown(call, await models.find(call.caller, name=name, external_id=external_id))


async def list_(call: KubeflowCall) -> EncodedPage:
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
    cards.refuse_text(new.readme or "")
    wanted = new.as_input(call.services.default_visibility)
    async with external_ids.reserved(call.caller.tenant, new.external_id):
        item = await items.create(call.caller, Kind.MODEL, wanted, call.limits, is_unambiguous=True)
    if not new.readme:
        return RegisteredModel.of(item)  # a new model has no card
    item = await cards.write_first(call.caller, Kind.MODEL, item["_id"], new.readme, call.limits)
    return await shown(call, item)


async def read(call: KubeflowCall) -> RegisteredModel:
    return await shown(call, await models.read(call.caller, call.serial))


async def update(call: KubeflowCall) -> RegisteredModel:
    body: RegisteredModelUpdate = await call.body(RegisteredModelUpdate)

    async def change() -> ItemRecord:
        item = await models.read(call.caller, call.serial)
        items.refuse_unchangeable(call.caller, item)
        wanted = body.as_change(item)
        # Properties replace what was read, so nothing may have changed since.
        revisions = None if body.custom_properties is None else [item["revision"]]
        async with external_ids.reserved(call.caller.tenant, body.external_id, item):
            return await changes.change_read(call.caller, Kind.MODEL, item, wanted, call.limits, revisions=revisions)

    async with queue_of("kubeflow", call.caller.tenant.name, "model", call.serial):
        if body.readme is not None:
            await _write_readme(call, body, body.readme)
        return await shown(call, await repeated_while_stale(change))


async def _write_readme(call: KubeflowCall, body: RegisteredModelUpdate, readme: str) -> None:
    """What would be refused afterwards is refused first, so that a refused change writes no card."""
    cards.refuse_text(readme)
    item = await items.changeable(
        call.caller, Kind.MODEL, Reference(str((await models.read(call.caller, call.serial))["_id"]))
    )
    await changes.check(call.caller, Kind.MODEL, item, body.as_change(item), call.limits)
    await external_ids.refuse_taken(call.caller.tenant, body.external_id, item)
    await cards.write_first(call.caller, Kind.MODEL, item["_id"], readme, call.limits)


async def shown(call: KubeflowCall, item: ItemRecord) -> RegisteredModel:
    """A model with the text of its card."""
    return RegisteredModel.of(item, (await models.readmes(call.caller, [item["_id"]])).get(item["_id"], ""))
