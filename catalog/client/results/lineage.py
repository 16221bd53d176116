"""What a version was made from, and what was made from it."""

from collections.abc import Mapping
from datetime import datetime
from typing import TypedDict

from catalog.client.results.result import NEVER, Result
from catalog.client.results.shapes import Document, shaped


class LineageNode(Result, frozen=True, kw_only=True, rename={}):
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


class TrackedArtifact(TypedDict):
    """What a client tracked of a version."""

    serial: int
    type: str
    name: str
    uri: str


class ServingService(TypedDict):
    """An inference service that serves a version."""

    serial: int
    name: str
    environment: str
    desired_state: str


class _Edge(TypedDict):
    source: str
    target: str


class _Graph(TypedDict):
    nodes: list[Document]
    edges: list[_Edge]


class Lineage(Result, frozen=True, kw_only=True):
    """Versions by their ids, and edges from each input to what was made from it."""

    root: str
    nodes: Mapping[str, LineageNode] = {}
    edges: tuple[tuple[str, str], ...] = ()
    truncated: bool = False
    run: Mapping[str, str] | None = None
    artifacts: tuple[TrackedArtifact, ...] = ()
    services: tuple[ServingService, ...] = ()

    @classmethod
    def _values(cls, document: Document) -> dict[str, object]:
        graph = shaped(document, _Graph)
        return {
            **document,
            "nodes": {node.id: node for node in map(LineageNode.of, graph["nodes"])},
            "edges": [(edge["source"], edge["target"]) for edge in graph["edges"]],
        }

    def inputs(self, key: str) -> list[str]:
        """The ids of what a version was made from."""
        return [source for source, target in self.edges if target == key]

    def outputs(self, key: str) -> list[str]:
        """The ids of what was made from a version."""
        return [target for source, target in self.edges if source == key]
