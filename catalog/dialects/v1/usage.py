"""What a tenant uses, and the sweep, which gives back what nothing names any more."""

from contextlib import aclosing
from datetime import timedelta
from typing import Any

from litestar import Controller, Response, get, post
from litestar.params import FromPath

from catalog.blobs.protocol import Storage
from catalog.dialects.http import guards
from catalog.dialects.http.request_log import wanted
from catalog.dialects.v1.http import AnyRequest, Given, answer
from catalog.domain.access import Caller
from catalog.domain.cleanup.sweep_schedule import TenantSweep, sweep_tenants
from catalog.domain.tenants import tenants, usage
from catalog.durations import Duration
from catalog.errors import NOT_FOUND, REQUEST, Refused
from catalog.store.database import Database


class Usage(Controller):
    path = "/usage"
    guards = (guards.administrators_only,)

    @get()
    async def show(self, caller: Given[Caller]) -> Response[bytes]:
        return answer(await usage.read(caller.tenant))


class Sweeps(Controller):
    """Guarded by `guards.operator_only`, which the app adds: it knows API_TOKEN."""

    opt = {"public": True}  # noqa: RUF012  Litestar's way: API_TOKEN is not a user's token

    @get("/tenants/{name:str}/usage")
    async def usage(self, name: FromPath[str], database: Given[Database]) -> Response[bytes]:
        tenant = await tenants.enter(database, name)
        if tenant is None:
            raise Refused(NOT_FOUND, name)
        return answer(await usage.read(tenant))

    @post("/sweep", status_code=200)
    async def sweep(
        self, request: AnyRequest, database: Given[Database], storage: Given[Storage], sweep_grace: Given[timedelta]
    ) -> Response[bytes]:
        """Sweep now, and answer when it is done: with many files that takes minutes."""
        query = request.query_params
        dry_run = _flag("dry_run", query.get("dry_run", "false"))
        sweeping = sweep_tenants(
            database,
            storage,
            grace=_duration(query["grace"]) if "grace" in query else sweep_grace,
            only=query.get("tenant", ""),
            dry_run=dry_run,
        )
        async with aclosing(sweeping):
            sweeps = []
            async for sweep in sweeping:
                sweeps.append(_sweep(sweep))
                wanted(request.scope).refuse_vanished()
                wanted(request.scope).refuse_stopping()
        return answer({"dry_run": dry_run, "tenants": sweeps})


def _sweep(sweep: TenantSweep) -> dict[str, Any]:
    if sweep.refused:
        return {"_id": sweep.tenant, "refused": str(sweep.refused)}
    return {"_id": sweep.tenant, **sweep.result._asdict()}


def _flag(name: str, text: str) -> bool:
    if text not in {"true", "false"}:
        raise Refused(REQUEST, f"{name}: true or false is needed")
    return text == "true"


def _duration(text: str) -> timedelta:
    try:
        return Duration(text)
    except ValueError as wrong:
        raise Refused(REQUEST, f"grace: {wrong}") from None
