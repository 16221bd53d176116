"""Experiments and their runs."""

from collections.abc import Iterable
from typing import Self

from msgspec import UNSET, UnsetType

from catalog.dialects.kubeflow.models.common import (
    BaseResource,
    Id,
    Milliseconds,
    NewName,
    OptionalName,
    ResourceInput,
    State,
    archived,
    milliseconds_of,
    shown_fields,
    state,
)
from catalog.dialects.kubeflow.models.values import Line
from catalog.domain.tracking.experiments import ExperimentChange, NewExperiment
from catalog.domain.tracking.runs import NewRun, RunChange
from catalog.store.records import ExperimentRecord, ExperimentRunRecord, PairRecord
from catalog.vocabulary import RunStatus, Visibility


class ExperimentUpdate(ResourceInput, kw_only=True):
    """Changes to an experiment."""

    owner: Line | None = None
    state: State | None = None

    def as_change(self, before: Iterable[PairRecord]) -> ExperimentChange:
        """Raises Refused: INVALID_FIELD."""
        return ExperimentChange(details=self.details_change(before), author=self.owner, archived=archived(self.state))


class ExperimentCreate(ExperimentUpdate, kw_only=True):
    """An experiment to create."""

    name: NewName

    def as_input(self, visibility: Visibility) -> NewExperiment:
        """Raises Refused: INVALID_FIELD."""
        return NewExperiment(
            details=self.details(),
            author=self.owner or "",
            archived=bool(archived(self.state)),
            visibility=visibility,
        )


class Experiment(BaseResource, kw_only=True):
    """A group of runs."""

    owner: str | UnsetType = UNSET
    state: State

    @classmethod
    def of(cls, record: ExperimentRecord) -> Self:
        return cls(**shown_fields(record), owner=record["author"] or UNSET, state=state(record["archived"]))


class ExperimentRunUpdate(ResourceInput, kw_only=True):
    """Changes to a run."""

    end_time_since_epoch: Milliseconds | None = None
    status: RunStatus | None = None
    state: State | None = None
    owner: Line | None = None

    def as_change(self, before: Iterable[PairRecord]) -> RunChange:
        """Raises Refused: INVALID_FIELD."""
        return RunChange(
            details=self.details_change(before),
            status=self.status,
            ended=milliseconds_of(self.end_time_since_epoch),
            author=self.owner,
            archived=archived(self.state),
        )


class ExperimentRunInput(ExperimentRunUpdate, kw_only=True):
    """A run to create for the experiment of the path or, with an `id`, a run of it to change."""

    name: OptionalName | None = None
    id: Id | None = None
    experiment_id: Id | None = None
    start_time_since_epoch: Milliseconds | None = None
    create_time_since_epoch: str | None = None
    last_update_time_since_epoch: str | None = None

    def as_input(self) -> NewRun:
        """Raises Refused: INVALID_FIELD."""
        return NewRun(
            details=self.details(),
            status=self.status or RunStatus.RUNNING,
            started=milliseconds_of(self.start_time_since_epoch),
            ended=milliseconds_of(self.end_time_since_epoch),
            author=self.owner or "",
            archived=bool(archived(self.state)),
        )


class ExperimentRunCreate(ExperimentRunInput, kw_only=True):
    """A run to create."""

    experiment_id: Id


class ExperimentRun(BaseResource, kw_only=True):
    """A run of an experiment."""

    experiment_id: Id
    start_time_since_epoch: str | UnsetType = UNSET
    end_time_since_epoch: str | UnsetType = UNSET
    status: RunStatus
    state: State
    owner: str | UnsetType = UNSET

    @classmethod
    def of(cls, record: ExperimentRunRecord, experiment: int) -> Self:
        """`experiment` is the serial of its experiment."""
        return cls(
            **shown_fields(record),
            experiment_id=str(experiment),
            start_time_since_epoch=_text(record.get("started")),
            end_time_since_epoch=_text(record.get("ended")),
            status=RunStatus(record["status"]),
            state=state(record["archived"]),
            owner=record["author"] or UNSET,
        )


def _text(moment: int | None) -> str | UnsetType:
    return UNSET if moment is None else str(moment)
