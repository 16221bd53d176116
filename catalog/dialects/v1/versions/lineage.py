"""What a version was made from, and what was made from it."""

from typing import ClassVar

from litestar import Controller, get

from catalog.dialects.http import guards
from catalog.dialects.http.docs.parameters import query
from catalog.dialects.http.docs.refusals import refuses
from catalog.dialects.http.encoded import JsonResponse, json_response
from catalog.dialects.http.requests.injection import AnyRequest, Injected
from catalog.dialects.v1.items.items import words_of
from catalog.dialects.v1.models.lineage import LineageBody
from catalog.dialects.v1.requests.parameters import ItemKey
from catalog.domain.access import Caller
from catalog.domain.items.references import Reference
from catalog.domain.lineage import graph
from catalog.domain.lineage.tracked import NOTHING, tracked
from catalog.domain.versions.aliases.names import LATEST
from catalog.errors import AMBIGUOUS, CANNOT_READ, INVALID_QUERY, NOT_FOUND, Refused
from catalog.vocabulary import Kind

DEPTH = 3
WHICH = query("which", "The version: an ordinal, an alias, or a file name. Default: the latest.", example="1")
LEVELS = query(
    "depth",
    "How many levels to show in each direction.",
    {"type": "integer", "minimum": 1, "maximum": graph.DEEPEST, "default": DEPTH},
)


class ItemLineage(Controller):
    kind: ClassVar[Kind]
    words: ClassVar[dict[str, str]]
    guards = (guards.signed_in,)

    @get(
        operation_id="show{Kind}Lineage",
        parameters=[WHICH, LEVELS],
        response_description="The versions, and which was made from which.",
        responses=refuses(NOT_FOUND, CANNOT_READ, AMBIGUOUS),
    )
    async def show(self, key: ItemKey, request: AnyRequest, caller: Injected[Caller]) -> JsonResponse[LineageBody]:
        """Show what a version was made from, and what was made from it; its run, its artifacts, where it is deployed.

        Behind a version that you may not read the walk does not go on.
        """
        reference = Reference(key, request.query_params.get("which") or LATEST)
        depth = _depth(request.query_params.get("depth"))
        found = await graph.lineage(caller, self.kind, reference, depth)
        version = found.nodes[found.root].version
        known = await tracked(caller, version) if version and self.kind is Kind.MODEL else NOTHING
        return json_response(LineageBody.of(found, known))


def _depth(text: str | None) -> int:
    """Raises Refused: INVALID_QUERY."""
    if text is None:
        return DEPTH
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(graph.DEEPEST)) and int(text)):
        raise Refused(INVALID_QUERY, f"depth: a number from 1 to {graph.DEEPEST} is needed")
    if int(text) > graph.DEEPEST:
        raise Refused(INVALID_QUERY, f"depth: at most {graph.DEEPEST} levels are shown")
    return int(text)


class ModelLineage(ItemLineage):
    path = "/models/{key:str}/lineage"
    tags = ("Models",)
    kind = Kind.MODEL
    words = words_of(Kind.MODEL)


class DatasetLineage(ItemLineage):
    path = "/datasets/{key:str}/lineage"
    tags = ("Datasets",)
    kind = Kind.DATASET
    words = words_of(Kind.DATASET)


class AlgorithmLineage(ItemLineage):
    path = "/algorithms/{key:str}/lineage"
    tags = ("Algorithms",)
    kind = Kind.ALGORITHM
    words = words_of(Kind.ALGORITHM)
