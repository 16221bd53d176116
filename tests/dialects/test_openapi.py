"""The OpenAPI document: valid, whole, and shown by pages that need nothing from elsewhere."""

import hashlib
import re
import shlex
from base64 import b64encode
from html.parser import HTMLParser

import pytest
from litestar.routes import HTTPRoute
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from catalog.app import create_app
from catalog.dialects.http.docs.page.curl import command
from catalog.dialects.v1.document import document
from catalog.dialects.v1.errors import CATALOGUE
from catalog.domain.limits import Limits
from catalog.settings.settings import Settings

PAGES = ["/docs.html", "/schema/", "/schema", "/v1/docs"]
BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}


@pytest.fixture(scope="module")
async def described(client):
    return (await client.get("/schema/openapi.json")).json()


@pytest.fixture(scope="module")
async def page(client):
    return Page((await client.get("/docs.html")).text)


def operations(described):
    return [(path, method, each) for path, methods in described["paths"].items() for method, each in methods.items()]


def test_the_document_is_the_same_at_each_start(described):
    kept_in_sets = [list(methods) for methods in described["paths"].values()]
    kept_in_sets += [
        list(answer["headers"])[1:]
        for *_, each in operations(described)
        for answer in each["responses"].values()
        if "headers" in answer
    ]

    assert max(map(len, kept_in_sets)) > 2
    assert kept_in_sets == [sorted(each) for each in kept_in_sets]


def unnamed(path):
    """Where the names of its parameters do not matter."""
    return re.sub(r"\{[^}]*\}", "{}", path)


# The document


def test_the_document_is_valid(described):
    assert described["openapi"] == "3.1.0"
    assert list(OpenAPIV31SpecValidator(described).iter_errors()) == []


async def test_every_route_is_in_the_document_and_nothing_else(app, described):
    routes = {
        (method.lower(), unnamed(route.path_format))
        for route in app.routes
        if isinstance(route, HTTPRoute)
        for handler in route.route_handlers
        if handler.include_in_schema is not False  # as the OPTIONS are that the framework answers by itself
        for method in handler.http_methods
    }

    assert {(method, unnamed(path)) for path, method, _ in operations(described)} == routes


async def test_a_route_that_needs_a_token_by_the_document_refuses_without_one(client, described):
    for path, method, operation in operations(described):
        is_open = not operation["security"] or {} in operation["security"]

        answer = await client.request(method, re.sub(r"\{\w+\}", "x", path))

        if not is_open:
            assert answer.status_code == 401, (method, path)
            assert "401" in operation["responses"]
        elif method == "get":
            assert answer.status_code != 401, (method, path)


def test_every_refusal_of_the_document_is_in_the_catalogue(described):
    known = {(fault.status, fault.value) for fault in CATALOGUE}

    for name, response in described["components"]["responses"].items():
        status, *values = map(int, name.split("_")[1:])
        assert {(status, value) for value in values} <= known
        if "content" in response:
            schema = response["content"]["application/json"]["schema"]
            assert schema["properties"]["value"]["enum"] == values


def test_each_operation_has_a_name_of_its_own(described):
    names = [operation["operationId"] for _, _, operation in operations(described)]

    assert len(set(names)) == len(names)
    assert all(re.fullmatch("[A-Za-z]+", name) for name in names)


def test_the_document_follows_the_settings():
    app = create_app(Settings(_env_file=None, version="v7", limit_name=20, limit_tags=3), "mongodb://nowhere")

    made = document(app, "/v7", "1.2.3", Limits(name=20, tags=3))

    model = made["components"]["schemas"]["NewModel"]["properties"]
    assert made["info"]["version"] == "1.2.3"
    assert "/v7/models" in made["paths"]
    assert "/v1/models" not in made["paths"]
    assert model["name"]["maxLength"] == 20
    assert model["tags"]["anyOf"][0]["maxItems"] == 3


async def test_the_document_is_json_for_programs(client):
    answers = [await client.get(url) for url in ("/schema", "/schema/openapi.json", "/schema/openapi.json/")]
    answers.append(await client.get("/schema/", headers={"Accept": "application/json"}))

    assert {answer.headers["Content-Type"] for answer in answers} == {"application/json; charset=utf-8"}
    assert len({answer.text for answer in answers}) == 1


async def test_the_routes_are_listed_by_their_first_word(client, described):
    routes = dict((await client.get("/v1/docs")).json()["routes"])

    assert {"path": "v1/algorithms/:key", "method": "GET"} in routes["algorithms"]
    assert {"path": "v1/docs", "method": "GET"} in routes["docs"]
    assert sum(map(len, routes.values())) == len(operations(described))


# The page


class Page(HTMLParser):
    """What a browser would learn of a page, before it runs anything."""

    def __init__(self, text):
        super().__init__()
        self.text = text
        self.links, self.loaded, self.ids, self.texts, self.handlers = [], [], set(), {}, []
        self._open = []
        self.feed(text)
        assert self._open == []

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        self.links += [given["href"]] if "href" in given else []
        self.loaded += [given[name] for name in ("src", "srcset", "data", "action") if name in given]
        self.loaded += [tag] if tag in {"link", "iframe", "object", "embed", "base", "img"} else []
        self.handlers += [name for name in given if name.startswith("on") or name == "style"]
        self.ids |= {given["id"]} if "id" in given else set()
        self._open += [tag] if tag not in {"meta", "input"} else []

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, data):
        self.texts[self._open[-1] if self._open else ""] = data


@pytest.mark.parametrize("url", PAGES)
async def test_a_browser_gets_the_page(client, page, url):
    answer = await client.get(url, headers=BROWSER)

    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert answer.headers["Vary"] == "Accept"
    assert answer.text == page.text


async def test_the_folder_is_the_page_unless_a_client_says_what_it_wants(client, page):
    assert (await client.get("/schema/")).text == page.text


def test_the_page_loads_nothing(page):
    assert page.loaded == []
    assert re.findall(r"@import|url\(|https?://|//\w|fetch\(|XMLHttp|import ", page.texts["style"]) == []
    assert re.findall(r"https?:|fetch\(|XMLHttp|import ", page.texts["script"]) == []


def test_each_link_of_the_page_leads_somewhere(page):
    inner = {link.removeprefix("#") for link in page.links if link.startswith("#")}

    assert set(page.links) - {f"#{name}" for name in inner} == {"/schema/openapi.json"}
    assert inner <= page.ids


def test_the_page_shows_every_route_and_every_schema(page, described):
    assert {operation["operationId"] for _, _, operation in operations(described)} <= page.ids
    assert {f"schema-{name}" for name in described["components"]["schemas"]} <= page.ids


async def test_the_policy_of_the_page_allows_its_own_style_and_script_and_nothing_else(client, page):
    def digest(text):
        return f"'sha256-{b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"

    policy = (await client.get("/docs.html")).headers["Content-Security-Policy"]

    told = dict(each.strip().split(" ", 1) for each in policy.split(";"))
    assert page.handlers == []
    assert told == {
        "default-src": "'none'",
        "style-src": digest(page.texts["style"]),
        "script-src": digest(page.texts["script"]),
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
    }


async def test_the_page_is_hardened_like_every_answer(client):
    headers = (await client.get("/docs.html")).headers

    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "no-referrer"


# The examples


def test_each_example_is_one_command(described):
    for path, method, operation in operations(described):
        words = shlex.split(command(method, path, operation))

        assert words[0] == "curl"
        assert sum(word.startswith("$CATALOG/") for word in words) == 1
        assert "{" not in next(word for word in words if word.startswith("$CATALOG/"))
        wants_token = bool(operation["security"])
        assert any(word.startswith("Authorization: $") for word in words) == wants_token, (method, path)


def test_each_example_of_a_body_is_one_that_the_document_allows(described):
    for path, method, operation in operations(described):
        for media in operation.get("requestBody", {}).get("content", {}).values():
            if "example" in media:
                schema = {**media["schema"], "components": described["components"]}

                wrong = list(OAS31Validator(schema).iter_errors(media["example"]))

                assert wrong == [], (method, path)
