"""Serving environments, inference services and served models."""

from collections.abc import Iterable
from typing import Self

from msgspec import UNSET, UnsetType

from catalog.dialects.kubeflow.models.common import (
    BaseResource,
    Id,
    NewName,
    OptionalName,
    ResourceInput,
    or_unset,
    serial_of,
    shown_fields,
)
from catalog.dialects.kubeflow.models.values import Line
from catalog.domain.serving.served_models import NewServedModel
from catalog.domain.serving.services import NewService, ServiceChange
from catalog.store.records import EnvironmentRecord, PairRecord, ServedModelRecord, ServiceRecord
from catalog.vocabulary import ExecutionState, ServiceState


class ServingEnvironmentUpdate(ResourceInput, kw_only=True):
    """Changes to an environment."""


class ServingEnvironmentCreate(ServingEnvironmentUpdate, kw_only=True):
    """An environment to create."""

    name: NewName


class ServingEnvironment(BaseResource, kw_only=True):
    """Where models are served."""

    @classmethod
    def of(cls, record: EnvironmentRecord) -> Self:
        return cls(**shown_fields(record))


class InferenceServiceUpdate(ResourceInput, kw_only=True):
    """Changes to an inference service."""

    model_version_id: Id | None = None
    runtime: Line | None = None
    desired_state: ServiceState | None = None

    def as_change(self, before: Iterable[PairRecord]) -> ServiceChange:
        """Raises Refused: INVALID_FIELD."""
        return ServiceChange(
            details=self.details_change(before),
            version=(self.model_version_id and serial_of(self.model_version_id)) or None,
            runtime=self.runtime,
            desired_state=self.desired_state,
        )


class InferenceServiceOfEnvironment(InferenceServiceUpdate, kw_only=True):
    """An inference service to create in the environment of the path."""

    name: OptionalName | None = None
    registered_model_id: Id
    serving_environment_id: Id | None = None

    def as_input(self) -> NewService:
        """Raises Refused: INVALID_FIELD."""
        return NewService(
            details=self.details(),
            model=serial_of(self.registered_model_id, "registeredModelId"),
            version=serial_of(self.model_version_id, "modelVersionId") if self.model_version_id else None,
            runtime=self.runtime,
            desired_state=self.desired_state or ServiceState.DEPLOYED,
        )


class InferenceServiceCreate(InferenceServiceOfEnvironment, kw_only=True):
    """An inference service to create."""

    serving_environment_id: Id


class InferenceService(BaseResource, kw_only=True):
    """A model that is served in an environment."""

    registered_model_id: Id
    serving_environment_id: Id
    model_version_id: Id | UnsetType = UNSET
    runtime: str | UnsetType = UNSET
    desired_state: ServiceState

    @classmethod
    def of(cls, record: ServiceRecord, *, model: int, environment: int, version: int | None) -> Self:
        """The numbers are serials."""
        return cls(
            **shown_fields(record),
            registered_model_id=str(model),
            serving_environment_id=str(environment),
            model_version_id=UNSET if version is None else str(version),
            runtime=or_unset(record.get("runtime")),
            desired_state=ServiceState(record["desired_state"]),
        )


class ServeModelCreate(ResourceInput, kw_only=True):
    """A served model to create."""

    name: OptionalName | None = None
    model_version_id: Id
    last_known_state: ExecutionState | None = None

    def as_input(self) -> NewServedModel:
        """Raises Refused: INVALID_FIELD."""
        return NewServedModel(
            details=self.details(),
            version=serial_of(self.model_version_id, "modelVersionId"),
            state=self.last_known_state or ExecutionState.UNKNOWN,
        )


class ServeModel(BaseResource, kw_only=True):
    """A version that a service deployed."""

    model_version_id: Id
    last_known_state: ExecutionState

    @classmethod
    def of(cls, record: ServedModelRecord, version: int) -> Self:
        """`version` is a serial."""
        return cls(
            **shown_fields(record),
            model_version_id=str(version),
            last_known_state=ExecutionState(record["state"]),
        )
