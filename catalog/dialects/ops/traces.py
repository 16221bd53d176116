"""A span of each request, sent to a collector of OpenTelemetry. Needs the extra `telemetry`.

Names and attributes are those of the semantic conventions for HTTP servers. A span has what the journal has: the
route and the path without secrets, never a query, a body or a token. The environment variables OTEL_* configure the
rest (the name of the service, sampling, headers for the collector), as in any program.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from threading import Thread

from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExportResult
from opentelemetry.trace import Span, SpanKind, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from catalog import __version__
from catalog.dialects.http.request_log import redact

logger = logging.getLogger(__name__)

SERVER_ERROR = 500

LAST_SPANS = 3.0
"""Seconds that a stopping server gives the collector to take the last spans."""


class Exporter(OTLPSpanExporter):
    """Logs once that the collector does not answer, and once that it does again."""

    def __init__(self, endpoint: str) -> None:
        super().__init__(endpoint=f"{endpoint.rstrip('/')}/v1/traces")
        logging.getLogger("opentelemetry.exporter").setLevel(logging.CRITICAL)  # a line for each attempt
        self._is_away = False

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        result = super().export(spans)
        if self._is_away != (result is not SpanExportResult.SUCCESS):
            self._is_away = not self._is_away
            if self._is_away:
                logger.warning("the collector of traces does not answer: spans are dropped until it does")
            else:
                logger.info("the collector of traces answers again")
        return result


class Traces:
    """`endpoint` is a collector's base address for OTLP over HTTP: http://localhost:4318."""

    def __init__(self, endpoint: str) -> None:
        ours = Resource({"service.name": "catalog", "service.version": __version__})
        resources = ours.merge(OTELResourceDetector().detect())
        self._provider = TracerProvider(resource=resources, shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(Exporter(endpoint)))
        self._tracer = self._provider.get_tracer("catalog", __version__)
        self._propagator = TraceContextTextMapPropagator()

    def around(self, app: ASGIApp) -> ASGIApp:
        """Run each request of `app` in a span that continues the caller's `traceparent`."""

        async def traced(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != ScopeType.HTTP:
                await app(scope, receive, send)
                return
            headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
            context = self._propagator.extract(headers)
            with self._tracer.start_as_current_span(scope["method"], context, SpanKind.SERVER) as span:

                async def send_traced(message: Message) -> None:
                    if message["type"] == "http.response.start":
                        _describe(span, scope, message["status"])
                    await send(message)

                await app(scope, receive, send_traced)

        return traced

    @asynccontextmanager
    async def running(self, _: object) -> AsyncIterator[None]:
        """Send the remaining spans at the end, for at most LAST_SPANS seconds."""
        try:
            yield
        finally:
            sending = Thread(target=self._provider.shutdown, daemon=True)
            sending.start()
            await asyncio.to_thread(sending.join, LAST_SPANS)


def _describe(span: Span, scope: HTTPScope, status: int) -> None:
    state = scope["state"]
    about = {
        "http.request.method": scope["method"],
        "http.response.status_code": status,
        "http.route": scope.get("path_template"),
        "url.path": redact(scope["path"]),
        "url.scheme": scope["scheme"],
        "catalog.request_id": state.get("request_id"),
        "catalog.fault": state.get("fault"),
    }
    span.set_attributes({name: value for name, value in about.items() if value is not None})
    if route := about["http.route"]:
        span.update_name(f"{scope['method']} {route}")
    if status >= SERVER_ERROR:
        span.set_status(StatusCode.ERROR)
