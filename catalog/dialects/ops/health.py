"""For balancers and for whoever watches: alive, ready, and what was measured."""

from litestar import Controller, Response, get
from litestar.status_codes import HTTP_200_OK, HTTP_503_SERVICE_UNAVAILABLE
from prometheus_client import CONTENT_TYPE_LATEST

from catalog.dialects.ops.metrics import Metrics
from catalog.dialects.v1.http import Given, answer
from catalog.domain.health import Health

UNASKED = {"public": True, "unlogged": True}


class Probes(Controller):
    path = "/health"
    opt = UNASKED

    @get("/live")
    async def live(self) -> Response[bytes]:
        """Answer for as long as the process can answer at all: who does not has to be started anew."""
        return answer({"status": "live"})

    @get("/ready")
    async def ready(self, health: Given[Health]) -> Response[bytes]:
        """Tell whether requests can be served now, and which part keeps them from it."""
        away = await health.away()
        parts = {name: "away" if name in away else "ok" for name in health.parts}
        if health.stopping:
            return answer({"status": "stopping", **parts}, HTTP_503_SERVICE_UNAVAILABLE)
        if away:
            return answer({"status": "not ready", **parts}, HTTP_503_SERVICE_UNAVAILABLE, {"Retry-After": "1"})
        return answer({"status": "ready", **parts}, HTTP_200_OK)


class Measured(Controller):
    """Guarded by `guards.operator_or_loopback`, which the app adds: it knows API_TOKEN."""

    opt = UNASKED

    @get("/metrics")
    async def metrics(self, metrics: Given[Metrics]) -> Response[bytes]:
        return Response(await metrics.of_all(), media_type=CONTENT_TYPE_LATEST)
