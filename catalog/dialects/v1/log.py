"""The journal, for administrators; and its part that belongs to no tenant, for the operator."""

from collections.abc import Sequence

from litestar import Controller, Response, get

from catalog.dialects.http import guards
from catalog.dialects.v1 import shapes
from catalog.dialects.v1.http import AnyRequest, Given
from catalog.dialects.v1.lists import listed
from catalog.dialects.v1.models.common import moment
from catalog.domain import audit
from catalog.domain.access import Caller
from catalog.store.database import Database, Tenant
from catalog.store.query import fields, pages
from catalog.store.tenant_documents import Raw

KEPT = ("user", "method", "route", "path", "item", "address", "result", "fault", "duration", "request_id", "requests")


def entry(document: Raw, tenant: str) -> shapes.Shape:
    """Show an entry: its fields, and the line that other registries make of it, without contents."""
    who = document["user"] or "Anonymous"
    asked = f"{document['method']} {document['path']}"
    line = f"{{tenant: {tenant or '-'} - request: {asked}, contents: {{}}, user: {who}, result: {document['result']}}}"
    return {
        "date": moment(document["date"]),
        "_id": document["_id"],
        "log": line,
        "serial": document["serial"],
        **{field: document[field] for field in KEPT if document.get(field) is not None},
    }


async def entries(request: AnyRequest, tenant: Tenant) -> Response[bytes]:
    async def shown(found: Sequence[Raw]) -> list[shapes.Shape]:
        return [entry(document, tenant.name) for document in found]

    top = await tenant.recent(audit.COUNTER)
    return await listed(
        request, tenant.log.raw, fields.LOG, shown, order=pages.NEWEST, top=top, statistics=tenant.scan_statistics
    )


class Log(Controller):
    path = "/log"

    @get(guards=[guards.administrators_only])
    async def list_(self, request: AnyRequest, caller: Given[Caller]) -> Response[bytes]:
        return await entries(request, caller.tenant)


class OperatorsLog(Controller):
    """Guarded by `guards.operator_only`, which the app adds: it knows API_TOKEN."""

    path = "/log/operator"
    opt = {"public": True}  # noqa: RUF012  Litestar's way: API_TOKEN is not a user's token

    @get()
    async def list_(self, request: AnyRequest, database: Given[Database]) -> Response[bytes]:
        return await entries(request, database.operator)
