"""Every refusal in one shape, and what the server says of itself."""

import httpx
import pytest
from litestar import get

from catalog import errors
from catalog.app import create_app
from catalog.dialects.v1.errors import CATALOGUE
from catalog.errors import Refused
from tests.support.app import PASSWORD, client_of_app

SHAPE = {"status", "value", "message"}


def assert_shape(answer: httpx.Response, status: int, value: int) -> None:
    body = answer.json()
    assert (answer.status_code, body["status"], body["value"]) == (status, status, value), answer.text
    assert body.keys() - {"details"} == SHAPE
    assert answer.headers["X-Request-ID"]
    assert "Traceback" not in answer.text


def test_the_numbers_of_the_catalogue_are_stable():
    values = [fault.value for fault in CATALOGUE]

    assert [value for value in values if value < 130] == [*range(14), 13, 14, 15, 16, 17, 27, *range(100, 130)]
    assert len(set(values)) == len(values) - 1  # 13 stands for two
    assert len({fault.name for fault in CATALOGUE}) == len(CATALOGUE)


def test_a_refusal_says_what_was_refused():
    assert str(Refused(errors.NOT_FOUND, "iris")) == "Resource Not found (iris)"


@pytest.mark.parametrize("url", ["/v1/nope", "/nope", "/", "/v2/models", "/v1/models/a/b/c"])
async def test_an_unknown_route(client, org, url):
    assert_shape(await client.get(url, headers=org.as_("ada")), 404, 100)


@pytest.mark.parametrize(("method", "url"), [("PATCH", "/v1/models"), ("DELETE", "/v1/errors"), ("POST", "/v1/info")])
async def test_a_wrong_method(client, org, method, url):
    answer = await client.request(method, url, headers=org.as_("ada"))

    assert_shape(answer, 405, 101)
    assert answer.headers["Allow"]


@pytest.mark.parametrize("body", [b"{bad", b'{"a":', b"\xff\xfe", b"[" * 100_000, b'{"name": NaN}', b'"\\ud800"'])
async def test_a_malformed_body(client, org, body):
    for method, url in (("POST", "/v1/models"), ("POST", "/v1/login"), ("PUT", "/v1/users/ada")):
        assert_shape(await client.request(method, url, content=body, headers=org.as_("ada")), 400, 102)


async def test_a_body_that_is_too_large(client, org):
    body = b'{"name": "' + b"x" * (10 * 2**20) + b'"}'

    assert_shape(await client.post("/v1/models", content=body, headers=org.as_("ada")), 413, 103)


async def test_without_a_token(client):
    for url in ("/v1/models", "/v1/datasets/x", "/v1/tags", "/v1/users", "/v1/info", "/v1/models/x/versions/1"):
        answer = await client.get(url)
        assert_shape(answer, 401, 3)
        assert answer.headers["WWW-Authenticate"] == "Bearer"


async def test_a_database_that_is_away(settings):
    away = "mongodb://127.0.0.1:1/nowhere?serverSelectionTimeoutMS=50"
    async with client_of_app(settings, away) as client:
        answer = await client.post("/v1/login", json={"username": "a", "password": "b"})

    assert_shape(answer, 503, 104)
    assert answer.headers["Retry-After"]


async def test_what_nobody_expected_is_told_without_a_trace(settings, mongo, caplog):
    @get("/boom", opt={"public": True})
    async def boom() -> None:
        raise RuntimeError("the secret is 1234")

    app = create_app(settings, mongo)
    app.register(boom)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://catalog") as client:
        answer = await client.get("/boom")
    app.state.database.close()

    assert_shape(answer, 500, 0)
    assert "1234" not in answer.text
    assert answer.headers["X-Request-ID"] in caplog.text


async def test_the_catalogue_is_listed_without_what_happened_to_anyone(client, org):
    await client.get("/v1/models/a-name-of-this-tenant", headers=org.as_("ada"))

    listed = (await client.get("/v1/errors")).json()

    assert listed["resource_not_found"] == {"status": 404, "value": 9, "message": "Resource Not found"}
    assert len(listed) == len(CATALOGUE)
    assert all(fault.keys() == SHAPE for fault in listed.values())


async def test_version_and_types_need_no_token(client):
    assert (await client.get("/v1/version")).json().keys() == {"version"}
    assert (await client.get("/v1/types")).json()["UserRoles"] == {"admin": "admin", "regular": "regular"}


async def test_info_hides_where_the_database_is(client, org):
    info = await client.get("/v1/info", headers=org.as_("ada"))

    options = {"demo", "token_expiration_time", "log", "default_visibility", "limits"}
    assert info.json().keys() == {"version", "timestamp"} | options
    assert "mongodb" not in info.text


async def test_a_stale_token_does_not_close_what_is_open_to_all(client):
    for url in ("/v1/version", "/v1/errors"):
        assert (await client.get(url, headers={"Authorization": "JWT stale"})).status_code == 200


async def test_no_secret_is_in_any_answer_of_a_failed_sign_in(client, settings):
    answer = await client.post("/v1/login", json={"username": "admin", "password": f"{PASSWORD}x"})

    assert PASSWORD not in answer.text


async def test_only_the_origins_that_are_allowed_may_call_from_a_page(client, settings, mongo):
    allowing = settings.model_copy(update={"cors_origins": ("https://ui.example",)})
    async with client_of_app(allowing, mongo) as allowed:
        theirs = await allowed.get("/v1/version", headers={"Origin": "https://ui.example"})
        foreign = await allowed.get("/v1/version", headers={"Origin": "https://evil.example"})
    without = await client.get("/v1/version", headers={"Origin": "https://ui.example"})

    assert theirs.headers["Access-Control-Allow-Origin"] == "https://ui.example"
    assert "Access-Control-Allow-Origin" not in foreign.headers
    assert "Access-Control-Allow-Origin" not in without.headers


@pytest.mark.parametrize(
    ("method", "url", "status"),
    [("GET", "/v1/version", 200), ("GET", "/v1/models", 401), ("GET", "/nope", 404), ("PUT", "/v1/errors", 405)],
)
async def test_a_page_may_read_what_answers_and_refusals_say_in_headers(settings, mongo, method, url, status):
    allowing = settings.model_copy(update={"cors_origins": ("https://ui.example",)})
    async with client_of_app(allowing, mongo) as page:
        answer = await page.request(method, url, headers={"Origin": "https://ui.example"})

    shown = set(answer.headers["Access-Control-Expose-Headers"].replace(" ", "").split(","))
    wanted = {"Content-Disposition", "Content-Range", "Repr-Digest", "Retry-After", "X-Request-ID", "ETag", "Location"}
    assert answer.status_code == status
    assert answer.headers["Access-Control-Allow-Origin"] == "https://ui.example"
    assert shown >= wanted | {"Upload-Offset", "Tus-Resumable", "Content-Location"}


async def test_a_client_that_goes_while_it_speaks_is_no_fault_of_the_server(app, caplog):
    events = [{"type": "http.request", "body": b'{"username":', "more_body": True}, {"type": "http.disconnect"}]
    sent = []
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "path": "/v1/login",
        "raw_path": b"/v1/login",
        "query_string": b"",
        "headers": [],
    }

    async def receive():
        return events.pop(0)

    async def send(event):
        sent.append(event)

    await app(scope, receive, send)

    assert sent[0]["status"] == 400
    assert caplog.records == []
