"""The stages of a version, as MLflow writes them."""

from collections.abc import Sequence

from catalog.errors import INVALID_FIELD, Refused
from catalog.vocabulary import Stage

SPELT = {
    Stage.NONE: "None",
    Stage.STAGING: "Staging",
    Stage.PRODUCTION: "Production",
    Stage.ARCHIVED: "Archived",
}
_BY_KEY = {spelt.lower(): stage for stage, spelt in SPELT.items()}

EXCLUSIVE = frozenset({Stage.STAGING, Stage.PRODUCTION})
"""Stages that a version may take over from all others."""


def stage_of(text: str) -> Stage:
    """Raises Refused: INVALID_FIELD."""
    stage = _BY_KEY.get(text.lower())
    if stage is None:
        valid = ", ".join(SPELT.values())
        raise Refused(INVALID_FIELD, f"Invalid Model Version stage: {text[:80]}. Value must be one of {valid}.")
    return stage


def stages_of(texts: Sequence[str]) -> list[Stage]:
    """The stages that a client asks for, each once; all without any. Raises Refused: INVALID_FIELD."""
    return list(dict.fromkeys(map(stage_of, texts))) or list(Stage)
