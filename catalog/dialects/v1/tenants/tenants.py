"""Tenants, for the operator."""

from litestar import Controller, delete, get, post, put

from catalog.blobs.protocol import Storage
from catalog.dialects.http.docs.parameters import query
from catalog.dialects.http.docs.refusals import answers, refuses
from catalog.dialects.http.encoded import JsonResponse, json_response
from catalog.dialects.http.guards import HoldsApiToken
from catalog.dialects.http.requests.injection import AnyRequest, Injected
from catalog.dialects.http.sessions import Sessions
from catalog.dialects.v1.models.lists import VERBOSE, Created, Listed, ListedResource, Selected, listing, selecting
from catalog.dialects.v1.models.people.people import UserBody
from catalog.dialects.v1.models.tenants.tenants import (
    AdministratorUpdate,
    DatedTenant,
    TenantDetails,
    TenantName,
    TenantToCreate,
    TenantUpdate,
)
from catalog.dialects.v1.models.tenants.usage import TenantUsage
from catalog.dialects.v1.requests.bodies import Json, OneOrMany
from catalog.dialects.v1.requests.http import create_each
from catalog.dialects.v1.requests.lists import listed, one_by_one, selected
from catalog.dialects.v1.requests.parameters import TenantName as TenantNameInPath
from catalog.domain.tenants import removal, tenants, usage
from catalog.domain.tenants.tenants import Administrator
from catalog.errors import INVALID_FIELD, NAME_TAKEN, NOT_CONFIRMED, NOT_FOUND, PROTECTED, STORAGE_AWAY, Refused
from catalog.store.database import Database
from catalog.store.query import fields
from catalog.store.query.params import MOST
from catalog.store.records import TenantRecord

TENANTS = ListedResource("Tenant", fields.TENANTS)
NAMES = ListedResource("TenantName", fields.TENANT_NAMES)
CONFIRM = query("confirm", "The name once more, so that no wrong tenant is removed.")


class Tenants(Controller):
    """Guarded by `guards.operator_only`, which `routes` adds: it knows API_TOKEN."""

    path = "/tenants"
    tags = ("Tenants",)
    opt = {"public": True}  # noqa: RUF012  Litestar's way: API_TOKEN is not a user's token
    plural = "tenants"

    @post(
        status_code=200,
        operation_id="createTenants",
        response_description="The tenant; of a list, what was created.",
        responses=refuses(INVALID_FIELD, NAME_TAKEN)
        | answers(202, Created[DatedTenant], "Some elements of a list were refused."),
        parameters=[VERBOSE],
    )
    async def create(
        self,
        data: Json[OneOrMany[TenantToCreate]],
        request: AnyRequest,
        database: Injected[Database],
        storage: Injected[Storage],
        default_administrator: Injected[Administrator],
    ) -> JsonResponse[DatedTenant | Created[DatedTenant]]:
        """Create a tenant, or several, each with an administrator."""

        async def create(new: TenantToCreate) -> DatedTenant:
            record = await tenants.create(database, storage, new.as_input(default_administrator))
            return DatedTenant.with_dates(record)

        return await create_each(request, data, create, self.plural)

    @get(operation_id="listTenants", response_description="A page of tenants.", **listing(TENANTS))
    async def list_(self, request: AnyRequest, database: Injected[Database]) -> JsonResponse[Listed[TenantDetails]]:
        """List the tenants."""
        shown, access = one_by_one(TenantDetails.of), {"state": "ready"}
        return await listed(request, database.tenants.records, TENANTS.fields, shown, access=access)

    @get(
        "/{name:str}",
        operation_id="showTenant",
        response_description="The tenant.",
        responses=refuses(NOT_FOUND),
        **selecting(TENANTS),
    )
    async def show(
        self, name: TenantNameInPath, request: AnyRequest, database: Injected[Database]
    ) -> JsonResponse[TenantDetails | Selected[TenantDetails]]:
        """Show a tenant."""
        record = await tenants.find(database, name)
        return json_response(selected(request, TENANTS.fields, TenantDetails.of(record)))

    @put(
        "/{name:str}",
        operation_id="changeTenant",
        response_description="The tenant.",
        responses=refuses(NOT_FOUND),
    )
    async def change(
        self,
        name: TenantNameInPath,
        data: Json[TenantUpdate],
        database: Injected[Database],
        sessions: Injected[Sessions],
    ) -> JsonResponse[TenantDetails]:
        """Change a tenant."""
        changed = await tenants.change(database, name, data.as_input())
        sessions.forget(name)
        return json_response(TenantDetails.of(changed))

    @put(
        "/{name:str}/administrator",
        operation_id="setAdministrator",
        response_description="The administrator.",
        responses=refuses(NOT_FOUND),
    )
    async def set_administrator(
        self,
        name: TenantNameInPath,
        data: Json[AdministratorUpdate],
        database: Injected[Database],
        sessions: Injected[Sessions],
    ) -> JsonResponse[UserBody]:
        """Give an administrator of a tenant a new password, and end all credentials of the old one."""
        user = await tenants.set_administrator(database, name, data.password, data.username)
        sessions.forget(name, user["_id"])
        return json_response(UserBody.of(user))

    @delete(
        "/{name:str}",
        status_code=200,
        operation_id="removeTenant",
        response_description="The tenant, as it was.",
        responses=refuses(NOT_FOUND, PROTECTED, NOT_CONFIRMED, STORAGE_AWAY),
        parameters=[CONFIRM],
    )
    async def remove(
        self,
        name: TenantNameInPath,
        database: Injected[Database],
        storage: Injected[Storage],
        sessions: Injected[Sessions],
        default_tenant: Injected[str],
        request: AnyRequest,
    ) -> JsonResponse[DatedTenant]:
        """Remove a tenant with its database and its files."""
        confirmed = request.query_params.get("confirm")
        removed = await removal.remove(database, storage, name, default_tenant, confirmed)
        sessions.forget(name)
        return json_response(DatedTenant.with_dates(removed))

    @get(
        "/{name:str}/usage",
        operation_id="showUsageOfTenant",
        response_description="What the tenant uses.",
        responses=refuses(NOT_FOUND),
    )
    async def usage(self, name: TenantNameInPath, database: Injected[Database]) -> JsonResponse[TenantUsage]:
        """Show what a tenant uses."""
        tenant = await tenants.enter(database, name)
        if tenant is None:
            raise Refused(NOT_FOUND, name)
        return json_response(TenantUsage(**await usage.read(tenant)))


class TenantNames(Controller):
    """Only the operator sees the names of all tenants, unless PUBLIC_TENANTS is set."""

    tags = ("Tenants",)
    opt = {"public": True}  # noqa: RUF012  Litestar's way: before signing in there is no token

    @get(
        "/types/tenants",
        operation_id="listTenantNames",
        response_description="A page of names.",
        **listing(NAMES),
    )
    async def names(
        self,
        request: AnyRequest,
        database: Injected[Database],
        default_tenant: Injected[str],
        holds_api_token: Injected[HoldsApiToken],
        public_tenants: Injected[bool],
    ) -> JsonResponse[Listed[TenantName]]:
        """List the names of tenants.

        Without PUBLIC_TENANTS, only the operator sees others than the default tenant.
        """
        is_operator = holds_api_token(request)
        one = {} if is_operator or public_tenants else {"_id": default_tenant}
        declared = fields.TENANTS if is_operator else fields.TENANT_NAMES
        shown, access = one_by_one(_name), {"state": "ready", **one}
        return await listed(request, database.tenants.records, declared, shown, access=access, limit=MOST)


def _name(record: TenantRecord) -> TenantName:
    return TenantName(record["_id"])
