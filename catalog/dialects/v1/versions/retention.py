"""How many versions of an item are kept."""

from typing import ClassVar

from litestar import Controller, get, post, put

from catalog.dialects.http import guards
from catalog.dialects.http.docs.refusals import refuses
from catalog.dialects.http.encoded import JsonResponse, json_response
from catalog.dialects.http.requests.injection import AnyRequest, Injected
from catalog.dialects.v1.items.items import words_of
from catalog.dialects.v1.models.retention import ItemRetention, ItemRetentionChange, PrunedVersions, PruneRequest
from catalog.dialects.v1.requests.bodies import Json
from catalog.dialects.v1.requests.parameters import ItemKey, flag
from catalog.dialects.v1.tenants.retention import DRY_RUN
from catalog.domain.access import Caller
from catalog.domain.items import items
from catalog.domain.items.references import Reference
from catalog.domain.retention import policies
from catalog.domain.retention import versions as retention
from catalog.errors import AMBIGUOUS, BUSY, CANNOT_MODIFY, CANNOT_READ, NOT_FOUND
from catalog.store.records import ItemRecord
from catalog.vocabulary import Kind


class ItemVersionsKept(Controller):
    kind: ClassVar[Kind]
    words: ClassVar[dict[str, str]]
    guards = (guards.signed_in,)

    @get(
        "/retention",
        operation_id="show{Kind}Retention",
        response_description="The policy of the {kind}.",
        responses=refuses(NOT_FOUND, CANNOT_READ, AMBIGUOUS),
    )
    async def show(self, key: ItemKey, caller: Injected[Caller]) -> JsonResponse[ItemRetention]:
        """Show how many versions of one of the {kinds} are kept."""
        return json_response(await _shown(caller, await items.read(caller, self.kind, Reference(key))))

    @put(
        "/retention",
        operation_id="change{Kind}Retention",
        response_description="The policy of the {kind}.",
        responses=refuses(NOT_FOUND, CANNOT_MODIFY, AMBIGUOUS),
    )
    async def change(
        self, key: ItemKey, data: Json[ItemRetentionChange], caller: Injected[Caller]
    ) -> JsonResponse[ItemRetention]:
        """Set how many versions of one of the {kinds} are kept. The sweep applies it."""
        item = await policies.change_item(caller, self.kind, Reference(key), data.keep_versions)
        return json_response(await _shown(caller, item))

    @post(
        "/prune",
        status_code=200,
        operation_id="prune{Kind}",
        response_description="The versions that were removed.",
        responses=refuses(NOT_FOUND, CANNOT_MODIFY, AMBIGUOUS, BUSY),
        parameters=[DRY_RUN],
    )
    async def prune(
        self, key: ItemKey, data: Json[PruneRequest], request: AnyRequest, caller: Injected[Caller]
    ) -> JsonResponse[PrunedVersions]:
        """Remove old versions of one of the {kinds} for good, or list them.

        The newest stay, and those with an alias, those that are deployed, pinned, in the stage `staging` or
        `production`, or the input of another version.
        """
        dry_run = flag(request, "dry_run")
        pruned = await retention.prune(caller, self.kind, Reference(key), keep=data.keep, dry_run=dry_run)
        return json_response(PrunedVersions.of(pruned, dry_run=dry_run))


async def _shown(caller: Caller, item: ItemRecord) -> ItemRetention:
    own = await policies.of_item(caller.tenant, item["_id"])
    return ItemRetention(own, await policies.kept_versions(caller.tenant, item["_id"]))


class ModelRetention(ItemVersionsKept):
    path = "/models/{key:str}"
    tags = ("Retention",)
    kind = Kind.MODEL
    words = words_of(Kind.MODEL)


class DatasetRetention(ItemVersionsKept):
    path = "/datasets/{key:str}"
    tags = ("Retention",)
    kind = Kind.DATASET
    words = words_of(Kind.DATASET)


class AlgorithmRetention(ItemVersionsKept):
    path = "/algorithms/{key:str}"
    tags = ("Retention",)
    kind = Kind.ALGORITHM
    words = words_of(Kind.ALGORITHM)
