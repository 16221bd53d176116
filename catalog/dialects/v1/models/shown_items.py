"""Models, datasets and algorithms: what answers show. What is not declared here is never shown."""

from typing import Annotated, Any, Self

from msgspec import UNSET, Meta, Struct, UnsetType

from catalog.dialects.v1.models.common import Digest, Id, Moment, moment
from catalog.dialects.v1.models.metadata import Pair
from catalog.dialects.v1.models.people import User
from catalog.domain.access import Caller
from catalog.domain.items.related import Related
from catalog.store.records import ItemRecord, TrashRecord, VersionRecord
from catalog.vocabulary import Kind, Status, VersionState, Visibility

LONGEST_EMBEDDED = 1000  # characters of a version's description in its item

ARCHIVE = {"encoding": "binary", "mimetype": "application/zip"}
"""How a folder is downloaded."""

Count = Annotated[int, Meta(ge=0)]
State = Annotated[str, Meta(extra_json_schema={"enum": [str(state) for state in VersionState]})]


class VersionSummary(Struct, kw_only=True):
    """A version, as its item shows it. A folder is shown as the archive that a download of it is."""

    ordinal: Annotated[str, Meta(description="The label of the version.")]
    key: Id
    original: Annotated[str, Meta(description="The name of its file, or of the archive of a folder.")]
    encoding: str
    mimetype: str
    size: Annotated[Count, Meta(description="Bytes of all files together.")]
    description: str
    timestamp: Moment
    digest: Digest
    state: State
    file_count: Annotated[Count | UnsetType, Meta(description="Only of a folder.")] = UNSET
    description_truncated: Annotated[
        bool | UnsetType, Meta(description="True: the description is longer, the version's own record has all of it.")
    ] = UNSET

    @classmethod
    def of(cls, record: VersionRecord) -> Self:
        is_folder = record["folder"]
        file = ARCHIVE | {"original": f"{record['ordinal']}.zip"} if is_folder else record["files"][0]
        description = record["description"]
        is_long = len(description) > LONGEST_EMBEDDED
        return cls(
            ordinal=record["ordinal"],
            key=str(record["_id"]),
            original=file["original"],
            encoding=file["encoding"],
            mimetype=file["mimetype"],
            size=record["size"],
            description=description[:LONGEST_EMBEDDED] if is_long else description,
            timestamp=moment(record["timestamp"]),
            digest=record["digest"],
            state=record["state"],
            file_count=record["file_count"] if is_folder else UNSET,
            description_truncated=True if is_long else UNSET,
        )


class Item(Struct, kw_only=True, rename={"id": "_id", "versions_total": "versionsTotal"}):
    """What models, datasets and algorithms have in common."""

    visibility: Visibility
    tags: list[str]
    id: Id
    name: str
    description: str
    metadata: list[Pair]
    owner: Id
    versions: Annotated[
        list[VersionSummary], Meta(description="The newest 100, with descriptions of at most 1000 characters.")
    ]
    versions_total: Annotated[Count, Meta(description="How many versions there are.")]
    timestamp: Moment
    lastmod: Moment


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
    users: list[User]
    datasets: list[Dataset | Id] | UnsetType = UNSET
    status: Status | UnsetType = UNSET


def item(record: ItemRecord, related: Related, caller: Caller) -> Dataset:
    """An item with its users and versions and, as far as the caller may read them, its datasets."""
    fields, users = _fields(record, related), _users(record, related, caller)
    if "status" not in record:
        return Dataset(**fields, users=users)
    datasets = [_dataset(key, related, caller) for key in record["datasets"]]
    return Model(**fields, users=users, datasets=datasets, status=Status(record["status"]))


def search_hit(kind: Kind, record: ItemRecord, related: Related, caller: Caller) -> SearchHit:
    fields, users = _fields(record, related), _users(record, related, caller)
    if "status" not in record:
        return SearchHit(kind=kind, **fields, users=users)
    datasets = [_dataset(key, related, caller) for key in record["datasets"]]
    return SearchHit(kind=kind, **fields, users=users, datasets=datasets, status=Status(record["status"]))


def removed_item(record: ItemRecord, related: Related) -> RemovedDataset:
    """An item with the ids of its users and datasets."""
    fields, users = _fields(record, related), list(map(str, record["users"]))
    if "status" not in record:
        return RemovedDataset(**fields, users=users)
    return RemovedModel(
        **fields, users=users, datasets=list(map(str, record["datasets"])), status=Status(record["status"])
    )


def _dataset(key: Any, related: Related, caller: Caller) -> Dataset | str:
    dataset = related.datasets.get(key)
    if dataset is None:
        return str(key)
    return Dataset(**_fields(dataset, related), users=_users(dataset, related, caller))


def _users(record: ItemRecord, related: Related, caller: Caller) -> list[User]:
    """The users that still exist."""
    known = related.users
    return [User.seen_by(caller, known[key]) for key in record["users"] if key in known]


def _fields(record: ItemRecord, related: Related) -> dict[str, Any]:
    return {
        "visibility": record["visibility"],
        "tags": record["tags"],
        "id": str(record["_id"]),
        "name": record["name"],
        "description": record["description"],
        "metadata": record["metadata"],
        "owner": str(record["owner"]),
        "versions": [VersionSummary.of(found) for found in related.versions[record["_id"]]],
        "versions_total": related.total(record["_id"]),
        "timestamp": moment(record["timestamp"]),
        "lastmod": moment(record["lastmod"]),
    }


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
