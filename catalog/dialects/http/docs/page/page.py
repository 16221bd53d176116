"""The document as one HTML page that loads nothing: it includes its style and its script."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from catalog.dialects.http.docs.page.curl import command
from catalog.dialects.http.docs.page.html import Html, element, joined, prose, source_of
from catalog.dialects.http.docs.page.outline import anchor, inside, kind
from catalog.dialects.http.docs.schemas import Schema


@cache
def asset(name: str) -> str:
    """A file beside this one."""
    return Path(__file__).with_name(name).read_text()


def policy() -> str:
    """The Content-Security-Policy of the page: its own style and script, by their digests, and nothing else."""
    style, script = (source_of(asset(name)) for name in ("page.css", "page.js"))
    return (
        f"default-src 'none'; style-src '{style}'; script-src '{script}'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


def page(document: dict[str, Any]) -> str:
    """The whole page."""
    info, groups = document["info"], [tag["name"] for tag in document["tags"]]
    head = element(
        "head",
        Html('<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'),
        element("title", f"{info['title']} {info['version']}"),
        element("style", Html(asset("page.css"))),
    )
    names = joined(*(element("a", group, href=f"#{_slug(group)}") for group in groups))
    body = element(
        "body",
        element("header", element("h1", info["title"], " ", element("small", info["version"])), _introduction(info)),
        element("nav", _search(), names, element("a", "Schemas", href="#schemas")),
        element("main", *(_group(document, group) for group in groups), _schemas(document)),
        element("script", Html(asset("page.js"))),
    )
    return f"<!doctype html>\n{element('html', head, body, lang='en')}\n"


def _introduction(info: Schema) -> Html:
    where = "The examples use `$CATALOG` (the address of this server), `$TOKEN` and, for the operator, `$API_TOKEN`."
    link = joined("For programs: ", element("a", "/schema/openapi.json", href="/schema/openapi.json"), ".")
    return joined(element("p", prose(info["description"])), element("p", prose(where), " ", link))


def _search() -> Html:
    return Html('<input id="find" type="search" placeholder="Find a route" aria-label="Find a route" autofocus>')


def _group(document: dict[str, Any], group: str) -> Html:
    routes = [
        _route(document, method, path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if group in operation["tags"]
    ]
    return element("section", element("h2", group), *routes, id=_slug(group))


def _route(document: dict[str, object], method: str, path: str, operation: Schema) -> Html:
    named = joined(element("b", method.upper(), class_=method), " ", element("code", path), " ", operation["summary"])
    parts = (
        element("p", prose(operation["description"])),
        element("pre", command(method, path, operation)),
        _parameters(operation.get("parameters", [])),
        _body(operation.get("requestBody")),
        element("h3", "Answers"),
        element("dl", *_answers(document, operation["responses"])),
    )
    return element("details", element("summary", named), *parts, id=operation["operationId"])


def _parameters(parameters: list[Schema]) -> Html:
    if not parameters:
        return Html()
    rows = []
    for each in parameters:
        schema = each.get("schema") or next(iter(each["content"].values()))["schema"]
        is_needed = [element("b", " *", title="required")] if each.get("required") else []
        named = element("td", element("code", each["name"]), *is_needed)
        rows.append(element("tr", named, element("td", each["in"]), _described(each["description"], schema)))
    return joined(element("h3", "Parameters"), element("table", *rows))


def _described(meaning: str, schema: Schema) -> Html:
    return element("td", prose(meaning), " ", element("small", kind(schema)))


def _body(body: Schema | None) -> Html:
    if body is None:
        return Html()
    contents = [
        element("div", element("code", mimetype), ": ", _content(media["schema"]), inside(media["schema"]))
        for mimetype, media in body["content"].items()
    ]
    return joined(element("h3", "Body"), *contents)


def _content(schema: Schema) -> Html:
    return kind(schema) if schema else Html("the bytes")


def _answers(document: dict[str, Any], responses: Schema) -> Iterator[Html]:
    for status, response in responses.items():
        resolved = (
            document["components"]["responses"][response["$ref"].split("/")[-1]] if "$ref" in response else response
        )
        schemas = [media["schema"] for media in resolved.get("content", {}).values() if "schema" in media]
        # All refusals have the same schema.
        shown = [] if "$ref" in response else [joined(" ", element("small", kind(each))) for each in schemas]
        headers = [element("code", name) for name in resolved["headers"] if name != "X-Request-ID"]
        with_headers = joined(" Headers: ", joined(*headers, between=", ")) if headers else ""
        yield joined(element("dt", status), element("dd", prose(resolved["description"]), *shown, with_headers))


def _schemas(document: dict[str, Any]) -> Html:
    shown = [
        element(
            "details",
            element("summary", element("code", name), " ", prose(schema.get("description", ""))),
            element("p", kind(schema)),
            inside(schema),
            id=anchor(name),
        )
        for name, schema in document["components"]["schemas"].items()
    ]
    return element("section", element("h2", "Schemas"), *shown, id="schemas")


def _slug(group: str) -> str:
    return group.lower().replace(" ", "-")
