"""Models, datasets and algorithms: what answers show. What is not declared here is never shown."""

from collections.abc import Mapping
from typing import Annotated, Self

from bson import ObjectId
from msgspec import UNSET, Meta, Struct, UnsetType

from catalog.dialects.http.encoded import StructFields
from catalog.dialects.v1.models.common import Id, Moment, moment
from catalog.dialects.v1.models.items.item_body import ItemBody, item_fields
from catalog.dialects.v1.models.people.people import UserBody
from catalog.domain.access import Caller
from catalog.domain.items import sharing
from catalog.domain.items.reading.related import Related
from catalog.domain.items.sharing import May
from catalog.store.records import ItemRecord, TrashRecord, UserRecord
from catalog.vocabulary import Kind, Status, Visibility


class PartyBody(Struct, rename={"id": "_id"}):
    """A user or a group."""

    id: Id
    name: str
    kind: Annotated[str, Meta(extra_json_schema={"enum": ["user", "group"]})]


class GrantBody(PartyBody):
    """What a user or a group may do: `manage` as the owner, `edit` as an editor, `read` as one of the users."""

    may: May
    shared_by: Annotated[
        str | UnsetType,
        Meta(description="The username of who has shared it. Not of older shares, and users that are gone."),
    ] = UNSET
    shared: Annotated[Moment | UnsetType, Meta(description="Since when it is shared.")] = UNSET

    @classmethod
    def of(cls, grant: sharing.AccessGrant) -> Self:
        party, since = grant.party, grant.since
        return cls(
            str(party.identity),
            party.name,
            _kind(party),
            grant.may,
            grant.by or UNSET,
            UNSET if since is None else moment(since),
        )


class ItemAccess(Struct):
    """Who may see an item, and why. Administrators of the tenant may do everything."""

    visibility: Annotated[Visibility, Meta(description="`public`: all users of the tenant may read it.")]
    grants: list[GrantBody]


class Shared(ItemBody, kw_only=True):
    """With whom an item is shared."""

    users: Annotated[list[UserBody], Meta(description="Users who may read it, beside its owner.")]
    groups: Annotated[list[PartyBody] | UnsetType, Meta(description="Groups whose members may read it, if any.")] = (
        UNSET
    )
    editors: Annotated[
        list[PartyBody] | UnsetType, Meta(description="Users and groups who may also change its content, if any.")
    ] = UNSET


class DatasetBody(Shared, kw_only=True):
    """A dataset."""


class ModelBody(DatasetBody, kw_only=True):
    """A model."""

    datasets: Annotated[list[DatasetBody | Id], Meta(description="Only the id of what the caller may not read.")]
    status: Status


class AlgorithmBody(ModelBody, kw_only=True):
    """An algorithm."""


class RemovedDataset(ItemBody, kw_only=True):
    """A dataset that was just removed."""

    users: Annotated[list[Id], Meta(description="Users and groups.")]
    editors: Annotated[list[Id] | UnsetType, Meta(description="Users and groups, if any.")] = UNSET


class RemovedModel(RemovedDataset, kw_only=True):
    """A model that was just removed."""

    datasets: list[Id]
    status: Status


class RemovedAlgorithm(RemovedModel, kw_only=True):
    """An algorithm that was just removed."""


class SearchHit(Shared, kw_only=True):
    """A model, a dataset or an algorithm that a search found."""

    kind: Kind
    reference: Annotated[
        str, Meta(description="`owner/name`, which names it for every user; `@` and a version follow.")
    ]
    datasets: list[DatasetBody | Id] | UnsetType = UNSET
    status: Status | UnsetType = UNSET


def item(record: ItemRecord, related: Related, caller: Caller) -> DatasetBody:
    """An item with its users and versions and, those of its datasets that the caller may read."""
    fields = item_fields(record, related) | _sharing(record, related, caller)
    if "status" not in record:
        return DatasetBody(**fields)
    datasets = [_dataset(key, related, caller) for key in record["datasets"]]
    return ModelBody(**fields, datasets=datasets, status=Status(record["status"]))


def search_hit(
    kind: Kind, record: ItemRecord, related: Related, owners: Mapping[ObjectId, UserRecord], caller: Caller
) -> SearchHit:
    fields = item_fields(record, related) | _sharing(record, related, caller)
    fields |= {"kind": kind, "reference": reference_of(record, owners.get(record["owner"]))}
    if "status" not in record:
        return SearchHit(**fields)
    datasets = [_dataset(key, related, caller) for key in record["datasets"]]
    return SearchHit(**fields, datasets=datasets, status=Status(record["status"]))


def reference_of(record: ItemRecord, owner: UserRecord | None) -> str:
    """`owner/name`; the id of the item if its owner is just being removed."""
    return f"{owner['username']}/{record['name']}" if owner else str(record["_id"])


def removed_item(record: ItemRecord, related: Related) -> RemovedDataset:
    """An item with the ids of its users and datasets."""
    fields = item_fields(record, related)
    fields["users"] = list(map(str, record["users"]))
    fields["editors"] = list(map(str, record.get("editors", ()))) or UNSET
    if "status" not in record:
        return RemovedDataset(**fields)
    return RemovedModel(**fields, datasets=list(map(str, record["datasets"])), status=Status(record["status"]))


def _dataset(key: ObjectId, related: Related, caller: Caller) -> DatasetBody | str:
    dataset = related.datasets.get(key)
    if dataset is None:
        return str(key)
    return DatasetBody(**item_fields(dataset, related), **_sharing(dataset, related, caller))


def _sharing(record: ItemRecord, related: Related, caller: Caller) -> StructFields:
    """The users and groups that still exist."""
    if not record["users"] and not record.get("editors"):
        return {"users": []}
    users, groups = related.users, related.groups
    return {
        "users": [UserBody.seen_by(caller, users[key]) for key in record["users"] if key in users],
        "groups": [PartyBody(str(key), groups[key]["name"], "group") for key in record["users"] if key in groups]
        or UNSET,
        "editors": [
            PartyBody(str(key), party.name, _kind(party))
            for key in record.get("editors", ())
            if (party := sharing.party(key, users, groups))
        ]
        or UNSET,
    }


def _kind(party: sharing.Grantee) -> str:
    return "group" if party.is_group else "user"


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
