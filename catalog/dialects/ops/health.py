"""Routes for balancers and monitoring."""

from litestar import Controller, Response, get
from litestar.status_codes import HTTP_200_OK, HTTP_503_SERVICE_UNAVAILABLE
from prometheus_client import CONTENT_TYPE_LATEST

from catalog.dialects.ops.metrics import Metrics
from catalog.dialects.v1.http import Given, answer
from catalog.domain.health import Health

UNLOGGED = {"public": True, "unlogged": True}


class Probes(Controller):
    path = "/health"
    opt = UNLOGGED

    @get("/live")
    async def live(self) -> Response[bytes]:
        """Answer while the process can answer at all. A process that does not needs a restart."""
        return answer({"status": "live"})

    @get("/ready")
    async def ready(self, health: Given[Health]) -> Response[bytes]:
        """Report whether requests can be served now, and which part prevents it."""
        away = await health.away()
        parts = {name: "away" if name in away else "ok" for name in health.parts}
        if health.stopping:
            return answer({"status": "stopping", **parts}, HTTP_503_SERVICE_UNAVAILABLE)
        if away:
            return answer({"status": "not ready", **parts}, HTTP_503_SERVICE_UNAVAILABLE, {"Retry-After": "1"})
        return answer({"status": "ready", **parts}, HTTP_200_OK)


class MetricsRoute(Controller):
    """`routes` adds the guard."""

    opt = UNLOGGED

    @get("/metrics")
    async def metrics(self, metrics: Given[Metrics]) -> Response[bytes]:
        return Response(await metrics.all_text(), media_type=CONTENT_TYPE_LATEST)
