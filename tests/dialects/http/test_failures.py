"""Each dialect words the refusals of its own paths, also where there is no route."""

import httpx
import pytest
from litestar import Litestar, Response, get
from litestar.datastructures import State
from pymongo.errors import OperationFailure

from catalog.dialects.http.dialect import Dialect
from catalog.dialects.http.failures import as_refused, error_handler
from catalog.errors import DATABASE_AWAY, INTERNAL, METHOD_NOT_ALLOWED, NOT_FOUND, UNKNOWN_ROUTE, Refused


@get("/a/thing")
async def of_a() -> None:
    raise Refused(NOT_FOUND)


@get("/b/thing")
async def of_b() -> None:
    raise Refused(NOT_FOUND)


def worded(name):
    return lambda request, refused: Response({name: refused.fault.name}, status_code=refused.fault.status)


@pytest.fixture
async def two_dialects():
    dialects = [Dialect(("/a", "/login"), [of_a], worded("a")), Dialect(("/b",), [of_b], worded("b"))]
    app = Litestar(
        [route for dialect in dialects for route in dialect.routes],
        exception_handlers={Exception: error_handler(dialects)},
        state=State(),
        openapi_config=None,
    )

    async def with_an_id(scope, receive, send):
        scope.setdefault("state", {})["request_id"] = "1"
        await app(scope, receive, send)

    async with httpx.AsyncClient(transport=httpx.ASGITransport(with_an_id), base_url="http://catalog") as client:
        yield client


@pytest.mark.parametrize(
    ("method", "path", "answer"),
    [
        ("GET", "/a/thing", {"a": NOT_FOUND.name}),
        ("GET", "/b/thing", {"b": NOT_FOUND.name}),
        ("GET", "/b/nowhere", {"b": UNKNOWN_ROUTE.name}),
        ("GET", "/b", {"b": UNKNOWN_ROUTE.name}),
        ("POST", "/b/thing", {"b": METHOD_NOT_ALLOWED.name}),
        ("GET", "/login", {"a": UNKNOWN_ROUTE.name}),
        ("GET", "/bright", {"a": UNKNOWN_ROUTE.name}),
        ("GET", "/elsewhere", {"a": UNKNOWN_ROUTE.name}),
    ],
)
async def test_the_dialect_of_a_path_words_its_refusals(two_dialects, method, path, answer):
    assert (await two_dialects.request(method, path)).json() == answer


@pytest.mark.parametrize(
    ("failure", "fault"),
    [
        (OperationFailure("WiredTiger error: WT_PANIC: WiredTiger library panic", 1), DATABASE_AWAY),
        (OperationFailure("no room", 14031), DATABASE_AWAY),
        (OperationFailure("unknown operator: $x", 2), INTERNAL),
    ],
)
def test_a_database_without_room_is_away_for_a_while(failure, fault):
    assert as_refused(failure, "POST /a/thing", "1").fault is fault
