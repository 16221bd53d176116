"""Experiments and their runs, environments and inference services. Kubeflow's clients create and change them."""

from typing import Annotated, Self

from msgspec import Meta, Struct

from catalog.dialects.http.encoded import StructFields
from catalog.dialects.v1.models.common import Id, Moment, moment
from catalog.dialects.v1.models.items.metadata import PairBody
from catalog.store.records import (
    EnvironmentRecord,
    ExperimentRecord,
    ExperimentRunRecord,
    ServiceRecord,
    TrackedRecord,
)
from catalog.vocabulary import RunStatus, ServiceState

Milliseconds = Annotated[int | None, Meta(description="Unix time in milliseconds, as its client says.")]


class TrackedBody(Struct, kw_only=True, rename={"id": "_id"}):
    """What all of them have."""

    id: Id
    serial: Annotated[int, Meta(description="The id that Kubeflow's clients see.")]
    name: str
    owner: Id
    description: str
    external_id: str | None
    metadata: list[PairBody]
    timestamp: Moment
    lastmod: Moment


class ExperimentBody(TrackedBody, kw_only=True):
    """A group of runs."""

    author: str
    archived: bool

    @classmethod
    def of(cls, record: ExperimentRecord) -> Self:
        return cls(**_fields(record), author=record["author"], archived=record["archived"])


class ExperimentRunBody(TrackedBody, kw_only=True):
    """A run of an experiment."""

    experiment: Id
    status: RunStatus
    started: Milliseconds
    ended: Milliseconds
    author: str
    archived: bool

    @classmethod
    def of(cls, record: ExperimentRunRecord) -> Self:
        return cls(
            **_fields(record),
            experiment=str(record["experiment"]),
            status=RunStatus(record["status"]),
            started=record.get("started"),
            ended=record.get("ended"),
            author=record["author"],
            archived=record["archived"],
        )


class EnvironmentBody(TrackedBody, kw_only=True):
    """Where models are served."""

    @classmethod
    def of(cls, record: EnvironmentRecord) -> Self:
        return cls(**_fields(record))


class ServiceBody(TrackedBody, kw_only=True):
    """A model that is served in an environment."""

    environment: Id
    item: Annotated[Id, Meta(description="The model.")]
    version: Annotated[Id | None, Meta(description="None: the newest version.")]
    runtime: str | None
    desired_state: ServiceState

    @classmethod
    def of(cls, record: ServiceRecord) -> Self:
        version = record.get("version")
        return cls(
            **_fields(record),
            environment=str(record["environment"]),
            item=str(record["item"]),
            version=str(version) if version else None,
            runtime=record.get("runtime"),
            desired_state=ServiceState(record["desired_state"]),
        )


def _fields(record: TrackedRecord) -> StructFields:
    return {
        "id": str(record["_id"]),
        "serial": record["serial"],
        "name": record["name"],
        "owner": str(record["owner"]),
        "description": record["description"],
        "external_id": record.get("external_id"),
        "metadata": [PairBody(pair["name"], pair["value"]) for pair in record["metadata"]],
        "timestamp": moment(record["timestamp"]),
        "lastmod": moment(record["lastmod"]),
    }
