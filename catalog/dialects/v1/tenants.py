"""Tenants, for the operator."""

from collections.abc import Sequence
from typing import Any

from litestar import Controller, Response, delete, get, post, put
from litestar.params import FromPath

from catalog.blobs.protocol import Storage
from catalog.dialects.http.guards import HoldsApiToken
from catalog.dialects.http.sessions import Sessions
from catalog.dialects.v1 import passed_over, shapes
from catalog.dialects.v1.http import AnyRequest, Given, answer, body_of, made
from catalog.dialects.v1.lists import listed, selected
from catalog.dialects.v1.tenant_bodies import administrator_change, new_tenant, tenant_change
from catalog.domain.limits import Limits
from catalog.domain.tenants import removal, tenants
from catalog.domain.tenants.tenants import Administrator
from catalog.store.database import Database
from catalog.store.query import fields
from catalog.store.query.params import MOST
from catalog.store.records import TenantRecord


class Tenants(Controller):
    """Guarded by `guards.operator_only`, which the app adds: it knows API_TOKEN."""

    path = "/tenants"
    opt = {"public": True}  # noqa: RUF012  Litestar's way: API_TOKEN is not a user's token

    @post(status_code=200)
    async def create(
        self,
        request: AnyRequest,
        database: Given[Database],
        storage: Given[Storage],
        default_administrator: Given[Administrator],
        limits: Given[Limits],
    ) -> Response[bytes]:
        async def make(body: Any) -> shapes.Shape:
            tenant = await tenants.create(database, storage, new_tenant(body, default_administrator))
            return shapes.dated(shapes.tenant(tenant), tenant)

        return await made(request, "tenants", make, limits.elements, passed_over.TENANTS)

    @get()
    async def list_(self, request: AnyRequest, database: Given[Database]) -> Response[bytes]:
        async def shown(found: Sequence[TenantRecord]) -> list[shapes.Shape]:
            return [shapes.tenant(tenant) for tenant in found]

        return await listed(request, database.tenants.raw, fields.TENANTS, shown, access={"state": "ready"})

    @get("/{name:str}")
    async def show(self, name: FromPath[str], request: AnyRequest, database: Given[Database]) -> Response[bytes]:
        return answer(selected(request, fields.TENANTS, shapes.tenant(await tenants.find(database, name))))

    @put("/{name:str}")
    async def change(
        self, name: FromPath[str], request: AnyRequest, database: Given[Database], sessions: Given[Sessions]
    ) -> Response[bytes]:
        changed = await tenants.change(database, name, tenant_change(await body_of(request)))
        sessions.forget(name)
        return answer(shapes.tenant(changed))

    @put("/{name:str}/administrator")
    async def set_administrator(
        self, name: FromPath[str], request: AnyRequest, database: Given[Database], sessions: Given[Sessions]
    ) -> Response[bytes]:
        change = administrator_change(await body_of(request))
        user = await tenants.set_administrator(database, name, change.password, change.username)
        sessions.forget(name, user["_id"])
        return answer(shapes.user(user))

    @delete("/{name:str}", status_code=200)
    async def remove(
        self,
        name: FromPath[str],
        database: Given[Database],
        storage: Given[Storage],
        sessions: Given[Sessions],
        default_tenant: Given[str],
        request: AnyRequest,
    ) -> Response[bytes]:
        confirmed = request.query_params.get("confirm")
        removed = await removal.remove(database, storage, name, default_tenant, confirmed)
        sessions.forget(name)
        return answer(shapes.dated(shapes.tenant(removed), removed))


class TenantNames(Controller):
    """Who the tenants are is the operator's to know, unless PUBLIC_TENANTS says otherwise."""

    opt = {"public": True}  # noqa: RUF012  Litestar's way: whoever signs in has no token yet

    @get("/types/tenants")
    async def names(
        self,
        request: AnyRequest,
        database: Given[Database],
        default_tenant: Given[str],
        holds_api_token: Given[HoldsApiToken],
        public_tenants: Given[bool],
    ) -> Response[bytes]:
        """All names on one page; to others than the operator, without PUBLIC_TENANTS, that of the default tenant."""

        async def shown(found: Sequence[TenantRecord]) -> list[shapes.Shape]:
            return [{"_id": tenant["_id"]} for tenant in found]

        is_operator = holds_api_token(request)
        one = {} if is_operator or public_tenants else {"_id": default_tenant}
        declared = fields.TENANTS if is_operator else fields.TENANT_NAMES
        access = {"state": "ready", **one}
        return await listed(request, database.tenants.raw, declared, shown, access=access, limit=MOST)
