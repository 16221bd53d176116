"""What a version was made from, and what was made from it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from catalog.client.results.result import NEVER, Raw, Result


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class LineageNode(Result):
    """A version. Of one that you may not read, or that is gone, only `id` and `distance` are set."""

    id: str
    """A reference to the version."""
    distance: int = 0
    kind: str = ""
    item: str = ""
    name: str = ""
    owner: str = ""
    number: int = 0
    ordinal: str = ""
    timestamp: datetime = NEVER

    @classmethod
    def _read(cls, raw: Raw) -> dict[str, Any]:
        return super(LineageNode, cls)._read(raw) | {"id": raw["id"]}


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Lineage(Result):
    """Versions by id, and as pairs which is an input of which."""

    root: str
    nodes: Mapping[str, LineageNode] = field(default_factory=dict, hash=False)
    edges: Sequence[tuple[str, str]] = ()
    truncated: bool = False
    run: Mapping[str, str] | None = field(default=None, hash=False)
    artifacts: Sequence[Mapping[str, Any]] = field(default=(), hash=False)
    """What clients tracked of the version: each with `serial`, `type`, `name` and `uri`."""
    services: Sequence[Mapping[str, Any]] = field(default=(), hash=False)
    """Inference services that serve the version: each with `serial`, `name`, `environment` and `desired_state`."""

    @classmethod
    def _read(cls, raw: Raw) -> dict[str, Any]:
        return super(Lineage, cls)._read(raw) | {
            "nodes": {node["id"]: LineageNode.of(node) for node in raw["nodes"]},
            "edges": tuple((edge["source"], edge["target"]) for edge in raw["edges"]),
        }

    def inputs(self, key: str) -> list[str]:
        """The ids of what a version was made from."""
        return [source for source, target in self.edges if target == key]

    def outputs(self, key: str) -> list[str]:
        """The ids of what was made from a version."""
        return [target for source, target in self.edges if source == key]
