"""The words that the rooms share. One word per idea, spelt as on the wire."""

from enum import StrEnum


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


class Visibility(StrEnum):
    PUBLIC = "public"
    PRIVATE = "private"


class Status(StrEnum):
    """How mature a model or an algorithm is."""

    TRAINING = "training"
    TEST = "test"
    PRODUCTION = "production"
    DEPLOY = "deploy"


class Usage(StrEnum):
    """Where a word of the folksonomy comes from: an administrator's choice, or coined by use."""

    DEFAULT = "default"
    FOLK = "folk"


class VersionState(StrEnum):
    LIVE = "LIVE"
    ARCHIVED = "ARCHIVED"


PUBLIC_READER = "public"
"""Stands in an item's `readers` for every user of the tenant."""
