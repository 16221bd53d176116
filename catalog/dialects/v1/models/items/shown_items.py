"""Models, datasets and algorithms: what answers show. What is not declared here is never shown."""

from collections.abc import Mapping
from typing import Annotated, Any, Self

from bson import ObjectId
from msgspec import UNSET, Meta, Struct, UnsetType

from catalog.dialects.v1.models.common import Id, Moment, moment
from catalog.dialects.v1.models.items.items import Item, item_fields
from catalog.dialects.v1.models.people.people import User
from catalog.domain.access import Caller
from catalog.domain.items.related import Related
from catalog.store.records import ItemRecord, TrashRecord, UserRecord
from catalog.vocabulary import Kind, Status


class Dataset(Item, kw_only=True):
    """A dataset."""

    users: Annotated[list[User], Meta(description="Users who may read it, beside its owner.")]


class Model(Dataset, kw_only=True):
    """A model."""

    datasets: Annotated[list[Dataset | Id], Meta(description="Only the id of what the caller may not read.")]
    status: Status


class Algorithm(Model, kw_only=True):
    """An algorithm."""


class RemovedDataset(Item, kw_only=True):
    """A dataset that was just removed."""

    users: list[Id]


class RemovedModel(RemovedDataset, kw_only=True):
    """A model that was just removed."""

    datasets: list[Id]
    status: Status


class RemovedAlgorithm(RemovedModel, kw_only=True):
    """An algorithm that was just removed."""


class SearchHit(Item, kw_only=True):
    """A model, a dataset or an algorithm that a search found."""

    kind: Kind
    reference: Annotated[
        str, Meta(description="`owner/name`, which names it for every user; `@` and a version follow.")
    ]
    users: list[User]
    datasets: list[Dataset | Id] | UnsetType = UNSET
    status: Status | UnsetType = UNSET


def item(record: ItemRecord, related: Related, caller: Caller) -> Dataset:
    """An item with its users and versions and, as far as the caller may read them, its datasets."""
    fields, users = item_fields(record, related), _users(record, related, caller)
    if "status" not in record:
        return Dataset(**fields, users=users)
    datasets = [_dataset(key, related, caller) for key in record["datasets"]]
    return Model(**fields, users=users, datasets=datasets, status=Status(record["status"]))


def search_hit(
    kind: Kind, record: ItemRecord, related: Related, owners: Mapping[ObjectId, UserRecord], caller: Caller
) -> SearchHit:
    fields, users = item_fields(record, related), _users(record, related, caller)
    fields |= {"kind": kind, "reference": _reference(record, owners.get(record["owner"]))}
    if "status" not in record:
        return SearchHit(**fields, users=users)
    datasets = [_dataset(key, related, caller) for key in record["datasets"]]
    return SearchHit(**fields, users=users, datasets=datasets, status=Status(record["status"]))


def _reference(record: ItemRecord, owner: UserRecord | None) -> str:
    """`owner/name`; the id of the item if its owner is just being removed."""
    return f"{owner['username']}/{record['name']}" if owner else str(record["_id"])


def removed_item(record: ItemRecord, related: Related) -> RemovedDataset:
    """An item with the ids of its users and datasets."""
    fields, users = item_fields(record, related), list(map(str, record["users"]))
    if "status" not in record:
        return RemovedDataset(**fields, users=users)
    return RemovedModel(
        **fields, users=users, datasets=list(map(str, record["datasets"])), status=Status(record["status"])
    )


def _dataset(key: Any, related: Related, caller: Caller) -> Dataset | str:
    dataset = related.datasets.get(key)
    if dataset is None:
        return str(key)
    return Dataset(**item_fields(dataset, related), users=_users(dataset, related, caller))


def _users(record: ItemRecord, related: Related, caller: Caller) -> list[User]:
    """The users that still exist."""
    known = related.users
    return [User.seen_by(caller, known[key]) for key in record["users"] if key in known]


class TrashEntry(Struct, rename={"id": "_id"}):
    """An item in the trash."""

    id: Id
    kind: Kind
    name: str
    owner: Id
    removed_by: Id
    removed: Moment
    until: Moment

    @classmethod
    def of(cls, record: TrashRecord) -> Self:
        return cls(
            id=str(record["_id"]),
            kind=Kind(record["kind"]),
            name=record["name"],
            owner=str(record["owner"]),
            removed_by=str(record["removed_by"]),
            removed=moment(record["removed"]),
            until=moment(record["until"]),
        )
