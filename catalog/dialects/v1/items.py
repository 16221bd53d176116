"""Models, datasets and algorithms."""

from collections.abc import Sequence
from typing import Any

from litestar import Controller, Response, delete, get, post, put
from litestar.params import FromPath

from catalog.dialects.http import guards
from catalog.dialects.v1 import http, item_bodies, passed_over, shapes
from catalog.dialects.v1.http import AnyRequest, Given, answer, body_of, made, revisions_seen
from catalog.dialects.v1.lists import listed, selected
from catalog.domain.access import Caller, readable_by
from catalog.domain.items import changes, items
from catalog.domain.items.references import Reference
from catalog.domain.items.related import load_related, read_with_related
from catalog.domain.limits import Limits
from catalog.domain.terms.item_terms import TermAllowance
from catalog.errors import CANNOT_DELETE
from catalog.store.query import fields, pages
from catalog.store.records import ItemRecord
from catalog.vocabulary import Kind


async def shown(found: Sequence[ItemRecord], caller: Caller) -> list[shapes.Shape]:
    """Items with what belongs to them."""
    with_them = await load_related(caller, found)
    return [shapes.item(item, with_them, caller) for item in found]


async def answered(request: AnyRequest, item: ItemRecord, caller: Caller) -> Response[bytes]:
    [shape] = await shown([item], caller)
    return http.shown(request, shape, item["revision"], embeds=True)


class Items(Controller):
    """What the three kinds have in common: everything but their names."""

    kind: Kind
    guards = (guards.signed_in,)

    @post(status_code=200)
    async def create(self, request: AnyRequest, caller: Given[Caller], limits: Given[Limits]) -> Response[bytes]:
        allowance = TermAllowance(limits)

        async def make(body: Any) -> shapes.Shape:
            item = await items.create(caller, self.kind, item_bodies.new_item(self.kind, body), limits, allowance)
            [shape] = await shown([item], caller)
            return shape

        return await made(request, self.kind, make, limits.elements, passed_over.ITEMS[self.kind])

    @get()
    async def list_(self, request: AnyRequest, caller: Given[Caller]) -> Response[bytes]:
        return await listed(
            request,
            caller.tenant.items(self.kind).raw,
            fields.ITEMS[self.kind],
            lambda found: shown(found, caller),
            access=readable_by(caller),
            order=pages.NEWEST,
            top=await caller.tenant.recent("serial"),
            statistics=caller.tenant.scan_statistics,
        )

    @get("/{key:str}")
    async def show(self, key: FromPath[str], request: AnyRequest, caller: Given[Caller]) -> Response[bytes]:
        item, with_it = await read_with_related(caller, self.kind, Reference(key))
        shape = selected(request, fields.ITEMS[self.kind], shapes.item(item, with_it, caller))
        return http.shown(request, shape, item["revision"], embeds=True)

    @put("/{key:str}")
    async def change(
        self, key: FromPath[str], request: AnyRequest, caller: Given[Caller], limits: Given[Limits]
    ) -> Response[bytes]:
        wanted = item_bodies.item_change(self.kind, await body_of(request))
        seen = revisions_seen(request)
        changed = await changes.change(caller, self.kind, Reference(key), wanted, limits, revisions=seen)
        return await answered(request, changed, caller)

    @delete("/{key:str}", status_code=200)
    async def remove(self, key: FromPath[str], caller: Given[Caller], trash_days: Given[int]) -> Response[bytes]:
        item = await items.changeable(caller, self.kind, Reference(key), CANNOT_DELETE)
        with_it = await load_related(caller, [item])
        removed = await items.remove(caller, self.kind, Reference(key), days=trash_days)
        return answer(shapes.bare_item(removed, with_it))


class Models(Items):
    path = "/models"
    kind = Kind.MODEL


class Datasets(Items):
    path = "/datasets"
    kind = Kind.DATASET


class Algorithms(Items):
    path = "/algorithms"
    kind = Kind.ALGORITHM
