"""Lineage: what a version was made from, and what was made from it."""

from typing import Annotated, Self

from msgspec import UNSET, Meta, Struct, UnsetType

from catalog.dialects.v1.models.common import Id, Moment, moment
from catalog.domain.lineage import graph
from catalog.domain.lineage.tracked import VersionTracking
from catalog.store.records import ArtifactRecord, ServiceRecord
from catalog.vocabulary import ArtifactType, Kind, ServiceState

NodeId = Annotated[str, Meta(pattern="^[0-9a-f]{24}@[0-9]+$", description="A reference to the version.")]


class LineageNodeBody(Struct, kw_only=True):
    """A version. Of one that the caller may not read, or that is gone, only the id and the distance are shown."""

    id: NodeId
    distance: Annotated[
        int, Meta(description="0: the version itself; below: what it was made from; above: what was made from it.")
    ]
    kind: Kind | UnsetType = UNSET
    item: Id | UnsetType = UNSET
    name: str | UnsetType = UNSET
    owner: Id | UnsetType = UNSET
    number: int | UnsetType = UNSET
    ordinal: str | UnsetType = UNSET
    timestamp: Moment | UnsetType = UNSET

    @classmethod
    def of(cls, node: graph.Node) -> Self:
        item, version = node.item, node.version
        if item is None or version is None:
            return cls(id=str(node.key), distance=node.distance)
        return cls(
            id=str(node.key),
            distance=node.distance,
            kind=Kind(version["kind"]),
            item=str(item["_id"]),
            name=item["name"],
            owner=str(item["owner"]),
            number=version["number"],
            ordinal=version["ordinal"],
            timestamp=moment(version["timestamp"]),
        )


class LineageEdge(Struct):
    """`source` is an input of `target`."""

    source: NodeId
    target: NodeId


class LineageArtifact(Struct):
    """What a client tracked of the version."""

    serial: Annotated[int, Meta(description="The id that Kubeflow's clients see.")]
    type: ArtifactType
    name: str
    uri: str

    @classmethod
    def of(cls, record: ArtifactRecord) -> Self:
        return cls(record["serial"], ArtifactType(record["type"]), record["name"], record["uri"])


class LineageService(Struct):
    """An inference service that serves the version."""

    serial: int
    name: str
    environment: Id
    desired_state: ServiceState

    @classmethod
    def of(cls, record: ServiceRecord) -> Self:
        environment, state = str(record["environment"]), ServiceState(record["desired_state"])
        return cls(record["serial"], record["name"], environment, state)


class LineageRun(Struct):
    """The training run that made the version."""

    id: str
    link: str


class LineageBody(Struct):
    """Versions, and which was made from which; of the version itself its run, its artifacts and its services."""

    root: NodeId
    nodes: list[LineageNodeBody]
    edges: list[LineageEdge]
    truncated: Annotated[bool, Meta(description=f"Whether there are more versions than {graph.MOST_NODES}.")]
    run: LineageRun | None
    artifacts: list[LineageArtifact]
    services: list[LineageService]

    @classmethod
    def of(cls, found: graph.LineageGraph, known: VersionTracking) -> Self:
        version = found.nodes[found.root].version
        run = version.get("run") if version else None
        nodes = [LineageNodeBody.of(node) for node in found.nodes.values()]
        edges = [LineageEdge(str(edge.source), str(edge.target)) for edge in found.edges]
        return cls(
            str(found.root),
            nodes,
            edges,
            found.is_truncated,
            LineageRun(run["id"], run["link"]) if run else None,
            [LineageArtifact.of(each) for each in known.artifacts],
            [LineageService.of(each) for each in known.services],
        )
