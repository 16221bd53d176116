"""Routes for balancers and monitoring: `/health/live`, `/health/ready` and `/metrics`."""

from dataclasses import dataclass

from catalog.dialects.http import guards
from catalog.dialects.http.dialect import Dialect, ErrorResponse, Routes, dependencies
from catalog.dialects.ops.health import MetricsRoute, Probes, Readyz
from catalog.dialects.ops.metrics import Metrics
from catalog.domain.health import Health


@dataclass(frozen=True, kw_only=True)
class OpsServices:
    health: Health
    metrics: Metrics


def dialect(
    services: OpsServices, api_token: str, error_response: ErrorResponse[bytes], *, open_to_loopback: bool
) -> Dialect:
    """`error_response` words refusals; `open_to_loopback`: this machine reads the metrics without `api_token`."""
    guard = guards.operator_or_loopback(api_token) if open_to_loopback else guards.operator_only(api_token)
    metrics = Routes("/", route_handlers=[MetricsRoute], guards=[guard])
    return Dialect(
        ("/health", "/metrics", "/readyz"),
        [Routes("/", route_handlers=[Probes, Readyz, metrics], dependencies=dependencies(services))],
        error_response,
    )
