"""What becomes of artifacts and services when a model, a version or a user is removed."""

from typing import Any, cast

from bson import ObjectId

from catalog.errors import DEPLOYED, INVALID_TRANSFER, Refused
from catalog.store.database import Duplicate, Tenant
from catalog.store.records import TrackedRecord
from catalog.store.tenant_documents import Bound
from catalog.vocabulary import ServiceState


async def refuse_deployed(tenant: Tenant, item: ObjectId) -> None:
    """Raises Refused: DEPLOYED while a service serves the model."""
    service = await tenant.services.records.find_one(
        {"item": item, "desired_state": ServiceState.DEPLOYED.value}, {"name": 1}
    )
    if service is not None:
        raise Refused(DEPLOYED, f"by the service {service['name']}; ?force=true removes it nevertheless")


async def forget_model(tenant: Tenant, item: ObjectId) -> None:
    """Remove what belongs to a model alone. What belongs to others as well stays with them."""
    await tenant.services.records.delete_many({"item": item})
    await tenant.served_models.records.delete_many({"item": item})
    await tenant.artifacts.records.delete_many({"items": [item], "experiments": []})
    await tenant.artifacts.records.update_many({"items": item}, {"$pull": {"items": item}})


async def forget_version(tenant: Tenant, version: ObjectId) -> None:
    """Remove the artifacts that belong to a version alone."""
    await tenant.artifacts.records.delete_many({"versions": [version], "runs": []})
    await tenant.artifacts.records.update_many({"versions": version}, {"$pull": {"versions": version}})


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
        await _transfer(cast("Bound[Any, TrackedRecord]", bound), user, new_owner)


async def _transfer(bound: Bound[Any, TrackedRecord], user: ObjectId, new_owner: ObjectId) -> None:
    async for record in bound.records.find({"$or": [{"owner": user}, {"readers": user}]}):
        readers = [new_owner if reader == user else reader for reader in record["readers"]]
        own, other = f"n:{user}:", f"n:{new_owner}:"
        keys = [other + key.removeprefix(own) if key.startswith(own) else key for key in record["keys"]]
        owner = new_owner if record["owner"] == user else record["owner"]
        fields = {"owner": owner, "readers": list(dict.fromkeys(readers)), "keys": keys}
        try:
            await bound.records.update_one({"_id": record["_id"]}, {"$set": fields, "$inc": {"revision": 1}})
        except Duplicate:
            raise Refused(
                INVALID_TRANSFER, f"transfer: both have something called {record['name']} in {bound.raw.name}"
            ) from None
