"""A session with one server: signs in, renews the token, sends requests and retries them."""

import json
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import count
from typing import TypeVar
from urllib.parse import quote, urlsplit

from catalog import API_VERSION
from catalog.client.errors import CatalogError, Invalid, NotSignedIn, Offline, Unavailable
from catalog.client.results import Document, Identity, Page, User, shaped
from catalog.client.tokens import TokenLifetime, authorization, claims, readable_token, tenant_of
from catalog.client.transport import retries
from catalog.client.transport.answers import LoginAnswer, PageAnswer, accepted, document, refuse_downgrade
from catalog.client.transport.effects import Operation, Request, Response, exchange, pause
from catalog.client.transport.tracing import Trace, as_curl, outcome

T = TypeVar("T")

PAGE = 100
"""Documents per page."""

LARGEST_BODY = 64 * 2**20
"""Bytes of one request, if no proxy takes less."""

SMALLEST_BODY = 2**16
SHRINK = 8

PREFIX = f"/{API_VERSION}"
LOGIN = f"{PREFIX}/login"

TO_STORAGE = {302, 307}
"""The statuses by which a server redirects a download to its storage."""

NO_KNOWN_KIND = (
    "The token is neither that of a login nor a personal one. API_TOKEN is for the operator's commands alone: tenants, "
    "sweep, backup, log --operator."
)


class Session:
    """Authorizes requests, renews its token before it expires, retries repeatable requests, raises errors.

    `other_logins` are the servers that the user is signed in to. `on_token` is called with every new token, and
    `trace` with every request as a curl command. `now` is the clock, `jitter` returns a random number from 0 to 1.
    """

    def __init__(
        self,
        url: str,
        *,
        token: str = "",
        username: str = "",
        password: str = "",
        tenant: str = "",
        offline: bool = False,
        other_logins: Sequence[str] = (),
        on_token: Callable[[str], None] = lambda _: None,
        trace: Trace | None = None,
        now: Callable[[], float] = time.time,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self.url = url.rstrip("/")
        self.token = readable_token(token)
        self.offline = offline
        self.largest_body = LARGEST_BODY
        self._username = username
        self._password = password
        self._tenant = tenant
        self._other_logins = other_logins
        self._on_token = on_token
        self._trace = trace
        self._now = now
        self.jitter = jitter
        self._lifetime = TokenLifetime.of(token)

    def send(self, request: Request) -> Operation[Response]:
        """Send a request, with retries. Raises CatalogError for an error response."""
        if self.offline:
            raise Offline(
                "This needs the server, and the client is offline",
                advice="Leave out --offline, offline=True or CATALOG_OFFLINE.",
            )
        signed_in_again = False
        for attempt in count(1):
            yield from self._ensure_signed_in()
            try:
                return (yield from self._exchange(request))
            except NotSignedIn as refused:
                if not self.token and self._other_logins:
                    raise self._signed_in_elsewhere(refused) from None
                if signed_in_again or not (self._password or self._lifetime):
                    if self.token and not tenant_of(self.token):
                        refused.advice = NO_KNOWN_KIND
                    raise
                yield from (self.sign_in() if self._password else self._renew())
                signed_in_again = True
            except CatalogError as error:
                seconds = retries.retry_delay(request, error, attempt, self.jitter())
                if seconds is None:
                    raise
                yield from pause(seconds)
        raise AssertionError  # `count` does not end

    def shrink_bodies(self, refused: int) -> bool:
        """Send smaller bodies from now on, after a proxy has refused one of so many bytes.

        Returns whether that is worth a try.
        """
        self.largest_body = min(self.largest_body, max(refused // SHRINK, SMALLEST_BODY))
        return refused > SMALLEST_BODY

    def strip_base_path(self, path: str) -> str:
        """A path from a response, relative to the address of the catalog."""
        return path.removeprefix(urlsplit(self.url).path)

    def request_json(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str | Sequence[str]] | None = None,
        body: object = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
    ) -> Operation[Document]:
        """Send `body` as JSON and return the JSON response, with the revision from its ETag.

        Raises CatalogError.
        """
        content = None if body is None else json.dumps(body, ensure_ascii=False).encode()
        content_type = {} if content is None else {"Content-Type": "application/json"}
        request = Request(
            method=method,
            path=f"{PREFIX}{path}",
            query=query or {},
            headers={**content_type, **(headers or {})},
            body=content,
            timeout=timeout,
        )
        response = yield from self.send(request)
        return document(response)

    def page(
        self, path: str, shape: Callable[[Document], T], query: Mapping[str, str] | None = None
    ) -> Callable[[str], Operation[Page[T]]]:
        """A function that fetches one page of a list, given a cursor."""

        def get(cursor: str) -> Operation[Page[T]]:
            parameters = {"limit": str(PAGE), **(query or {}), "after": cursor}
            found = shaped((yield from self.request_json("GET", path, query=parameters)), PageAnswer)
            return Page(tuple(shape(each) for each in found["docs"]), found["nextCursor"])

        return get

    def identity(self) -> Operation[Identity]:
        """Raises CatalogError: NotSignedIn."""
        yield from self._ensure_signed_in()
        user_id = self.claims.get("sub")
        if not self.token:
            refused = NotSignedIn(f"You are not signed in to {self.url}")
            raise self._signed_in_elsewhere(refused) if self._other_logins else refused
        if not user_id:
            yield from self.request_json("GET", "/info")  # fails if the token is invalid
            return Identity(tenant=self.tenant, user=User(id=""))
        return Identity(tenant=self.tenant, user=User.of((yield from self.request_json("GET", f"/users/{user_id}"))))

    def sign_in(self, username: str = "", password: str = "", tenant: str = "") -> Operation[None]:
        """Sign in with these credentials; omitted ones are those of the session. Raises CatalogError: NotSignedIn."""
        self._username, self._password = username or self._username, password or self._password
        self._tenant = tenant or self._tenant
        if not (self._username and self._password):
            raise NotSignedIn("Signing in needs a username and a password")
        credentials = {"username": self._username, "password": self._password, "tenant": self._tenant}
        given = {name: value for name, value in credentials.items() if value}
        body = json.dumps(given, ensure_ascii=False).encode()
        if urlsplit(self.url).scheme == "http":  # where this leads to https, no password is sent in clear text
            accepted((yield from self._traced(Request(method="GET", path=f"{PREFIX}/version"))), self.url)
        try:
            yield from self._request_token("POST", {"Content-Type": "application/json"}, body)
        except NotSignedIn as refused:
            refused.advice = "Check the username, the password and the tenant. An administrator can set a new password."
            raise

    @property
    def tenant(self) -> str:
        """The tenant, from the token or as given; empty if unknown."""
        return tenant_of(self.token) or self._tenant

    @property
    def claims(self) -> Document:
        """The token's claims, such as `sub` and `tenant`. A personal access token has none."""
        return claims(self.token)

    def _exchange(self, request: Request) -> Operation[Response]:
        signed = {"Authorization": authorization(self.token)} if self.token else {}
        response = yield from self._traced(replace(request, headers={**request.headers, **signed}))
        if request.sink and response.status in TO_STORAGE and "location" in response.headers:
            # The storage itself knows neither our tokens nor our ETags.
            refuse_downgrade(self.url, response.headers["location"])
            headers = {name: value for name, value in request.headers.items() if name != "If-Range"}
            response = yield from self._traced(replace(request, path=response.headers["location"], headers=headers))
        return accepted(response, self.url)

    def _traced(self, request: Request) -> Operation[Response]:
        if self._trace is None:
            return (yield from exchange(request))
        self._trace(as_curl(self.url, request))
        began = self._now()
        try:
            response = yield from exchange(request)
        except CatalogError as failure:
            self._trace(f"# {failure.message}")
            raise
        self._trace(outcome(response, self._now() - began))
        return response

    def _signed_in_elsewhere(self, refused: NotSignedIn) -> NotSignedIn:
        """Names the servers that the user is signed in to: `localhost` and `127.0.0.1` are two."""
        return NotSignedIn(
            f"You are not signed in to {self.url}",
            status=refused.status,
            value=refused.value,
            request_id=refused.request_id,
            advice=f"You are signed in to {', '.join(self._other_logins)} only: use that address, or `catalog login`.",
        )

    def _ensure_signed_in(self) -> Operation[None]:
        if not self.token and self._password:
            yield from self.sign_in()
        elif self._lifetime and self._lifetime.is_nearly_over(self._now()):
            try:
                yield from self._renew()
            except Unavailable:
                pass  # the token may outlast the outage
            except CatalogError:
                self._lifetime = None  # it cannot be renewed: use it until it expires
                if self._password:
                    yield from self.sign_in()

    def _renew(self) -> Operation[None]:
        yield from self._request_token("PUT", {"Authorization": authorization(self.token)}, None)

    def _request_token(self, method: str, headers: Mapping[str, str], body: bytes | None) -> Operation[None]:
        response = yield from self._traced(Request(method=method, path=LOGIN, headers=headers, body=body))
        self.token = shaped(document(accepted(response, self.url)), LoginAnswer)["token"]
        issued, now = TokenLifetime.of(self.token), self._now()
        # Measured by the local clock, which may differ from the server's.
        self._lifetime = issued and TokenLifetime(now, now + issued.length)
        self._on_token(self.token)


def as_operator(operation: Operation[T]) -> Operation[T]:
    """Run an operation that needs API_TOKEN. The error for the token of a user says so."""
    try:
        return (yield from operation)
    except NotSignedIn as refused:
        if refused.advice in {NotSignedIn.advice, NO_KNOWN_KIND}:
            refused.advice = "This is for the operator of the server: put API_TOKEN into CATALOG_TOKEN (token=)."
        raise


def segment(text: str) -> str:
    """A name as one segment of a path: `a/b` is `a%2Fb`. A segment of dots alone would be resolved away.

    Raises Invalid for what is no name.
    """
    if not isinstance(text, str) or not text:
        raise Invalid(f"{text!r} is not a name", advice="Write it as a text, such as iris.")
    return text.replace(".", "%2E") if text in {".", ".."} else quote(text, safe="")


def if_unchanged(revision: int | None) -> dict[str, str]:
    """The header by which the server refuses a change if the revision is no longer this one; none for None."""
    return {} if revision is None else {"If-Match": f'"{revision}"'}
