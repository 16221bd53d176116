"""What a tenant keeps, and for how long."""

from litestar import Controller, get, post, put

from catalog.dialects.http import guards
from catalog.dialects.http.encoded import JsonResponse, json_response
from catalog.dialects.http.requests.injection import AnyRequest, Injected
from catalog.dialects.v1.models.retention import AppliedRetention, Retention, RetentionChange
from catalog.dialects.v1.requests.bodies import Json
from catalog.dialects.v1.requests.parameters import flag, flag_query
from catalog.domain.access import Caller
from catalog.domain.retention import applying, policies

TAG = "Retention"
DRY_RUN = flag_query("dry_run", "`true`: only list what would be removed.")


class TenantRetention(Controller):
    path = "/retention"
    tags = (TAG,)
    guards = (guards.administrators_only,)

    @get(operation_id="showRetention", response_description="The policy.")
    async def show(self, caller: Injected[Caller]) -> JsonResponse[Retention]:
        """Show what the tenant keeps, and for how long."""
        return json_response(Retention.of(await policies.of_tenant(caller.tenant)))

    @put(operation_id="changeRetention", response_description="The policy.")
    async def change(self, data: Json[RetentionChange], caller: Injected[Caller]) -> JsonResponse[Retention]:
        """Set what the tenant keeps, and for how long. The sweep applies it."""
        return json_response(Retention.of(await policies.change_tenant(caller, data.values())))

    @post(
        "/apply",
        status_code=200,
        operation_id="applyRetention",
        response_description="What was removed.",
        parameters=[DRY_RUN],
    )
    async def apply(self, request: AnyRequest, caller: Injected[Caller]) -> JsonResponse[AppliedRetention]:
        """Apply the policies of the tenant and of its items now, or list what they would remove."""
        dry_run = flag(request, "dry_run")
        return json_response(AppliedRetention.of(await applying.apply_for(caller, dry_run=dry_run), dry_run=dry_run))
