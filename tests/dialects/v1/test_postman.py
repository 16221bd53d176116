"""The Postman collection: every route is in it. `test_newman.py` runs it."""

import json
import re
from collections.abc import Iterator
from typing import Any

from litestar.routes import HTTPRoute

from tests.support.paths import ROOT

COLLECTION = json.loads((ROOT / "registry.postman_collection.json").read_text())


OF_OTHER_DIALECTS = ("/api/", "/ajax-api/", "/assets/")
"""They have clients of their own, and the page is a browser's."""
OF_MLFLOW = {"/health", "/version"}


def requests(folder: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for entry in folder["item"]:
        yield from requests(entry) if "item" in entry else [entry]


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
