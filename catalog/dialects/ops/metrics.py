"""What is measured, for Prometheus. Labels are bounded: a method, a pattern of a route, a class of statuses."""

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

from catalog.dialects.ops.worker_metrics import Colleagues, together

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

BUCKETS = (0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)  # seconds

BY_ROUTE = ("method", "route")


class _Row(NamedTuple):
    """The measures of a method, route and class of statuses: looking them up each time would cost 10 us."""

    requests: Counter
    seconds: Histogram
    received: Counter
    sent: Counter


class Metrics:
    """Of one application, so that two in a process do not count together. With `colleagues`, of them all."""

    def __init__(self, colleagues: Colleagues | None = None) -> None:
        self._colleagues = colleagues
        # Which double what is sent, to tell when each was first counted.
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
        """Show a value that somebody else keeps."""
        Gauge(name, meaning, registry=self.registry).set_function(value)

    def begins(self) -> None:
        self._in_flight += 1

    def ends(self, method: str, route: str | None, status: int, seconds: float, received: int, sent: int) -> None:
        """Count an answer. A `route` of None is one that is not there."""
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
        if method in METHODS:  # who makes up methods shall not fill the memory
            self._rows[method, route, hundreds] = row
        return row

    def text(self) -> bytes:
        """What this process has measured."""
        return generate_latest(self.registry)

    async def of_all(self) -> bytes:
        return together(await self._colleagues.ask()) if self._colleagues else self.text()
