"""The journal of a tenant, for its administrators; and that of requests without a tenant, for the operator."""

from litestar import Controller, get

from catalog.dialects.http import guards
from catalog.dialects.http.encoded import JsonResponse
from catalog.dialects.http.requests.injection import AnyRequest, Injected
from catalog.dialects.v1.models.lists import Listed, ListedResource, listing
from catalog.dialects.v1.models.tenants.log import JournalEntry
from catalog.dialects.v1.requests.lists import listed, one_by_one
from catalog.dialects.v1.tenants.usage import TAG
from catalog.domain import audit
from catalog.domain.access import Caller
from catalog.store.database import Database
from catalog.store.query import fields
from catalog.store.query.paging import pages
from catalog.store.tenant import Tenant

JOURNAL = ListedResource("JournalEntry", fields.LOG)
PAGE = "A page of entries."


async def entries(request: AnyRequest, tenant: Tenant) -> JsonResponse[Listed[JournalEntry]]:
    top = await tenant.recent(audit.COUNTER)
    return await listed(
        request,
        tenant.log.records,
        JOURNAL.fields,
        one_by_one(lambda record: JournalEntry.of(record, tenant.name)),
        order=pages.NEWEST,
        top=top,
        statistics=tenant.scan_statistics,
    )


class Log(Controller):
    path = "/log"
    tags = (TAG,)

    @get(guards=[guards.administrators_only], operation_id="listLog", response_description=PAGE, **listing(JOURNAL))
    async def list_(self, request: AnyRequest, caller: Injected[Caller]) -> JsonResponse[Listed[JournalEntry]]:
        """List the requests to the tenant, newest first."""
        return await entries(request, caller.tenant)


class OperatorsLog(Controller):
    """Guarded by `guards.operator_only`, which `routes` adds: it knows API_TOKEN."""

    path = "/log/operator"
    tags = (TAG,)
    opt = {"public": True}  # noqa: RUF012  Litestar's way: API_TOKEN is not a user's token

    @get(operation_id="listOperatorsLog", response_description=PAGE, **listing(JOURNAL))
    async def list_(self, request: AnyRequest, database: Injected[Database]) -> JsonResponse[Listed[JournalEntry]]:
        """List the requests that belong to no tenant, newest first."""
        return await entries(request, database.operator)
