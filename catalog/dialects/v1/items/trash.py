"""Removed models, datasets and algorithms, for as long as they can be restored."""

from collections.abc import Sequence

from litestar import Controller, delete, get, post

from catalog.dialects.http import guards
from catalog.dialects.http.docs.refusals import refuses
from catalog.dialects.http.encoded import JsonResponse, json_response
from catalog.dialects.http.requests.injection import AnyRequest, Injected
from catalog.dialects.v1.items.items import REVISION, answered
from catalog.dialects.v1.models.items.shown_items import AlgorithmBody, DatasetBody, ModelBody, TrashEntry
from catalog.dialects.v1.models.lists import Listed, ListedResource, listing
from catalog.dialects.v1.requests.lists import listed
from catalog.dialects.v1.requests.parameters import TrashId
from catalog.domain.access import Caller
from catalog.domain.items import trash
from catalog.errors import BUSY, CANNOT_DELETE, CANNOT_MODIFY, NAME_TAKEN, NOT_FOUND
from catalog.store.query import fields
from catalog.store.records import TrashRecord

TRASH = ListedResource("TrashEntry", fields.TRASH)


class Trash(Controller):
    path = "/trash"
    tags = ("Trash",)
    guards = (guards.signed_in,)

    @get(operation_id="listTrash", response_description="A page, or a step of a walk.", **listing(TRASH))
    async def list_(self, request: AnyRequest, caller: Injected[Caller]) -> JsonResponse[Listed[TrashEntry]]:
        """List what you have removed; administrators see everything."""

        async def shown(found: Sequence[TrashRecord]) -> list[TrashEntry]:
            return [TrashEntry.of(record) for record in await trash.without_restored(caller, found)]

        return await listed(
            request,
            caller.tenant.trash.records,
            TRASH.fields,
            shown,
            access=trash.visible_to(caller),
            order=trash.NEWEST_FIRST,
        )

    @post(
        "/{trash_id:str}/restore",
        status_code=200,
        operation_id="restore",
        response_description="The item.",
        response_headers=REVISION,
        responses=refuses(NOT_FOUND, CANNOT_MODIFY, NAME_TAKEN, BUSY),
    )
    async def restore(
        self, trash_id: TrashId, request: AnyRequest, caller: Injected[Caller]
    ) -> JsonResponse[ModelBody | DatasetBody | AlgorithmBody]:
        """Restore an item."""
        return await answered(request, await trash.restore(caller, trash_id), caller)

    @delete(
        "/{trash_id:str}",
        status_code=200,
        operation_id="purge",
        response_description="The entry, as it was.",
        responses=refuses(NOT_FOUND, CANNOT_DELETE, BUSY),
    )
    async def drop(self, trash_id: TrashId, caller: Injected[Caller]) -> JsonResponse[TrashEntry]:
        """Remove an item for good."""
        return json_response(TrashEntry.of(await trash.purge_now(caller, trash_id)))
