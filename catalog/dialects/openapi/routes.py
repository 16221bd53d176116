"""The document and its page, handed out. Both are made when somebody first asks."""

from functools import cached_property
from typing import Any

import msgspec
from litestar import Controller, Litestar, MediaType, Response, get

from catalog import __version__
from catalog.dialects.openapi.document import document
from catalog.dialects.openapi.page import page, policy
from catalog.dialects.v1.http import JSON, AnyRequest, Given
from catalog.domain.limits import Limits

PUBLIC = {"public": True}
VARIES = {"Vary": "Accept"}


class Documentation:
    """The document of an application whose paths begin with `prefix`, and what is made from it."""

    def __init__(self, app: Litestar, prefix: str, limits: Limits) -> None:
        self._app = app
        self._prefix = prefix
        self._limits = limits

    @cached_property
    def document(self) -> bytes:
        return msgspec.json.encode(self._document)

    def document_below(self, outer_prefix: str) -> bytes:
        """The document of a server that clients see below a path of a proxy's."""
        if not outer_prefix:
            return self.document
        return msgspec.json.encode({**self._document, "servers": [{"url": outer_prefix}]})

    @cached_property
    def page(self) -> bytes:
        return page(self._document).encode()

    @cached_property
    def routes(self) -> bytes:
        """The routes by their first word, as other registries list them: `{"routes": [[word, [{path, method}]]]}`."""
        groups: dict[str, list[dict[str, str]]] = {}
        for path, methods in self._document["paths"].items():
            first = path.removeprefix(self._prefix).split("/")[1]
            spelt = path.lstrip("/").replace("{", ":").replace("}", "")
            groups.setdefault(first, []).extend({"path": spelt, "method": method.upper()} for method in methods)
        return msgspec.json.encode({"routes": sorted(groups.items())})

    @cached_property
    def _document(self) -> dict[str, Any]:
        return document(self._app, self._prefix, __version__, self._limits)


class Docs(Controller):
    """Below the prefix of the API."""

    path = "/docs"
    opt = PUBLIC

    @get()
    async def routes(self, request: AnyRequest, documentation: Given[Documentation]) -> Response[bytes]:
        return _shown(documentation) if _wants_page(request) else _sent(documentation.routes)


class Schema(Controller):
    opt = PUBLIC

    @get("/schema")
    async def schema(
        self, request: AnyRequest, documentation: Given[Documentation], outer_prefix: Given[str]
    ) -> Response[bytes]:
        return _shown(documentation) if _wants_page(request) else _sent(documentation.document_below(outer_prefix))

    @get("/schema/openapi.json")
    async def document(self, documentation: Given[Documentation], outer_prefix: Given[str]) -> Response[bytes]:
        return _sent(documentation.document_below(outer_prefix))

    @get("/docs.html")
    async def page(self, documentation: Given[Documentation]) -> Response[bytes]:
        return _shown(documentation)


def _wants_page(request: AnyRequest) -> bool:
    """A browser does; so does whoever asks for a folder, and does not say what he wants."""
    accepted = request.headers.get("accept", "")
    if "html" in accepted or "json" in accepted:
        return "html" in accepted
    return request.scope["raw_path"].endswith(b"/")


def _shown(documentation: Documentation) -> Response[bytes]:
    headers = {**VARIES, "Content-Security-Policy": policy()}
    return Response(documentation.page, media_type=MediaType.HTML, headers=headers)


def _sent(content: bytes) -> Response[bytes]:
    return Response(content, media_type=JSON, headers=VARIES)
