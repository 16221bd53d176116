"""What the tenant of the caller uses."""

from litestar import Controller, get

from catalog.dialects.http import guards
from catalog.dialects.v1.models.tenants.usage import TenantUsage
from catalog.dialects.v1.requests.http import Answer, Given, answer
from catalog.domain.access import Caller
from catalog.domain.tenants import usage

TAG = "Usage and journal"


class Usage(Controller):
    path = "/usage"
    tags = (TAG,)
    guards = (guards.administrators_only,)

    @get(operation_id="showUsage", response_description="What the tenant uses.")
    async def show(self, caller: Given[Caller]) -> Answer[TenantUsage]:
        """Show what the tenant uses."""
        return answer(TenantUsage(**await usage.read(caller.tenant)))
