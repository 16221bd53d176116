"""Records of what clients track: experiments, runs, artifacts, serving."""

from datetime import datetime
from typing import NotRequired, TypedDict

from bson import ObjectId

from catalog.store.records.items import PairRecord
from catalog.store.records.queries import Value


class TrackedRecord(TypedDict):
    """What experiments, runs, artifacts, metrics, environments, services and served models have in common."""

    _id: ObjectId
    serial: int
    name: str
    owner: ObjectId
    own_readers: list[ObjectId | str]
    readers: list[ObjectId | str]
    items: list[ObjectId]
    experiments: list[ObjectId]
    keys: list[str]
    description: str
    external_id: NotRequired[str | None]
    metadata: list[PairRecord]
    timestamp: datetime
    lastmod: datetime
    revision: int


class ExperimentRecord(TrackedRecord):
    author: str
    archived: bool


class ExperimentRunRecord(TrackedRecord):
    experiment: ObjectId
    status: str
    started: NotRequired[int | None]
    ended: NotRequired[int | None]
    author: str
    archived: bool


class ArtifactRecord(TrackedRecord):
    type: str
    versions: list[ObjectId]
    runs: list[ObjectId]
    run: NotRequired[ObjectId | None]
    uri: str
    state: str
    details: dict[str, Value]


class MetricPointRecord(TrackedRecord):
    run: ObjectId
    state: str
    details: dict[str, Value]


class EnvironmentRecord(TrackedRecord):
    """Where models are served."""


class ServiceRecord(TrackedRecord):
    environment: ObjectId
    item: ObjectId
    version: NotRequired[ObjectId | None]
    runtime: NotRequired[str | None]
    desired_state: str


class ServedModelRecord(TrackedRecord):
    service: ObjectId
    item: ObjectId
    version: ObjectId
    state: str
