"""The sweep, which removes the bytes that no version uses any more."""

from contextlib import aclosing
from datetime import timedelta

from litestar import Controller, post

from catalog.dialects.http.docs.parameters import query
from catalog.dialects.http.docs.refusals import refuses
from catalog.dialects.http.encoded import JsonResponse, json_response
from catalog.dialects.http.requests.cancellation import cancellation
from catalog.dialects.http.requests.injection import AnyRequest, Injected
from catalog.dialects.v1.models.tenants.usage import SweepReport
from catalog.dialects.v1.requests.parameters import flag, flag_query
from catalog.dialects.v1.tenants.usage import TAG
from catalog.domain.cleanup.sweep_schedule import sweep_tenants
from catalog.durations import Duration
from catalog.errors import NOT_FOUND, REQUEST, Refused
from catalog.store.database import Database

TENANT = query("tenant", "Only this tenant.")
GRACE = query("grace", "Keep what is younger.", {"type": "string", "default": "SWEEP_GRACE"}, example="24h")
DRY_RUN = flag_query("dry_run", "Only report what would be removed.")


class Sweeps(Controller):
    """Guarded by `guards.operator_only`, which `routes` adds: it knows API_TOKEN."""

    path = "/sweep"
    tags = (TAG,)
    opt = {"public": True}  # noqa: RUF012  Litestar's way: API_TOKEN is not a user's token

    @post(
        status_code=200,
        operation_id="sweep",
        response_description="What was removed.",
        responses=refuses(REQUEST, NOT_FOUND),
        parameters=[TENANT, GRACE, DRY_RUN],
    )
    async def sweep(
        self, request: AnyRequest, database: Injected[Database], sweep_grace: Injected[timedelta]
    ) -> JsonResponse[SweepReport]:
        """Remove the bytes that no version uses any more.

        The answer comes when it is done: with many files that takes minutes.
        """
        params = request.query_params
        dry_run = flag(request, "dry_run")
        sweeping = sweep_tenants(
            database,
            grace=_duration(params["grace"]) if "grace" in params else sweep_grace,
            only=params.get("tenant", ""),
            dry_run=dry_run,
        )
        sweeps = []
        async with aclosing(sweeping):
            async for sweep in sweeping:
                sweeps.append(sweep)
                cancellation(request.scope).refuse_client_gone()
                cancellation(request.scope).refuse_stopping()
        return json_response(SweepReport.of(sweeps, dry_run=dry_run))


def _duration(text: str) -> timedelta:
    try:
        return Duration(text)
    except ValueError as wrong:
        raise Refused(REQUEST, f"grace: {wrong}") from None
