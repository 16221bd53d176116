"""The Postman collection: every route is in it, and run in order it passes its own tests."""

import json
import re
from collections.abc import Iterator
from typing import Any

from litestar.routes import HTTPRoute

from tests.support.app import API_TOKEN, PASSWORD
from tests.support.paths import ROOT

COLLECTION = json.loads((ROOT / "registry.postman_collection.json").read_text())


OF_OTHER_DIALECTS = ("/api/", "/ajax-api/", "/assets/")
"""They have clients of their own, and the page is a browser's."""
OF_MLFLOW = {"/health", "/version"}


def requests(folder: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for entry in folder["item"]:
        yield from requests(entry) if "item" in entry else [entry]


def script(entry: dict[str, Any]) -> str:
    return "\n".join(line for event in entry["event"] for line in event["script"]["exec"])


async def test_each_route_is_in_the_collection(app):
    def to_be_asked(route: HTTPRoute) -> set[str]:
        with_get = {"HEAD"} if "GET" in route.methods else set()
        # DELETE of a word that is called `suggest` is DELETE of a word.
        of_a_word = {"DELETE"} if route.path.endswith("/suggest") else set()
        return route.methods - {"OPTIONS"} - with_get - of_a_word

    routes = {
        (method, "/".join("*" if segment.startswith("{") else segment for segment in route.path.strip("/").split("/")))
        for route in app.routes
        if isinstance(route, HTTPRoute) and not (route.path.startswith(OF_OTHER_DIALECTS) or route.path in OF_MLFLOW)
        for method in to_be_asked(route)
    }
    asked = [
        (entry["request"]["method"], [segment for segment in entry["request"]["url"]["path"] if segment])
        for entry in requests(COLLECTION)
    ]

    def is_asked(method: str, path: str) -> bool:
        pattern = re.compile(path.replace("*", "[^/]+"))
        return any(each == method and pattern.fullmatch("/".join(segments)) for each, segments in asked)

    assert {route for route in routes if not is_asked(*route)} == set()


async def test_the_collection_runs_in_order(client, org):
    variables = {variable["key"]: variable["value"] for variable in COLLECTION["variable"]}
    variables |= {"url": "", "password": PASSWORD, "tenant": org.name, "api_token": API_TOKEN}

    def filled(text: str) -> str:
        return re.sub(r"\{\{(\w+)\}\}", lambda found: variables[found[1]], text)

    for entry in requests(COLLECTION):
        asked = entry["request"]
        answer = await client.request(
            asked["method"],
            filled("/" + "/".join(asked["url"]["path"])),
            params=[(query["key"], filled(query["value"])) for query in asked["url"].get("query", [])],
            headers={header["key"]: filled(header["value"]) for header in asked["header"]},
            content=filled(asked.get("body", {}).get("raw", "")),
        )

        [status] = re.findall(r"have\.status\((\d+)\)", script(entry))
        assert answer.status_code == int(status), (entry["name"], answer.text)
        for name, field in re.findall(r"Variables\.set\('(\w+)', pm\.response\.json\(\)\.(\w+)\)", script(entry)):
            variables[name] = answer.json()[field]
        for name in re.findall(r"Variables\.set\('(\w+)', pm\.response\.headers\.get\('Location'\)", script(entry)):
            variables[name] = answer.headers["Location"].rpartition("/")[2]
