"""What the tenant of the caller uses."""

from litestar import Controller, get

from catalog.dialects.http import guards
from catalog.dialects.http.docs.parameters import query
from catalog.dialects.http.encoded import JsonResponse, json_response
from catalog.dialects.http.requests.injection import AnyRequest, Injected
from catalog.dialects.v1.models.tenants.usage import ItemUsageBody, LargestItems, TenantUsage
from catalog.domain.access import Caller
from catalog.domain.tenants import largest, usage
from catalog.store.query.params import page_of

TAG = "Usage and journal"
MOST = query("limit", "How many items.", {"type": "integer", "minimum": 0, "maximum": largest.MOST, "default": 10})


class UsageReports(Controller):
    path = "/usage"
    tags = (TAG,)
    guards = (guards.administrators_only,)

    @get(operation_id="showUsage", response_description="What the tenant uses.")
    async def show(self, caller: Injected[Caller]) -> JsonResponse[TenantUsage]:
        """Show what the tenant uses."""
        return json_response(TenantUsage(**await usage.read(caller.tenant)))

    @get("/items", operation_id="listLargestItems", response_description="The largest items.", parameters=[MOST])
    async def items(self, request: AnyRequest, caller: Injected[Caller]) -> JsonResponse[LargestItems]:
        """List the items whose versions take most room, the largest first."""
        limit = page_of(None, request.query_params.get("limit")).limit
        found = await largest.largest(caller.tenant, limit) if limit else []
        return json_response(LargestItems([ItemUsageBody.of(each) for each in found]))
