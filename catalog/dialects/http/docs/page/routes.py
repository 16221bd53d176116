"""Routes that answer with the document or its page. Both are made at the first request."""

from collections.abc import Callable
from functools import cached_property
from typing import Any

import msgspec
from litestar import Controller, MediaType, Response, get
from msgspec import Struct

from catalog.dialects.http.docs.page.page import page, policy
from catalog.dialects.http.docs.refusals import JSON as APPLICATION_JSON
from catalog.dialects.http.encoded import JSON
from catalog.dialects.http.requests.injection import AnyRequest, Injected

TAG = "Documentation"
PUBLIC = {"public": True}
HTML = str(MediaType.HTML.value)
VARIES = {"Vary": "Accept"}


class Route(Struct):
    """A route, with `:name` for a parameter of its path."""

    path: str
    method: str


class RouteList(Struct):
    """The routes by the first word of their path, as other registries list them."""

    routes: list[tuple[str, list[Route]]]


class Documentation:
    """The document of an API whose paths begin with `prefix`, and what is made from it."""

    def __init__(self, prefix: str, make: Callable[[], dict[str, object]]) -> None:
        self._prefix = prefix
        self._make = make

    @cached_property
    def document(self) -> bytes:
        return msgspec.json.encode(self._document)

    def document_below(self, outer_prefix: str) -> bytes:
        """The document of a server that a proxy shows below a path."""
        if not outer_prefix:
            return self.document
        return msgspec.json.encode({**self._document, "servers": [{"url": outer_prefix}]})

    @cached_property
    def page(self) -> bytes:
        return page(self._document).encode()

    @cached_property
    def routes(self) -> bytes:
        """The routes by their first word."""
        groups: dict[str, list[Route]] = {}
        for path, methods in self._document["paths"].items():
            first = path.removeprefix(self._prefix).split("/")[1]
            spelt = path.lstrip("/").replace("{", ":").replace("}", "")
            groups.setdefault(first, []).extend(Route(spelt, method.upper()) for method in methods)
        return msgspec.json.encode(RouteList(sorted(groups.items())))

    @cached_property
    def _document(self) -> dict[str, Any]:
        return self._make()


class Docs(Controller):
    """Below the prefix of the API."""

    path = "/docs"
    tags = (TAG,)
    opt = PUBLIC

    @get(
        operation_id="docs",
        response_description="The routes, or the page.",
        media_types={APPLICATION_JSON: RouteList, HTML: None},
    )
    async def routes(self, request: AnyRequest, documentation: Injected[Documentation]) -> Response[bytes]:
        """List the routes.

        A browser gets the page.
        """
        return _shown(documentation) if _wants_page(request) else _sent(documentation.routes)


class Schema(Controller):
    tags = (TAG,)
    opt = PUBLIC

    @get(
        "/schema",
        operation_id="schema",
        response_description="The document, or the page.",
        media_types={APPLICATION_JSON: dict[str, Any], HTML: None},
    )
    async def schema(
        self, request: AnyRequest, documentation: Injected[Documentation], outer_prefix: Injected[str]
    ) -> Response[bytes]:
        """Show this document.

        A browser gets the page.
        """
        return _shown(documentation) if _wants_page(request) else _sent(documentation.document_below(outer_prefix))

    @get(
        "/schema/openapi.json",
        operation_id="openapi",
        response_description="The document.",
        media_types={APPLICATION_JSON: dict[str, Any]},
    )
    async def document(self, documentation: Injected[Documentation], outer_prefix: Injected[str]) -> Response[bytes]:
        """Fetch this document."""
        return _sent(documentation.document_below(outer_prefix))

    @get("/docs.html", operation_id="docsPage", response_description="The page.", media_types=[HTML])
    async def page(self, documentation: Injected[Documentation]) -> Response[bytes]:
        """Show this document as a page."""
        return _shown(documentation)


def _wants_page(request: AnyRequest) -> bool:
    """Whether the client is a browser, or asks for a folder without a type that it accepts."""
    accepted = request.headers.get("accept", "")
    if "html" in accepted or "json" in accepted:
        return "html" in accepted
    return request.scope["raw_path"].endswith(b"/")


def _shown(documentation: Documentation) -> Response[bytes]:
    headers = {**VARIES, "Content-Security-Policy": policy()}
    return Response(documentation.page, media_type=MediaType.HTML, headers=headers)


def _sent(content: bytes) -> Response[bytes]:
    return Response(content, media_type=JSON, headers=VARIES)
