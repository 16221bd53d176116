"""Requests to the Kubeflow Model Registry API: that of the catalog, and that of another registry."""

import json
from collections.abc import Mapping
from typing import Any

from catalog.client import transport
from catalog.client.errors import error_from
from catalog.client.resources.base import D, Resource, operation
from catalog.client.session import document
from catalog.client.transport.effects import Operation, Request, Response

ROOT = "/api/model_registry"
OLDER, NEWER = "v1alpha3", "v1"
FIRST_REFUSAL = 400


class RegistryApi(Resource[D]):
    """The API of the catalog, for the user who is signed in."""

    @operation
    def request(
        self, version: str, method: str, path: str, query: Mapping[str, str] | None = None, body: Any = None
    ) -> Operation[Any]:
        """Send a request and return the JSON of its answer. Raises CatalogError."""
        response = yield from self._session.send(_request(version, method, path, query or {}, body))
        return document(response)


class OtherRegistry:
    """Another registry, of which this only reads."""

    def __init__(self, url: str, token: str = "", *, timeout: float = 60, ca: str = "") -> None:
        self._driver = transport.SyncDriver(url.rstrip("/"), timeout, ca)
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    def close(self) -> None:
        self._driver.close()

    def get(self, version: str, path: str, query: Mapping[str, str]) -> Any:
        """Raises CatalogError."""
        request = _request(version, "GET", path, query, None, self._headers)
        response: Response = self._driver.run(_sent(request))
        if response.status >= FIRST_REFUSAL:
            raise error_from(response)
        return response.json()


def _sent(request: Request) -> Operation[Response]:
    response: Response = yield request
    return response


def _request(
    version: str, method: str, path: str, query: Mapping[str, str], body: Any, headers: Mapping[str, str] | None = None
) -> Request:
    content = None if body is None else json.dumps(body).encode()
    json_headers = {} if content is None else {"Content-Type": "application/json"}
    return Request(
        method=method,
        path=f"{ROOT}/{version}{path}",
        query=query,
        headers={**json_headers, **(headers or {})},
        body=content,
    )
