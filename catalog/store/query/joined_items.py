"""An item that is read together with the records that it names."""

from typing import NotRequired, cast

from bson import ObjectId

from catalog.store.records import ItemRecord, Query, UserRecord
from catalog.store.tenant import Tenant
from catalog.vocabulary import Kind


class JoinedItem(ItemRecord):
    """An item, its users and its datasets."""

    _users: NotRequired[list[UserRecord]]
    _datasets: NotRequired[list[ItemRecord]]


async def read_joined(tenant: Tenant, kind: Kind, identity: ObjectId) -> JoinedItem | None:
    """An item with its users as `_users` and, unless it is a dataset, its datasets as `_datasets`, in one command."""
    stages: list[Query] = [{"$match": {"_id": identity}}, _lookup("users")]
    if kind is not Kind.DATASET:
        stages.append(_lookup("datasets"))
    found = await tenant.items(kind).records.aggregate(stages).to_list(1)
    return cast("JoinedItem", found[0]) if found else None


def _lookup(collection: str) -> Query:
    """The documents whose ids are in the field of the same name."""
    return {"$lookup": {"from": collection, "localField": collection, "foreignField": "_id", "as": f"_{collection}"}}
