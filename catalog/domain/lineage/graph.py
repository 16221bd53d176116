"""The lineage of a version: what it was made from, and what was made from it, level by level.

Each level is read at once: one query for its versions, and one for the items of each kind. The walk does not go on
behind a version that the caller may not read, which shows as an id alone.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from bson import ObjectId

from catalog.domain.access import Caller, may_read
from catalog.domain.items.references import Reference
from catalog.domain.versions import reading
from catalog.store.records import ItemRecord, Query, VersionRecord
from catalog.vocabulary import Kind, VersionState

DEEPEST = 10
MOST_NODES = 500
"""How many versions an answer has. It says so when there are more."""

MOST_LOOKED_AT = 10_000
"""How many versions that name an item as input one level reads. Only with more than these the answer may lack some."""

FIELDS = {"item": 1, "kind": 1, "number": 1, "ordinal": 1, "inputs": 1, "state": 1, "timestamp": 1}


class NodeKey(NamedTuple):
    """A version by the id of its item and its number."""

    item: ObjectId
    number: int

    def __str__(self) -> str:
        """A reference to the version."""
        return f"{self.item}@{self.number}"


@dataclass(frozen=True, slots=True)
class Node:
    """A version. Without `item` and `version` it is one that the caller may not read, or that is gone."""

    key: NodeKey
    distance: int  # 0: the version itself; below: what it was made from; above: what was made from it
    item: ItemRecord | None = None
    version: VersionRecord | None = None


class Edge(NamedTuple):
    """`source` is an input of `target`."""

    source: NodeKey
    target: NodeKey


@dataclass(slots=True)
class LineageGraph:
    root: NodeKey
    nodes: dict[NodeKey, Node] = field(default_factory=dict)
    edges: dict[Edge, None] = field(default_factory=dict)
    is_truncated: bool = False

    def room(self, keys: Iterable[NodeKey]) -> list[NodeKey]:
        """Those of `keys` that are not there, as many as may be added."""
        new = [key for key in dict.fromkeys(keys) if key not in self.nodes]
        room = MOST_NODES - len(self.nodes)
        self.is_truncated = self.is_truncated or len(new) > room
        return new[:room]

    def connect(self) -> None:
        """Add the edges between the versions that are there."""
        for node in self.nodes.values():
            for source in sources_of(node.version) if node.version else ():
                if source in self.nodes:
                    self.edges[Edge(source, node.key)] = None


async def lineage(caller: Caller, kind: Kind, reference: Reference, depth: int) -> LineageGraph:
    """The lineage of a version, to so many levels in both directions.

    Raises Refused: NOT_FOUND, CANNOT_READ, AMBIGUOUS.
    """
    item, version = await reading.read_with_item(caller, kind, reference)
    found = LineageGraph(key_of(version))
    found.nodes[found.root] = Node(found.root, 0, item, version)
    await _walk_up(caller, found, version, depth)
    await _walk_down(caller, found, depth)
    found.connect()
    return found


def key_of(version: VersionRecord) -> NodeKey:
    return NodeKey(version["item"], version["number"])


def sources_of(version: VersionRecord) -> list[NodeKey]:
    """The keys of the inputs of a version."""
    return [NodeKey(each["item"], each["number"]) for each in version.get("inputs", ())]


async def _walk_up(caller: Caller, found: LineageGraph, root: VersionRecord, depth: int) -> None:
    """Add what the version was made from."""
    level = [root]
    for distance in range(-1, -depth - 1, -1):
        new = found.room(source for version in level for source in sources_of(version))
        level = await _add(caller, found, new, await _numbered(caller, new), distance)


async def _walk_down(caller: Caller, found: LineageGraph, depth: int) -> None:
    """Add what was made from the version."""
    level = {found.root}
    for distance in range(1, depth + 1):
        made, is_whole = await _made_from(caller, level)
        found.is_truncated = found.is_truncated or not is_whole
        new = found.room(map(key_of, made))
        level = {key_of(version) for version in await _add(caller, found, new, made, distance)}
        if not level:
            return


async def _add(
    caller: Caller, found: LineageGraph, keys: Collection[NodeKey], made: Sequence[VersionRecord], distance: int
) -> list[VersionRecord]:
    """Add versions to a lineage, and return those that the caller may read."""
    by_key = {key_of(version): version for version in made}
    items = await _items(caller, [by_key[key] for key in keys if key in by_key])
    readable = []
    for key in keys:
        version = by_key.get(key)
        item = items.get(key.item) if version else None
        if version is None or item is None or not may_read(caller, item):
            found.nodes[key] = Node(key, distance)
            continue
        found.nodes[key] = Node(key, distance, item, version)
        readable.append(version)
    return readable


async def _numbered(caller: Caller, keys: Collection[NodeKey]) -> list[VersionRecord]:
    """The versions with these keys. Drafts are not shown."""
    if not keys:
        return []
    unique, records = set(keys), caller.tenant.versions.records
    among: Query = {"item": {"$in": list({key.item for key in keys})}}
    among["number"] = {"$in": list({key.number for key in keys})}
    return [each async for each in records.find(among, FIELDS) if key_of(each) in unique and not _is_draft(each)]


async def _made_from(caller: Caller, keys: Collection[NodeKey]) -> tuple[list[VersionRecord], bool]:
    """The versions with one of these inputs, one more at most than an answer has, and whether these are all.

    Drafts are not shown.
    """
    records, looked_at = caller.tenant.versions.records, 0
    made: list[VersionRecord] = []
    among: Query = {"inputs.item": {"$in": list({key.item for key in keys})}}
    among["inputs.number"] = {"$in": list({key.number for key in keys})}
    async for version in records.find(among, FIELDS).limit(MOST_LOOKED_AT):
        looked_at += 1
        if not _is_draft(version) and any(key in keys for key in sources_of(version)):
            made.append(version)
            if len(made) > MOST_NODES:
                break
    return made, looked_at < MOST_LOOKED_AT


async def _items(caller: Caller, made: Iterable[VersionRecord]) -> dict[ObjectId, ItemRecord]:
    items: dict[ObjectId, ItemRecord] = {}
    fields = {"name": 1, "owner": 1, "users": 1, "editors": 1, "visibility": 1, "readers": 1, "tags": 1}
    for kind in Kind:
        if ids := list({version["item"] for version in made if version["kind"] == kind}):
            async for item in caller.tenant.items(kind).records.find({"_id": {"$in": ids}}, fields):
                items[item["_id"]] = item
    return items


def _is_draft(version: VersionRecord) -> bool:
    return version["state"] == VersionState.DRAFT
