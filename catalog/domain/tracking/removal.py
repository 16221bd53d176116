"""Removes or transfers artifacts and services when a model, a version or a user is removed."""

from collections.abc import Iterable
from typing import cast

from bson import ObjectId

from catalog.errors import DEPLOYED, INVALID_TRANSFER, NOT_DELETED, Refused
from catalog.store.derived import reader_copies
from catalog.store.failures import Duplicate
from catalog.store.records import Query, ServiceRecord, TrackedRecord, VersionRecord
from catalog.store.tenant import Tenant
from catalog.store.tenant_documents import Records
from catalog.vocabulary import ServiceState, VersionState

BATCH = 500
"""Names that one query compares."""


async def refuse_deployed(tenant: Tenant, item: ObjectId) -> None:
    """Raises Refused: DEPLOYED while a service serves the model."""
    service = await tenant.services.records.find_one(
        {"item": item, "desired_state": ServiceState.DEPLOYED.value}, {"name": 1}
    )
    if service is not None:
        raise _deployed(service)


async def refuse_served(tenant: Tenant, version: VersionRecord) -> None:
    """Raises Refused: DEPLOYED while a service serves the version."""
    if service := await service_of(tenant, version):
        raise _deployed(service)


async def service_of(tenant: Tenant, version: VersionRecord) -> ServiceRecord | None:
    """A service, whose desired state is deployed, that serves the version or has deployed it; its id and name.

    A service without a version serves the newest one.
    """
    deployed: Query = {"item": version["item"], "desired_state": ServiceState.DEPLOYED.value}
    services = await tenant.services.records.find(deployed, {"version": 1, "name": 1}).to_list(None)
    for service in services:
        if service.get("version") == version["_id"]:
            return service
    without = next((service for service in services if not service.get("version")), None)
    if without and not await tenant.versions.records.find_one(_newer_than(version), {"_id": 1}):
        return without
    if not services:
        return None
    by_id = {service["_id"]: service for service in services}
    query: Query = {"item": version["item"], "version": version["_id"], "service": {"$in": list(by_id)}}
    served = await tenant.served_models.records.find_one(query, {"service": 1})
    return by_id[served["service"]] if served else None


def _newer_than(version: VersionRecord) -> Query:
    is_complete = {"state": {"$ne": VersionState.DRAFT.value}}
    return {"item": version["item"], "number": {"$gt": version["number"]}, **is_complete}


def _deployed(service: ServiceRecord) -> Refused:
    return Refused(DEPLOYED, f"the service {service['name']} serves it; with force it is removed nevertheless")


async def forget_model(tenant: Tenant, item: ObjectId) -> None:
    """Remove what belongs to a model alone. What belongs to others as well stays with them."""
    await tenant.services.records.delete_many({"item": item})
    await tenant.served_models.records.delete_many({"item": item})
    await tenant.artifacts.records.delete_many({"items": [item], "experiments": []})
    others = [artifact["_id"] async for artifact in tenant.artifacts.records.find({"items": item}, {"_id": 1})]
    await tenant.artifacts.records.update_many({"items": item}, {"$pull": {"items": item}})
    await reader_copies.renew(tenant, tenant.artifacts, {"_id": {"$in": others}})


async def forget_version(tenant: Tenant, version: VersionRecord) -> None:
    """Remove the artifacts that belong to a version alone, and the served models of the version.

    What belongs to others as well stays with them. It stays with the model, and with the access of that, only if it
    belongs to another version of the model.
    """
    artifacts, key, item = tenant.artifacts.records, version["_id"], version["item"]
    await tenant.served_models.records.delete_many({"version": key})
    await artifacts.delete_many({"versions": [key], "runs": []})
    async for artifact in artifacts.find({"versions": key}, {"versions": 1}):
        others = {"_id": {"$in": [each for each in artifact["versions"] if each != key]}, "item": item}
        is_of_model = await tenant.versions.records.find_one(others, {"_id": 1})
        lists = {"versions": key} if is_of_model else {"versions": key, "items": item}
        await artifacts.update_one({"_id": artifact["_id"]}, {"$pull": lists})
        await reader_copies.renew(tenant, tenant.artifacts, {"_id": artifact["_id"]})


async def refuse_collisions(tenant: Tenant, user: ObjectId, new_owner: ObjectId) -> None:
    """Raises Refused: INVALID_TRANSFER for a name that both use."""
    for bound in _owned(tenant):
        keys: list[str] = []
        async for record in bound.records.find({"owner": user}, {"keys": 1}):
            keys += _renewed(record["keys"], user, new_owner)
            if len(keys) >= BATCH:
                await _refuse_taken(bound, keys, new_owner)
                keys = []
        await _refuse_taken(bound, keys, new_owner)


async def _refuse_taken(bound: Records[TrackedRecord], keys: list[str], owner: ObjectId) -> None:
    taken = await bound.records.find_one({"keys": {"$in": keys}, "owner": owner}, {"name": 1})
    if taken is not None:
        raise _collision(bound, taken["name"])


async def refuse_while_owned(tenant: Tenant, user: ObjectId) -> None:
    """Raises Refused: NOT_DELETED while there is something that only this user may change."""
    for bound in _owned(tenant):
        if found := await bound.records.find_one({"owner": user}, {"serial": 1}):
            raise Refused(NOT_DELETED, f"Used in {bound.records.name} {found['serial']}")


def _owned(tenant: Tenant) -> tuple[Records[TrackedRecord], ...]:
    """What belongs to nothing else, and has names that are unique by owner."""
    return cast("tuple[Records[TrackedRecord], ...]", (tenant.experiments, tenant.environments))


async def transfer(tenant: Tenant, user: ObjectId, new_owner: ObjectId) -> None:
    """Make `new_owner` the owner of what `user` tracks and serves. Running it again continues with the rest.

    Raises Refused: INVALID_TRANSFER for a name that both use.
    """
    for bound in (
        tenant.experiments,
        tenant.runs,
        tenant.artifacts,
        tenant.environments,
        tenant.services,
        tenant.served_models,
    ):
        await _transfer(cast("Records[TrackedRecord]", bound), user, new_owner)
        await reader_copies.renew(tenant, bound, {"owner": new_owner})
    async for experiment in tenant.experiments.records.find({"owner": new_owner}, {"_id": 1}):
        await reader_copies.spread_experiment(tenant, experiment["_id"])


async def _transfer(bound: Records[TrackedRecord], user: ObjectId, new_owner: ObjectId) -> None:
    async for record in bound.records.find({"$or": [{"owner": user}, {"own_readers": user}]}):
        readers = [new_owner if reader == user else reader for reader in record["own_readers"]]
        keys = _renewed(record["keys"], user, new_owner)
        owner = new_owner if record["owner"] == user else record["owner"]
        fields = {"owner": owner, "own_readers": list(dict.fromkeys(readers)), "keys": keys}
        try:
            await bound.records.update_one({"_id": record["_id"]}, {"$set": fields, "$inc": {"revision": 1}})
        except Duplicate:
            raise _collision(bound, record["name"]) from None


def _renewed(keys: Iterable[str], user: ObjectId, new_owner: ObjectId) -> list[str]:
    """The keys of a record when it has the new owner."""
    own, other = f"n:{user}:", f"n:{new_owner}:"
    return [other + key.removeprefix(own) if key.startswith(own) else key for key in keys]


def _collision(bound: Records[TrackedRecord], name: str) -> Refused:
    return Refused(INVALID_TRANSFER, f"transfer: both have something called {name} in {bound.records.name}")
