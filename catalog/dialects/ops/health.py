"""Routes for balancers and monitoring."""

from typing import Literal

from litestar import Controller, Response, get
from litestar.status_codes import HTTP_200_OK, HTTP_503_SERVICE_UNAVAILABLE
from msgspec import Struct
from prometheus_client import CONTENT_TYPE_LATEST

from catalog.dialects.http.docs.refusals import answers
from catalog.dialects.http.encoded import JsonResponse, json_response
from catalog.dialects.http.requests.injection import Injected
from catalog.dialects.ops.metrics import Metrics
from catalog.domain.health import Health

TAG = "Health and metrics"
UNLOGGED = {"public": True, "unlogged": True}

Part = Literal["ok", "away"]


class Liveness(Struct):
    """The process can answer."""

    status: Literal["live"] = "live"


class Readiness(Struct):
    """Whether requests can be served, and which parts respond."""

    status: Literal["ready", "not ready", "stopping"]
    database: Part
    storage: Part
    file_descriptors: Part


class Probes(Controller):
    path = "/health"
    tags = (TAG,)
    opt = UNLOGGED

    @get("/live", operation_id="live", response_description="The server runs.")
    async def live(self) -> JsonResponse[Liveness]:
        """Report whether the server runs.

        A process that does not answer needs a restart.
        """
        return json_response(Liveness())

    @get(
        "/ready",
        operation_id="ready",
        response_description="Requests can be served.",
        responses=answers(HTTP_503_SERVICE_UNAVAILABLE, Readiness, "Requests cannot be served, and why."),
    )
    async def ready(self, health: Injected[Health]) -> JsonResponse[Readiness]:
        """Report whether requests can be served now, and which part prevents it."""
        away = await health.away()
        parts: dict[str, Part] = {name: "away" if name in away else "ok" for name in health.parts}
        if health.stopping:
            return json_response(Readiness("stopping", **parts), HTTP_503_SERVICE_UNAVAILABLE)
        if away:
            return json_response(Readiness("not ready", **parts), HTTP_503_SERVICE_UNAVAILABLE, {"Retry-After": "1"})
        return json_response(Readiness("ready", **parts), HTTP_200_OK)


class Readyz(Controller):
    """Readiness for clients of other registries. Any path with this ending is routed here."""

    path = "/readyz"
    tags = (TAG,)
    opt = UNLOGGED

    @get(
        operation_id="readyz",
        response_description="Requests can be served.",
        responses=answers(HTTP_503_SERVICE_UNAVAILABLE, None, "Requests cannot be served."),
        media_types=["text/plain"],
    )
    async def ready(self, health: Injected[Health]) -> Response[bytes]:
        """Report whether requests can be served now.

        Every path that ends with `/readyz/health` or `/readyz/isDirty` is answered so, too.
        """
        is_away = health.stopping or bool(await health.away())
        status = HTTP_503_SERVICE_UNAVAILABLE if is_away else HTTP_200_OK
        return Response(b"unavailable" if is_away else b"OK", status_code=status, media_type="text/plain")


class MetricsRoute(Controller):
    """`routes` adds the guard."""

    tags = (TAG,)
    opt = UNLOGGED

    @get(
        "/metrics",
        operation_id="metrics",
        response_description="The metrics, in the text format of Prometheus.",
        media_types=["text/plain"],
    )
    async def metrics(self, metrics: Injected[Metrics]) -> Response[bytes]:
        """Show the metrics, for Prometheus."""
        return Response(await metrics.all_text(), media_type=CONTENT_TYPE_LATEST)
