"""The server itself: what it is, whether it runs, and how it is documented."""

from collections.abc import Sequence

from catalog.dialects.openapi.operation import Operation, Who, answered, handed_out
from catalog.dialects.openapi.schema import Schema, any_of, made_of, many, one_of, text
from catalog.errors import UNKNOWN_ROUTE, Fault

ABOUT, HEALTH, DOCUMENTATION = "About the server", "Health and measures", "Documentation"

HTML = "text/html"
PLAIN = "text/plain"
"""Of what Prometheus reads."""


def operations(prefix: str) -> list[Operation]:
    return [*_health(), *_documentation(prefix)]


def _health() -> list[Operation]:
    part = one_of(["ok", "away"])
    ready = made_of(
        {
            "status": one_of(["ready", "not ready", "stopping"]),
            "database": part,
            "storage": part,
            "file_descriptors": part,
        }
    )
    return [
        _told("/health/live", "live", "Tell whether the server runs", made_of({"status": text()}), group=HEALTH),
        Operation(
            method="get",
            path="/health/ready",
            name="ready",
            group=HEALTH,
            summary="Tell whether it can serve",
            who=Who.ANYBODY,
            answers={200: answered("It can.", ready), 503: answered("It cannot, and what keeps it.", ready)},
        ),
        Operation(
            method="get",
            path="/metrics",
            name="metrics",
            group=HEALTH,
            summary="Tell what was measured, for Prometheus",
            who=Who.WATCHER,
            answers={200: handed_out("The measures.", {}, PLAIN)},
        ),
    ]


def _documentation(prefix: str) -> list[Operation]:
    route = made_of({"path": text(), "method": text()})
    pair = many(any_of(text(), many(route)), "The first word of the routes, and the routes.", 2) | {"minItems": 2}
    routes = made_of({"routes": many(pair)})
    document = {"type": "object"}
    both = "A page for a browser, JSON for everybody else."
    return [
        _shown(f"{prefix}/docs", "docs", "List the routes", both, routes),
        _shown("/schema", "schema", "Show this document", both, document),
        _told("/schema/openapi.json", "openapi", "Fetch this document", document, group=DOCUMENTATION),
        _shown("/docs.html", "docsPage", "Show this document as a page", "", None),
        _shown("/", "front", "Show a browser the page where a password is reset", "", None, (UNKNOWN_ROUTE,)),
    ]


def _told(
    path: str, name: str, summary: str, schema: Schema, *, who: Who = Who.ANYBODY, group: str = ABOUT
) -> Operation:
    answers = {200: answered("This.", schema)}
    return Operation(method="get", path=path, name=name, group=group, summary=summary, who=who, answers=answers)


def _shown(
    path: str, name: str, summary: str, details: str, schema: Schema | None, faults: Sequence[Fault] = ()
) -> Operation:
    """What is a page, or, with a `schema`, JSON too."""
    answer = answered("This.", schema) if schema else handed_out("This.", {}, HTML)
    answer["content"][HTML] = {"schema": text()}
    return Operation(
        method="get",
        path=path,
        name=name,
        group=DOCUMENTATION,
        summary=summary,
        details=details,
        who=Who.ANYBODY,
        answers={200: answer},
        faults=faults,
    )
