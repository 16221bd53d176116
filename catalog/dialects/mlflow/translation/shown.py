"""Models and versions as MLflow shows them."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from bson import ObjectId

from catalog.dialects.mlflow import models as wire
from catalog.dialects.mlflow.requests import Call
from catalog.dialects.mlflow.translation import tags
from catalog.dialects.mlflow.translation.finding import MODEL, RequestedModel
from catalog.dialects.mlflow.translation.stages import SPELT
from catalog.domain.access import Caller, readable_by
from catalog.domain.artifacts import paths
from catalog.domain.versions.across.newest import newest_of_stages
from catalog.domain.versions.aliases import moves
from catalog.store.records import ItemRecord, VersionRecord
from catalog.vocabulary import Stage, VersionState

READY = "READY"
FAILED = "FAILED_REGISTRATION"
IN_QUARANTINE = "the version is in quarantine: an administrator releases it"

Usernames = Mapping[ObjectId, str]


async def shown_model(call: Call, model: RequestedModel) -> wire.RegisteredModel:
    [shown] = await shown_models(call, [model])
    return shown


async def shown_models(call: Call, models: Sequence[RequestedModel]) -> list[wire.RegisteredModel]:
    items = [model.item for model in models]
    latest = await newest_of_stages(call.caller.tenant, items)
    usernames = await usernames_of(
        call.caller,
        [*(user for item in items for user in (item["owner"], *item["users"]))],
        [version["owner"] for versions in latest.values() for version in versions],
    )
    return [_model(call, model, latest[model.item["_id"]], usernames) for model in models]


async def shown_versions(
    call: Call, versions: Iterable[tuple[RequestedModel, VersionRecord]]
) -> list[wire.ModelVersion]:
    found = list(versions)
    usernames = await usernames_of(call.caller, [version["owner"] for _, version in found])
    return [_version(call, model, version, usernames) for model, version in found]


async def shown_version(call: Call, model: RequestedModel, version: VersionRecord) -> wire.ModelVersion:
    [shown] = await shown_versions(call, [(model, version)])
    return shown


async def usernames_of(caller: Caller, *users: Iterable[ObjectId]) -> Usernames:
    """The names of users by their ids. Those of the caller alone take no query."""
    ids = {user for some in users for user in some} - {caller.user}
    known = {caller.user: caller.username}
    if ids:
        async for user in caller.tenant.users.records.find({"_id": {"$in": list(ids)}}, {"username": 1}):
            known[user["_id"]] = user["username"]
    return known


async def named(caller: Caller, items: Sequence[ItemRecord]) -> list[RequestedModel]:
    """Items of a list with the names by which a client finds each: `owner/name` where the name alone means another."""
    names = [item["name"] for item in items if item["owner"] != caller.user]
    others: dict[str, set[ObjectId]] = {}
    if names:
        same = {"name": {"$in": names}, **readable_by(caller)}
        async for item in caller.tenant.items(MODEL).records.find(same, {"name": 1, "owner": 1}):
            others.setdefault(item["name"], set()).add(item["_id"])
    unclear = [item for item in items if item["owner"] != caller.user and len(others.get(item["name"], ())) > 1]
    usernames = await usernames_of(caller, [item["owner"] for item in unclear]) if unclear else {}
    ids = {item["_id"] for item in unclear if item["owner"] in usernames}
    return [
        RequestedModel(item, f"{usernames[item['owner']]}/{item['name']}" if item["_id"] in ids else item["name"])
        for item in items
    ]


def source_of(call: Call, version: VersionRecord) -> str:
    """What a version was made from, as a client named it, else where its bytes are."""
    return version.get("origin") or download_uri(call, version)


def download_uri(call: Call, version: VersionRecord) -> str:
    """Where the bytes of a version are: elsewhere, or in the artifact service."""
    if uri := version.get("uri"):
        return uri
    return call.address(f"artifacts/{paths.of_version(version['_id'])}") if version["file_count"] else ""


def milliseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


def _model(
    call: Call, model: RequestedModel, latest: Sequence[VersionRecord], usernames: Usernames
) -> wire.RegisteredModel:
    item = model.item
    aliases = item.get("aliases")
    return wire.RegisteredModel(
        name=model.name,
        creation_timestamp=milliseconds(item["timestamp"]),
        last_updated_timestamp=milliseconds(item["lastmod"]),
        user_id=usernames.get(item["owner"], ""),
        description=item["description"],
        latest_versions=[_version(call, model, version, usernames) for version in latest] if latest else [],
        tags=tags.of_model(item, usernames, call.services.visibility),
        aliases=[wire.ModelAlias(alias["name"], str(alias["number"])) for alias in aliases] if aliases else [],
    )


def _version(call: Call, model: RequestedModel, version: VersionRecord, usernames: Usernames) -> wire.ModelVersion:
    run = version.get("run")
    is_held = version["state"] == VersionState.QUARANTINED
    pairs = version["metadata"]
    return wire.ModelVersion(
        name=model.name,
        version=str(version["number"]),
        creation_timestamp=milliseconds(version["timestamp"]),
        last_updated_timestamp=milliseconds(version["lastmod"]),
        current_stage=SPELT[Stage(version.get("stage", Stage.NONE))],
        description=version["description"],
        source=source_of(call, version),
        run_id=run["id"] if run else "",
        status=FAILED if is_held else READY,
        run_link=run["link"] if run else "",
        user_id=version.get("author") or usernames.get(version["owner"], ""),
        status_message=IN_QUARANTINE if is_held else "",
        tags=tags.of_version(pairs),
        aliases=moves.names_of(model.item, version["number"]),
        model_id=next((str(pair["value"]) for pair in pairs if pair["name"] == tags.MODEL_ID), ""),
    )
