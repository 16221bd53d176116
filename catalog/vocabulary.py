"""The words that the rooms share. One word per idea, spelt as on the wire."""

from contextvars import ContextVar
from enum import StrEnum

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]
"""A value as JSON has it."""

REQUEST: ContextVar[str] = ContextVar("request")
"""What the request that is being answered is called, for the log."""


class Kind(StrEnum):
    """What an item is. The value is also the name of its collection and of its route."""

    MODEL = "models"
    DATASET = "datasets"
    ALGORITHM = "algorithms"

    @property
    def one(self) -> str:
        """The word for one of them, with a small letter: `model`."""
        return self.value[:-1]


class Role(StrEnum):
    ADMIN = "admin"
    REGULAR = "regular"


class Scope(StrEnum):
    """What a personal access token may do. The right to write includes the right to read."""

    READ = "read"
    WRITE = "write"


class ResetStatus(StrEnum):
    """Whether leave to choose a new password can still be used."""

    VALID = "valid"
    INVALID = "invalid"


class Visibility(StrEnum):
    PUBLIC = "public"
    PRIVATE = "private"


class Status(StrEnum):
    """How mature a model or an algorithm is."""

    TRAINING = "training"
    TEST = "test"
    PRODUCTION = "production"
    DEPLOY = "deploy"


class Stage(StrEnum):
    """Where a version stands between its training and its retirement."""

    NONE = "none"
    STAGING = "staging"
    PRODUCTION = "production"
    ARCHIVED = "archived"


class Archived(StrEnum):
    """Which things a list shows, by whether they are archived."""

    EXCLUDED = "false"
    ONLY = "true"
    ALL = "all"


class Usage(StrEnum):
    """Where a word of the folksonomy comes from: an administrator's choice, or coined by use."""

    DEFAULT = "default"
    FOLK = "folk"


class VersionState(StrEnum):
    DRAFT = "DRAFT"  # its files are still coming in
    LIVE = "LIVE"
    ARCHIVED = "ARCHIVED"
    QUARANTINED = "QUARANTINED"  # an inspection held it back


class ArtifactType(StrEnum):
    """What an artifact of a version or a run is."""

    MODEL = "model-artifact"
    DOCUMENT = "doc-artifact"
    DATASET = "dataset-artifact"
    METRIC = "metric"
    PARAMETER = "parameter"


class ArtifactState(StrEnum):
    UNKNOWN = "UNKNOWN"
    PENDING = "PENDING"
    LIVE = "LIVE"
    MARKED_FOR_DELETION = "MARKED_FOR_DELETION"
    DELETED = "DELETED"
    ABANDONED = "ABANDONED"
    REFERENCE = "REFERENCE"


class RunStatus(StrEnum):
    """How far an experiment run is."""

    RUNNING = "RUNNING"
    SCHEDULED = "SCHEDULED"
    FINISHED = "FINISHED"
    FAILED = "FAILED"
    KILLED = "KILLED"


class ServiceState(StrEnum):
    """What an inference service should be."""

    DEPLOYED = "DEPLOYED"
    UNDEPLOYED = "UNDEPLOYED"


class ExecutionState(StrEnum):
    """How far the deployment of a version is."""

    UNKNOWN = "UNKNOWN"
    NEW = "NEW"
    RUNNING = "RUNNING"
    COMPLETE = "COMPLETE"
    FAILED = "FAILED"
    CACHED = "CACHED"
    CANCELED = "CANCELED"


class InspectionPolicy(StrEnum):
    """What becomes of an upload that an inspection holds against it."""

    WARN = "warn"  # it is kept, and says so
    QUARANTINE = "quarantine"  # it is kept, but given to administrators only
    REJECT = "reject"


PUBLIC_READER = "public"
"""Stands in an item's `readers` for every user of the tenant."""
