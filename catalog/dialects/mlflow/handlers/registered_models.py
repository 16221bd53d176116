"""The calls about registered models: `registered-models/...`."""

from collections.abc import Sequence
from functools import lru_cache

import msgspec
from bson import ObjectId

from catalog.dialects.http.encoded import LARGEST_PAGE, fitting
from catalog.dialects.mlflow import models as wire
from catalog.dialects.mlflow.requests import Call, reading
from catalog.dialects.mlflow.search import queries
from catalog.dialects.mlflow.search.filters import MODEL_ATTRIBUTES, parse
from catalog.dialects.mlflow.search.ordering import MODEL_KEYS, order_of
from catalog.dialects.mlflow.translation import finding, tags
from catalog.dialects.mlflow.translation.finding import MODEL, RequestedModel
from catalog.dialects.mlflow.translation.shown import (
    named,
    shown_model,
    shown_models,
    shown_version,
    shown_versions,
    usernames_of,
)
from catalog.dialects.mlflow.translation.stages import stages_of
from catalog.domain.access import readable_by
from catalog.domain.items import items
from catalog.domain.items.inputs import ItemChange, NewItem
from catalog.domain.items.writing import changes, renaming
from catalog.domain.versions import lookup
from catalog.domain.versions.across.newest import newest_of_stages
from catalog.domain.versions.aliases import aliases, moves
from catalog.errors import ALIAS_UNKNOWN, INVALID_FIELD, NAME_TAKEN, Refused
from catalog.store.query.budgets import Room
from catalog.store.query.fields import MODELS
from catalog.store.query.filters.filter import Filter, filter_of
from catalog.store.query.paging import pages as store_pages
from catalog.store.query.paging.cursors import ASCENDING, cursor_of
from catalog.store.query.paging.pages import Listing
from catalog.store.records import ItemRecord
from catalog.vocabulary import Stage

BY_NAME = [("name", ASCENDING)]
NOTHING = wire.Nothing()

REMEMBERED = 256
"""Filters whose compiled form is remembered, of LONGEST_REMEMBERED characters at most. They say nothing of a caller."""

LONGEST_REMEMBERED = 500

SHOWN_AT_ONCE = 25
"""Models whose newest versions are read together: each may have megabytes of metadata."""


async def create(call: Call, message: wire.CreateRegisteredModel) -> wire.OneModel:
    given = tags.checked(message.tags)
    name = finding.checked_name(message.name)
    reserved = tags.ReservedFields.of(given)
    new = NewItem(
        name=name,
        description=message.description,
        visibility=reserved.visibility or call.services.visibility,
        metadata=tags.pairs_of(given),
        users=reserved.users,
        status=reserved.status,
    )
    limits = tags.allowing_tags(call.services.limits)
    try:
        item = await items.create(call.caller, MODEL, new, limits, is_unambiguous=True)
    except Refused as refused:
        if refused.fault is NAME_TAKEN and (taken := await _readable_named(call, name)):
            raise _taken(name, taken, is_prompt=given.get(queries.PROMPT) == "true") from None
        raise
    return wire.OneModel(await shown_model(call, RequestedModel(item, item["name"])))


async def get(call: Call, message: wire.NamedModel) -> wire.OneModel:
    return wire.OneModel(await shown_model(call, await finding.model(call, message.name)))


async def update(call: Call, message: wire.UpdateRegisteredModel) -> wire.OneModel:
    model = await finding.changeable_model(call, message.name)
    item = await _change(call, model, ItemChange(description=message.description))
    return wire.OneModel(await shown_model(call, RequestedModel(item, model.name)))


async def rename(call: Call, message: wire.RenameRegisteredModel) -> wire.OneModel:
    model = await finding.changeable_model(call, message.name)
    name = finding.checked_name(message.new_name)
    taken = await _readable_named(call, name)
    if taken and taken["_id"] != model.item["_id"]:
        raise _taken(name, taken, is_prompt=False)
    limits = call.services.limits
    try:
        item = await renaming.rename(call.caller, MODEL, model.reference, name, limits)
    except Refused as refused:
        if refused.fault is NAME_TAKEN and (taken := await _own(call, name, model.item["owner"])):
            raise _taken(name, taken, is_prompt=False) from None
        raise
    return wire.OneModel(await shown_model(call, RequestedModel(item, item["name"])))


async def delete(call: Call, message: wire.NamedModel) -> wire.Nothing:
    model = await finding.changeable_model(call, message.name)
    await items.remove(call.caller, MODEL, model.reference, days=call.services.trash_days)
    return NOTHING


async def search(call: Call, message: wire.SearchRegisteredModels) -> wire.FoundModels:
    limit = queries.refuse_page_size(message.max_results, wire.MOST_MODELS)
    order = order_of(message.order_by, MODEL_KEYS, BY_NAME)
    tenant = call.caller.tenant
    listing = Listing.of(
        tenant.models.records,
        {**readable_by(call.caller), "archived": {"$ne": True}},
        _filter_of(message.filter),
        order,
        top=await tenant.recent("serial"),
        statistics=tenant.scan_statistics,
        samples=tenant.known.samples,
    )
    docs, cursor = await store_pages.after(listing, message.page_token, limit=limit, room=Room())
    found = await named(call.caller, docs)
    fit = await _fitting(call, found)
    if len(fit) < len(docs):
        cursor = cursor_of(listing.settled, docs[len(fit) - 1])
    return wire.FoundModels(fit, cursor or "")


def _filter_of(text: str) -> Filter:
    """The filter of a search. Raises Refused: INVALID_QUERY."""
    return _compiled(text) or _compile(text)


@lru_cache(REMEMBERED)
def _compiled(text: str) -> Filter | None:
    """A filter that the database answers whole: clients ask the same again and again. None: compile it each time."""
    if len(text) > LONGEST_REMEMBERED:
        return None
    compiled = _compile(text)
    return compiled if compiled.matches is None else None


def _compile(text: str) -> Filter:
    return filter_of(MODELS, None, queries.of_models(queries.shown(parse(text, MODEL_ATTRIBUTES))))


async def _fitting(call: Call, models: Sequence[RequestedModel]) -> list[msgspec.Raw]:
    """The first models, encoded, as many as fit on a page."""
    fit: list[msgspec.Raw] = []
    room = LARGEST_PAGE
    for at in range(0, len(models), SHOWN_AT_ONCE):
        some = models[at : at + SHOWN_AT_ONCE]
        encoded = fitting(await shown_models(call, some), room)
        fit += encoded
        room -= sum(len(bytes(each)) for each in encoded)
        if len(encoded) < len(some) or room <= 0:
            break
    return fit


@reading
async def latest_versions(call: Call, message: wire.GetLatestVersions) -> wire.LatestVersions:
    stages = stages_of(message.stages)
    model = await finding.model(call, message.name)
    found = (await newest_of_stages(call.caller.tenant, [model.item]))[model.item["_id"]]
    wanted = [version for version in found if version.get("stage", Stage.NONE) in stages]
    return wire.LatestVersions(await shown_versions(call, [(model, version) for version in wanted]))


async def set_tag(call: Call, message: wire.SetRegisteredModelTag) -> wire.Nothing:
    model = await finding.changeable_model(call, message.name)
    key = tags.checked_key(message.key)
    await _change(call, model, tags.setting(model.item, key, message.value, await _user_ids(call, model)))
    return NOTHING


async def delete_tag(call: Call, message: wire.DeleteRegisteredModelTag) -> wire.Nothing:
    model = await finding.changeable_model(call, message.name)
    change = tags.deleting(model.item, message.key, await _user_ids(call, model), call.services.visibility)
    await _change(call, model, change)
    return NOTHING


async def set_alias(call: Call, message: wire.SetRegisteredModelAlias) -> wire.Nothing:
    alias = finding.checked_alias(message.alias)
    found = await finding.changeable_version(call, message.name, message.version)
    await aliases.point_to(call.caller, MODEL, found.model.item, alias, found.version)
    return NOTHING


async def delete_alias(call: Call, message: wire.RegisteredModelAlias) -> wire.Nothing:
    model = await finding.changeable_model(call, message.name)
    try:
        await aliases.remove(call.caller, MODEL, model.reference, message.alias)
    except Refused as refused:
        if refused.fault is not ALIAS_UNKNOWN:
            raise
    return NOTHING


async def version_by_alias(call: Call, message: wire.RegisteredModelAlias) -> wire.OneVersion:
    model = await finding.model(call, message.name)
    if message.alias.lower() == "latest":
        version = await lookup.latest(call.caller.tenant, model.item)
    elif alias := moves.find(model.item, message.alias):
        version = (await finding.version_of(call, model, alias["number"])).version
    else:
        version = None
    if version is None:
        raise Refused(INVALID_FIELD, f"Registered model alias {message.alias[:300]} not found.")
    return wire.OneVersion(await shown_version(call, model, version))


async def _change(call: Call, model: RequestedModel, change: ItemChange) -> ItemRecord:
    return await changes.change_read(call.caller, MODEL, model.item, change, tags.allowing_tags(call.services.limits))


async def _user_ids(call: Call, model: RequestedModel) -> list[str]:
    """The users with whom a model is shared, without groups: the reserved tag shows and changes the users only."""
    usernames = await usernames_of(call.caller, model.item["users"]) if model.item["users"] else {}
    return [str(user) for user in model.item["users"] if user in usernames]


async def _readable_named(call: Call, name: str) -> ItemRecord | None:
    """A model that the name means already, also an archived one. Of several the first."""
    same = {"name": name, **readable_by(call.caller)}
    return await call.caller.tenant.models.records.find_one(same)


async def _own(call: Call, name: str, owner: ObjectId | None = None) -> ItemRecord | None:
    return await call.caller.tenant.models.records.find_one({"name": name, "owner": owner or call.caller.user})


def _taken(name: str, item: ItemRecord, *, is_prompt: bool) -> Refused:
    """The sentences that clients know of a name that a model or a prompt has already."""
    if is_prompt == tags.is_prompt(item):
        return Refused(NAME_TAKEN, f"{'Prompt' if is_prompt else 'Registered Model'} (name={name}) already exists")
    new, old = ("prompt", "registered model") if is_prompt else ("registered model", "prompt")
    sentence = f"Tried to create a {new} with name '{name}', but the name is already taken by a {old}."
    return Refused(NAME_TAKEN, f"{sentence} MLflow does not allow creating a model and a prompt with the same name.")
