"""Requests to the APIs of other registries: those that the catalog has, and another registry, which is only read."""

import json
import random
from base64 import b64encode
from collections.abc import Mapping
from itertools import count

from catalog.client.errors import CatalogError, Forbidden, Invalid, NotACatalog, NotFound, NotSignedIn
from catalog.client.resources.base import D, Resource, operation
from catalog.client.transport import SyncDriver, retries
from catalog.client.transport.answers import accepted, document
from catalog.client.transport.effects import BodySink, Operation, Request, Response, StreamedBody, exchange, pause

LARGEST = 2**26
"""Bytes of JSON that one answer of another registry may have."""

ANSWER_TIMEOUT = 600.0
"""Seconds to wait for the answer to a file: the server stores and inspects it before."""

OK, MISSING = 200, 404

CHECK_ADDRESS = "Check the address of the registry."


class RegistryApi(Resource[D]):
    """The APIs of other registries in the catalog, for the user who is signed in."""

    @operation
    def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: object = None,
        headers: Mapping[str, str] | None = None,
    ) -> Operation[dict[str, object]]:
        """Send a request and return the JSON of its answer. A streamed body is sent as it is. Raises CatalogError."""
        response = yield from self._session.send(_request(method, path, query or {}, body, headers or {}))
        return document(response)


class OtherRegistry:
    """Another registry, which is only read. Requests are repeated after a failure that may pass."""

    def __init__(
        self, url: str, headers: Mapping[str, str] | None = None, *, timeout: float = 60, ca: str = ""
    ) -> None:
        """Raises Invalid for what is not an address."""
        if "@" in url:
            raise Invalid("The address has credentials in it", advice="Pass them in a file.")
        self.url = url.rstrip("/")
        self._driver = SyncDriver(self.url, timeout, ca)
        self._headers = headers or {}

    def close(self) -> None:
        self._driver.close()

    def get(self, path: str, query: Mapping[str, str]) -> dict[str, object]:
        """The JSON of an answer. Raises CatalogError."""
        response = self._run(path, query, None)
        try:
            return document(response)
        except NotACatalog as error:
            raise CatalogError(f"{self.url}: {error.message}", status=error.status, advice=CHECK_ADDRESS) from None

    def download(self, path: str, content: BodySink) -> None:
        """Raises CatalogError."""
        self._run(path, {}, content)

    def _run(self, path: str, query: Mapping[str, str], content: BodySink | None) -> Response:
        response: Response = self._driver.run(self._repeated(path, query, content))
        return response

    def _repeated(self, path: str, query: Mapping[str, str], content: BodySink | None) -> Operation[Response]:
        answer = _BoundedAnswer(content)
        headers = {**self._headers, "Accept-Encoding": "identity"}
        request = Request(method="GET", path=path, query=query, headers=headers, sink=answer)
        for attempt in count(1):
            try:
                response = yield from exchange(request)
                return accepted(Response(response.status, response.headers, bytes(answer.received)), self.url)
            except (NotACatalog, NotFound) as error:
                kind = NotFound if error.status == MISSING else CatalogError
                is_special = error.advice != type(error).advice  # such as another address
                advice = error.advice if is_special else CHECK_ADDRESS
                raise kind(f"{self.url}: {error.message}", status=error.status, advice=advice) from None
            except (NotSignedIn, Forbidden) as error:
                advice = "Pass credentials that may read it."
                raise CatalogError(f"{self.url}: {error.message}", status=error.status, advice=advice) from None
            except CatalogError as error:
                seconds = retries.retry_delay(request, error, attempt, random.random())  # noqa: S311  it spreads clients
                if seconds is None:
                    if self.url not in error.message:  # which of the two servers it is
                        error.message = f"{self.url}: {error.message}"
                    raise
                yield from pause(seconds)
        raise AssertionError  # `count` does not end


class _BoundedAnswer:
    """An answer in memory, of bounded size. A file goes to `content` instead."""

    def __init__(self, content: BodySink | None) -> None:
        self.received = bytearray()
        self._content = content
        self._is_content = False

    def begin(self, status: int, headers: Mapping[str, str]) -> bool:
        self.received.clear()
        self._is_content = self._content is not None and status == OK and self._content.begin(status, headers)
        return True

    def write(self, block: bytes) -> None:
        if self._content and self._is_content:
            self._content.write(block)
        elif len(self.received) + len(block) > LARGEST:
            raise CatalogError(f"An answer of the registry has more than {LARGEST} bytes")
        else:
            self.received += block


def bearer(token: str) -> dict[str, str]:
    """The headers of a user with a token; none without one."""
    return {"Authorization": f"Bearer {token}"} if token else {}


def basic(username: str, password: str) -> dict[str, str]:
    return {"Authorization": f"Basic {b64encode(f'{username}:{password}'.encode()).decode()}"}


def _request(method: str, path: str, query: Mapping[str, str], body: object, headers: Mapping[str, str]) -> Request:
    if body is None:
        return Request(method=method, path=path, query=query, headers=headers)
    if isinstance(body, StreamedBody):
        return Request(method=method, path=path, query=query, headers=headers, body=body, timeout=ANSWER_TIMEOUT)
    json_headers = {"Content-Type": "application/json", **headers}
    return Request(method=method, path=path, query=query, headers=json_headers, body=json.dumps(body).encode())
