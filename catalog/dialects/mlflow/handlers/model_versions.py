"""The calls about versions of registered models: `model-versions/...`."""

from collections.abc import Awaitable
from dataclasses import replace
from urllib.parse import unquote

from bson import ObjectId

from catalog.dialects.http.encoded import fitting
from catalog.dialects.mlflow import models as wire
from catalog.dialects.mlflow.requests import Call
from catalog.dialects.mlflow.search import queries
from catalog.dialects.mlflow.search.filters import VERSION_ATTRIBUTES, Condition, parse
from catalog.dialects.mlflow.search.ordering import VERSION_KEYS, order_of
from catalog.dialects.mlflow.translation import finding, sources, tags
from catalog.dialects.mlflow.translation.finding import MODEL, RequestedModel, RequestedVersion
from catalog.dialects.mlflow.translation.shown import download_uri, named, shown_version, shown_versions
from catalog.dialects.mlflow.translation.stages import EXCLUSIVE, SPELT, stage_of
from catalog.domain.access import Caller
from catalog.domain.items.inputs import ListChange, MetadataPair, PairToRemove
from catalog.domain.versions import stages, version_changes, versions
from catalog.domain.versions.across import search as across
from catalog.domain.versions.across.version_search import VersionSearch
from catalog.domain.versions.details import TrainingRun, VersionDetails
from catalog.domain.versions.insertion import serial_ahead
from catalog.domain.versions.version_changes import VersionChange
from catalog.errors import INVALID_FIELD, INVALID_QUERY, NOT_FOUND, Refused
from catalog.store.query.paging.cursors import DESCENDING, Order
from catalog.store.records import VersionRecord
from catalog.vocabulary import Stage

NEWEST: Order = [("lastmod", DESCENDING)]

LARGEST_PAGE = 10_000
"""The most versions of one page, also where the client asks for more. Its page token leads to the next page."""

MOST_NAMES = 100
"""Different names of models in one search of versions: each is resolved by itself."""

AUTHOR = "x-catalog-author"
ORIGIN = "x-catalog-origin"
"""The headers in which our plugin and `catalog import mlflow` say who made a version, and what it was made from before
its files were uploaded. They are percent-encoded."""

NOTHING = wire.Nothing()


async def create(call: Call, message: wire.CreateModelVersion) -> wire.OneVersion:
    with serial_ahead(call.caller) as serial:
        model = await finding.changeable_model(call, message.name)
        version = await _created(call, message, model, serial)
        return wire.OneVersion(await shown_version(call, model, version))


async def _created(
    call: Call, message: wire.CreateModelVersion, model: RequestedModel, serial: Awaitable[int]
) -> VersionRecord:
    given = tags.checked(message.tags)
    is_prompt = given.get(queries.PROMPT) == "true" or tags.is_prompt(model.item)
    number = finding.number_to_take(message.version)
    source = await sources.read(call, message.source, is_text=is_prompt or number > 0)
    if model_id := message.model_id or source.model_id:
        given[tags.MODEL_ID] = model_id
    details = VersionDetails(
        number=number,
        description=message.description,
        metadata=[MetadataPair(key, value) for key, value in given.items()],
        author=unquote(call.request.headers.get(AUTHOR, "")),
        stage=stage_of(message.current_stage) if message.current_stage else Stage.NONE,
        run=TrainingRun(message.run_id or source.run_id, message.run_link),
        uri=source.uri,
        origin=_origin(call, source, is_copy=number > 0),
    )
    limits = tags.allowing_tags(call.services.limits)
    if not source.files:
        _, version = await versions.register_of(call.caller, MODEL, model.item, details, limits, serial)
        return version
    identity = ObjectId()
    details = replace(details, uri="").checked(limits)
    item = model.item
    await versions.record(call.caller, MODEL, item["_id"], source.files, details, identity=identity, first=item)
    return await _read(call.caller, identity)


def _origin(call: Call, source: sources.VersionSource, *, is_copy: bool) -> str:
    """What the version was made from, where that is not its `uri`."""
    if (source.files or is_copy) and (named := unquote(call.request.headers.get(ORIGIN, ""))):
        return named
    return source.text if source.uri != source.text else ""


async def get(call: Call, message: wire.NumberedVersion) -> wire.OneVersion:
    return await _answer(call, await finding.version(call, message.name, message.version))


async def update(call: Call, message: wire.UpdateModelVersion) -> wire.OneVersion:
    return await _answer(call, await _change(call, message, VersionChange(description=message.description)))


async def transition_stage(call: Call, message: wire.TransitionModelVersionStage) -> wire.OneVersion:
    stage = stage_of(message.stage)
    if message.archive_existing_versions and stage not in EXCLUSIVE:
        names = " or ".join(sorted(SPELT[each] for each in EXCLUSIVE))
        raise Refused(INVALID_FIELD, f"archive_existing_versions is for the stages {names}, not {SPELT[stage]}")
    found = await finding.changeable_version(call, message.name, message.version)
    if message.archive_existing_versions:
        version = await stages.take_over(call.caller, MODEL, found.reference, stage)
    else:
        version = await version_changes.change(call.caller, MODEL, found.reference, VersionChange(stage=stage))
    return await _answer(call, RequestedVersion(found.model, version))


async def delete(call: Call, message: wire.NumberedVersion) -> wire.Nothing:
    found = await finding.changeable_version(call, message.name, message.version)
    await versions.remove(call.caller, MODEL, found.reference, with_aliases=True)
    return NOTHING


async def get_download_uri(call: Call, message: wire.NumberedVersion) -> wire.DownloadUri:
    version = (await finding.version(call, message.name, message.version)).version
    return wire.DownloadUri(download_uri(call, version) or version.get("origin", ""))


async def set_tag(call: Call, message: wire.SetModelVersionTag) -> wire.Nothing:
    key = tags.checked_key(message.key)
    pair = MetadataPair(key, tags.checked_value(key, message.value))
    await _change(call, message, VersionChange(metadata=ListChange(add=[pair])))
    return NOTHING


async def delete_tag(call: Call, message: wire.DeleteModelVersionTag) -> wire.Nothing:
    await _change(call, message, VersionChange(metadata=ListChange(remove=[PairToRemove(message.key)])))
    return NOTHING


async def search(call: Call, message: wire.SearchModelVersions) -> wire.FoundVersions:
    limit = min(queries.refuse_page_size(message.max_results, wire.MOST_VERSIONS), LARGEST_PAGE)
    conditions = queries.shown(parse(message.filter, VERSION_ATTRIBUTES))
    order = order_of(message.order_by, VERSION_KEYS, NEWEST)
    wanted = VersionSearch(
        kind=MODEL,
        filters=queries.of_versions(conditions, lambda source: sources.own_version(call, source)),
        item_filters=queries.of_the_models(conditions),
        items=await _named_items(call, conditions),
        aliases=queries.aliases_of(conditions),
        order=order,
    )
    found, cursor = await across.search(call.caller, wanted, limit=limit, after=message.page_token)
    items = list({each.item["_id"]: each.item for each in found}.values())
    models = {model.item["_id"]: model for model in await named(call.caller, items)}
    shown = await shown_versions(call, [(models[each.item["_id"]], each.version) for each in found])
    fit = fitting(shown)
    if len(fit) < len(found):
        cursor = across.cursor_at(call.caller, wanted, found[len(fit) - 1])
    return wire.FoundVersions(fit, cursor or "")


async def _named_items(call: Call, conditions: list[Condition]) -> list[ObjectId] | None:
    """The models that all conditions on the name mean, resolved as everywhere; None without such a condition.

    Raises Refused: INVALID_QUERY for more than MOST_NAMES, AMBIGUOUS.
    """
    message = [
        each.value if isinstance(each.value, tuple) else (str(each.value),)
        for each in conditions
        if not each.is_tag and each.key == "name" and each.operator in {"=", "IN"}
    ]
    if not message:
        return None
    names = {name for some in message for name in some}
    if len(names) > MOST_NAMES:
        raise Refused(INVALID_QUERY, f"Invalid filter: it names more than {MOST_NAMES} models")
    models = await finding.find_models(call, sorted(names))
    ids = [{model.item["_id"] for name in some if (model := models[name])} for some in message]
    return sorted(set.intersection(*ids))


async def _change(call: Call, message: wire.NumberedVersion, change: VersionChange) -> RequestedVersion:
    limits = tags.allowing_tags(call.services.limits)
    found = await finding.changeable_version(call, message.name, message.version)
    version = await version_changes.change_read(call.caller, MODEL, found.version, change, limits)
    return RequestedVersion(found.model, version)


async def _answer(call: Call, found: RequestedVersion) -> wire.OneVersion:
    return wire.OneVersion(await shown_version(call, found.model, found.version))


async def _read(caller: Caller, identity: ObjectId) -> VersionRecord:
    found = await caller.tenant.versions.records.find_one({"_id": identity})
    if found is None:
        raise Refused(NOT_FOUND, "the version was removed at once")
    return found
