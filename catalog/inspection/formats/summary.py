"""The summary of a header, in a size that can be stored with a version."""

from dataclasses import dataclass, field
from typing import Any

from catalog.inspection.formats.window import MalformedError

MOST_SHOWN = 200
MOST_DIMENSIONS = 64
LONGEST = 200
"""Characters of a name or a value that are stored."""

LARGEST = 2**63 - 1
"""The largest integer of the database."""


class Tensors:
    """Counts all tensors, and shows the first."""

    def __init__(self, most_shown: int = MOST_SHOWN) -> None:
        self.count = 0
        self._most_shown = most_shown
        self._parameters = 0
        self._dtypes: dict[str, int] = {}
        self._shown: list[dict[str, object]] = []

    def add(self, name: str, dtype: str, shape: list[int]) -> None:
        """Raises MalformedError for a shape that no tensor has."""
        size = elements(shape)
        if size is None:
            raise MalformedError(f"{brief(name)} has an impossible shape")
        self.count += 1
        self._parameters += size
        dtype = brief(dtype)
        if dtype in self._dtypes or len(self._dtypes) < MOST_SHOWN:
            self._dtypes[dtype] = self._dtypes.get(dtype, 0) + 1
        if len(self._shown) < self._most_shown:
            self._shown.append({"name": brief(name), "dtype": dtype, "shape": shape})

    def as_dict(self) -> dict[str, object]:
        return {
            "tensors": self.count,
            "parameters": min(self._parameters, LARGEST),
            "dtypes": [{"dtype": dtype, "tensors": count} for dtype, count in sorted(self._dtypes.items())],
            "shown": self._shown,
            "truncated": self.count > len(self._shown),
        }


def elements(shape: list[int]) -> int | None:
    """How many a tensor of a shape has; None where no tensor has such a shape. No number becomes long on the way."""
    if len(shape) > MOST_DIMENSIONS:
        return None
    count = 1
    for side in shape:
        if not 0 <= side <= LARGEST:
            return None
        count *= side
        if count > LARGEST:
            return None
    return count


def brief(text: str) -> str:
    """Return text that can be stored: limited in length, and valid as UTF-8."""
    shown = text[:LONGEST].encode("utf-8", "replace").decode()
    return shown if len(text) <= LONGEST else f"{shown}..."


@dataclass
class HeaderSummary:
    """The part of a header that was read. It is kept also when the rest cannot be read."""

    tensors: Tensors = field(default_factory=Tensors)
    metadata: dict[str, str] = field(default_factory=dict)
    details: dict[str, Any] = field(default_factory=dict)
    """Entries that only this format has."""
    suspicious: list[tuple[str, str]] = field(default_factory=list)
    """What, and where."""

    dangerous: list[tuple[str, str]] = field(default_factory=list)
    """What, and where."""

    def add_metadata(self, name: str, value: str) -> None:
        """Keep a pair of its metadata, if it is one of the first."""
        if len(self.metadata) < MOST_SHOWN:
            self.metadata[name] = value

    def add_suspicious(self, what: str, where: str) -> None:
        if len(self.suspicious) < MOST_SHOWN:
            self.suspicious.append((what, where))

    def add_dangerous(self, what: str, where: str) -> None:
        if len(self.dangerous) < MOST_SHOWN:
            self.dangerous.append((what, where))

    def as_dict(self) -> dict[str, object]:
        # A list of pairs, because a name may hold a dot or a dollar, which the database keeps for itself.
        metadata = [{"name": brief(name), "value": brief(value)} for name, value in self.metadata.items()]
        return self.tensors.as_dict() | self.details | {"metadata": metadata}
