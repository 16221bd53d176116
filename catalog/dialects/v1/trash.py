"""Removed models, datasets and algorithms, for as long as they can be restored."""

from collections.abc import Sequence

from litestar import Controller, Response, delete, get, post
from litestar.params import FromPath

from catalog.dialects.http import guards
from catalog.dialects.v1 import shapes
from catalog.dialects.v1.http import AnyRequest, Given, answer
from catalog.dialects.v1.items import answered
from catalog.dialects.v1.lists import listed
from catalog.domain.access import Caller
from catalog.domain.items import trash
from catalog.store.query import fields
from catalog.store.records import TrashRecord


class Trash(Controller):
    path = "/trash"
    guards = (guards.signed_in,)

    @get()
    async def list_(self, request: AnyRequest, caller: Given[Caller]) -> Response[bytes]:
        async def shown(found: Sequence[TrashRecord]) -> list[shapes.Shape]:
            return [shapes.removed(record) for record in await trash.without_restored(caller, found)]

        return await listed(
            request,
            caller.tenant.trash.raw,
            fields.TRASH,
            shown,
            access=trash.visible_to(caller),
            order=trash.NEWEST_FIRST,
        )

    @post("/{key:str}/restore", status_code=200)
    async def restore(self, key: FromPath[str], request: AnyRequest, caller: Given[Caller]) -> Response[bytes]:
        return await answered(request, await trash.restore(caller, key), caller)

    @delete("/{key:str}", status_code=200)
    async def drop(self, key: FromPath[str], caller: Given[Caller]) -> Response[bytes]:
        return answer(shapes.removed(await trash.purge_now(caller, key)))
