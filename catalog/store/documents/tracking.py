"""Experiments, runs and their artifacts and metrics; environments and services that serve models."""

from datetime import datetime
from typing import Any

from beanie import PydanticObjectId
from pydantic import BaseModel, ConfigDict, Field
from pymongo import ASCENDING, IndexModel

from catalog.store.clock import now
from catalog.store.documents.indexes import newest, sorted_by, unique
from catalog.store.documents.items import PairSubdocument
from catalog.store.records import Value
from catalog.store.tenant_documents import SealedDocument
from catalog.vocabulary import (
    ArtifactState,
    ArtifactType,
    ExecutionState,
    RunStatus,
    ServiceState,
)


class TrackedFields(BaseModel):
    """The fields of experiments and runs, of artifacts and metrics, and of what serves models."""

    serial: int
    name: str
    owner: PydanticObjectId
    own_readers: list[Any] = Field(default_factory=list)  # beside those who may read what it belongs to
    readers: list[Any] = Field(default_factory=list)  # all of them, see store.derived.reader_copies
    items: list[PydanticObjectId] = Field(default_factory=list)  # models that it belongs to
    experiments: list[PydanticObjectId] = Field(default_factory=list)  # experiments that it belongs to
    keys: list[str]  # what must be unique, see domain.tracking.records
    description: str = ""
    external_id: str | None = None
    metadata: list[PairSubdocument] = Field(default_factory=list)
    timestamp: datetime = Field(default_factory=now)
    lastmod: datetime = Field(default_factory=now)
    revision: int = 1

    model_config = ConfigDict(arbitrary_types_allowed=True)


TRACKED_INDEXES = (
    unique("serial"),
    unique("keys"),
    sorted_by("timestamp"),
    sorted_by("lastmod"),
    IndexModel([("external_id", ASCENDING)], sparse=True),
)

FILTERED = (newest("readers"), newest("name"), newest("metadata.name"))
"""Of collections that have a list of all records: what is readable, and what a filter narrows most."""


class ExperimentDocument(TrackedFields, SealedDocument):
    """A group of runs."""

    author: str = ""
    archived: bool = False

    class Settings:
        name = "experiments"
        indexes = (*TRACKED_INDEXES, sorted_by("name"), newest("readers"))


class ExperimentRunDocument(TrackedFields, SealedDocument):
    """One run of an experiment."""

    experiment: PydanticObjectId
    status: RunStatus = RunStatus.RUNNING
    started: int | None = None  # milliseconds of Unix time, as its client says
    ended: int | None = None
    author: str = ""
    archived: bool = False

    class Settings:
        name = "runs"
        indexes = (*TRACKED_INDEXES, *FILTERED, newest("experiment"))


class ArtifactDocument(TrackedFields, SealedDocument):
    """Something that belongs to versions and runs: a model's address, a document, a dataset, a metric, a parameter."""

    type: ArtifactType
    versions: list[PydanticObjectId] = Field(default_factory=list)
    runs: list[PydanticObjectId] = Field(default_factory=list)
    run: PydanticObjectId | None = None  # the run that it was made in
    uri: str = ""
    state: ArtifactState = ArtifactState.UNKNOWN
    details: dict[str, Value] = Field(default_factory=dict)  # the fields of its type

    class Settings:
        name = "artifacts"
        indexes = (
            *TRACKED_INDEXES,
            *FILTERED,
            *(newest(field) for field in ("versions", "runs", "items", "experiments", "type")),
        )


class MetricPointDocument(TrackedFields, SealedDocument):
    """A value that a metric of a run once had."""

    run: PydanticObjectId
    state: ArtifactState = ArtifactState.UNKNOWN
    details: dict[str, Value] = Field(default_factory=dict)

    class Settings:
        name = "metric_points"
        indexes = (
            unique("serial"),
            sorted_by("timestamp"),
            sorted_by("lastmod"),
            *(newest(field) for field in ("run", "experiments", "readers", "name")),
        )


class EnvironmentDocument(TrackedFields, SealedDocument):
    """Where models are served."""

    class Settings:
        name = "environments"
        indexes = (*TRACKED_INDEXES, sorted_by("name"), newest("readers"))


class ServiceDocument(TrackedFields, SealedDocument):
    """An inference service: a model that is served in an environment."""

    environment: PydanticObjectId
    item: PydanticObjectId
    version: PydanticObjectId | None = None  # None: the newest one
    runtime: str | None = None
    desired_state: ServiceState = ServiceState.DEPLOYED

    class Settings:
        name = "services"
        indexes = (*TRACKED_INDEXES, *FILTERED, newest("environment"), newest("item"))


class ServedModelDocument(TrackedFields, SealedDocument):
    """A version that a service deployed."""

    service: PydanticObjectId
    item: PydanticObjectId
    version: PydanticObjectId
    state: ExecutionState = ExecutionState.UNKNOWN

    class Settings:
        name = "served_models"
        indexes = (*TRACKED_INDEXES, newest("service"), newest("item"))
