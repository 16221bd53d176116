"""Metrics for Prometheus. Labels are bounded: a method, a pattern of a route, a class of statuses."""

from collections.abc import Callable
from typing import NamedTuple

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)

from catalog.dialects.ops.worker_metrics import WorkerMetrics, merge

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

BUCKETS = (0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)  # seconds

BY_ROUTE = ("method", "route")


class _Row(NamedTuple):
    """The counters of a method, route and class of statuses: looking them up for each request would cost 10 us."""

    requests: Counter
    seconds: Histogram
    received: Counter
    sent: Counter


class Metrics:
    """The metrics of one application. With `worker_metrics`, those of all workers."""

    def __init__(self, worker_metrics: WorkerMetrics | None = None) -> None:
        self._worker_metrics = worker_metrics
        # They double the size of a response with the time of each counter's first use.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._requests = Counter("catalog_requests", "Requests answered", (*BY_ROUTE, "status"), registry=self.registry)
        self._seconds = Histogram(
            "catalog_request_seconds",
            "Time from a request's arrival to the end of its answer",
            BY_ROUTE,
            buckets=BUCKETS,
            registry=self.registry,
        )
        self._received = Counter(
            "catalog_received_bytes", "Bytes of the bodies of requests", BY_ROUTE, registry=self.registry
        )
        self._sent = Counter("catalog_sent_bytes", "Bytes of the bodies of answers", BY_ROUTE, registry=self.registry)
        self._in_flight = 0
        self._rows: dict[tuple[str, str | None, int], _Row] = {}
        self.watch("catalog_requests_in_flight", "Requests being answered", lambda: self._in_flight)

    def watch(self, name: str, meaning: str, value: Callable[[], float]) -> None:
        """Export a value that another object holds."""
        Gauge(name, meaning, registry=self.registry).set_function(value)

    def begin(self) -> None:
        self._in_flight += 1

    def end(self, method: str, route: str | None, status: int, seconds: float, received: int, sent: int) -> None:
        """Count a response. A `route` of None does not exist."""
        self._in_flight -= 1
        key = method, route, status // 100
        row = self._rows.get(key) or self._new_row(*key)
        row.requests.inc()
        row.seconds.observe(seconds)
        if received:
            row.received.inc(received)
        if sent:
            row.sent.inc(sent)

    def _new_row(self, method: str, route: str | None, hundreds: int) -> _Row:
        labels = (method if method in METHODS else "other", route or "unknown")
        row = _Row(
            self._requests.labels(*labels, f"{hundreds}xx"),
            self._seconds.labels(*labels),
            self._received.labels(*labels),
            self._sent.labels(*labels),
        )
        if method in METHODS:  # invented methods must not fill the memory
            self._rows[method, route, hundreds] = row
        return row

    def text(self) -> bytes:
        """The metrics of this process."""
        return generate_latest(self.registry)

    async def all_text(self) -> bytes:
        return merge(await self._worker_metrics.collect()) if self._worker_metrics else self.text()
