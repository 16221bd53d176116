"""One client's conversation with one server: its address, who is asking, and every request with what goes before it."""

import json
import random
import re
import time
from base64 import urlsafe_b64decode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from itertools import count
from typing import Any, TypeVar
from urllib.parse import quote, urlsplit

from catalog.client import retries
from catalog.client.effects import Answer, Operation, Request, exchange, pause
from catalog.client.errors import CatalogError, NotACatalog, NotSignedIn, Offline, Unavailable, refusal
from catalog.client.results import Identity, Page, Raw, User

T = TypeVar("T")

PAGE = 100
"""Documents that are asked for at once."""

PERSONAL = re.compile(r"(?:\w+ )?cat_(.+)_\w+$")
"""A personal access token, which names its tenant."""

PREFIX = "/v1"
LOGIN = f"{PREFIX}/login"

REDIRECTED = {302, 307}

EARLY = 0.2
"""The part of a token's life that is left when it is renewed."""


class Session:
    """Signs requests, renews its token before it ends, repeats what may be repeated, raises refusals.

    `keep` is told of every new token. `now` and `chance` are the clock and the dice.
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
        keep: Callable[[str], None] = lambda _: None,
        now: Callable[[], float] = time.time,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self.url = url.rstrip("/")
        self.token = token
        self.offline = offline
        self._username = username
        self._password = password
        self._tenant = tenant
        self._keep = keep
        self._now = now
        self.chance = chance
        self._life = _Life.of(token)

    def send(self, request: Request) -> Operation[Answer]:
        """Raises CatalogError: every refusal, as its family."""
        if self.offline:
            raise Offline("This needs the server, and the client is offline", advice="Leave out offline=True.")
        signed_in_again = False
        for attempt in count(1):
            yield from self._be_signed_in()
            try:
                return (yield from self._answered(request))
            except NotSignedIn:
                if signed_in_again or not (self._password or self._life):
                    raise
                yield from (self.sign_in() if self._password else self._renew())
                signed_in_again = True
            except CatalogError as error:
                seconds = retries.delay(request, error, attempt, self.chance())
                if seconds is None:
                    raise
                yield from pause(seconds)
        raise AssertionError  # `count` does not end

    def below(self, path: str) -> str:
        """A path as the server tells it, without what the catalog's own address has before it."""
        return path.removeprefix(urlsplit(self.url).path)

    def ask(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> Operation[Any]:
        """Ask in JSON, and return the document that was answered, with the revision of its ETag.

        Raises CatalogError.
        """
        content = None if body is None else json.dumps(body).encode()
        typed = {} if content is None else {"Content-Type": "application/json"}
        request = Request(
            method=method,
            path=f"{PREFIX}{path}",
            query=query or {},
            headers={**typed, **(headers or {})},
            body=content,
        )
        answer = yield from self.send(request)
        return document(answer)

    def page(
        self, path: str, shape: Callable[[Raw], T], query: Mapping[str, str] | None = None
    ) -> Callable[[str], Operation[Page[T]]]:
        """How to get one page of a list, given its cursor."""

        def get(cursor: str) -> Operation[Page[T]]:
            asked = {"limit": str(PAGE), **(query or {}), "after": cursor}
            found = yield from self.ask("GET", path, query=asked)
            return Page(tuple(shape(raw) for raw in found["docs"]), found["nextCursor"])

        return get

    def identity(self) -> Operation[Identity]:
        """Raises CatalogError: NotSignedIn."""
        yield from self._be_signed_in()
        whose = self.claims.get("sub")
        if not self.token:
            raise NotSignedIn("Nobody is signed in")
        if not whose:
            yield from self.ask("GET", "/info")  # which refuses a token that is not valid
            return Identity(tenant=self.tenant, user=User(id=""))
        return Identity(tenant=self.tenant, user=User.of((yield from self.ask("GET", f"/users/{whose}"))))

    def sign_in(self, username: str = "", password: str = "", tenant: str = "") -> Operation[None]:
        """With what was given once, or with this. Raises CatalogError: NotSignedIn."""
        self._username, self._password = username or self._username, password or self._password
        self._tenant = tenant or self._tenant
        if not (self._username and self._password):
            raise NotSignedIn("A username and a password are needed to sign in")
        given = {"username": self._username, "password": self._password, "tenant": self._tenant}
        body = json.dumps({name: value for name, value in given.items() if value}).encode()
        yield from self._get_token("POST", {"Content-Type": "application/json"}, body)

    @property
    def tenant(self) -> str:
        """Whose catalog this is, as far as that is known here."""
        personal = PERSONAL.match(self.token)
        said = personal[1] if personal else self.claims.get("tenant", "")
        return said or self._tenant

    @property
    def claims(self) -> Mapping[str, Any]:
        """What the token says of whose it is: `sub` and `tenant`; of a personal access token nothing is known."""
        return claims(self.token)

    def _answered(self, request: Request) -> Operation[Answer]:
        signed = {"Authorization": authorization(self.token)} if self.token else {}
        answer = yield from exchange(replace(request, headers={**request.headers, **signed}))
        if answer.status in REDIRECTED and "location" in answer.headers:
            # To the storage itself, which knows neither our tokens nor what our ETags are.
            headers = {name: value for name, value in request.headers.items() if name != "If-Range"}
            answer = yield from exchange(replace(request, path=answer.headers["location"], headers=headers))
        if answer.refused:
            raise refusal(answer)
        return answer

    def _be_signed_in(self) -> Operation[None]:
        if not self.token and self._password:
            yield from self.sign_in()
        elif self._life and self._life.is_almost_over(self._now()):
            try:
                yield from self._renew()
            except Unavailable:
                pass  # the token may last until the server is back
            except CatalogError:
                self._life = None  # it cannot be renewed: let it serve as long as it does
                if self._password:
                    yield from self.sign_in()

    def _renew(self) -> Operation[None]:
        yield from self._get_token("PUT", {"Authorization": authorization(self.token)}, None)

    def _get_token(self, method: str, headers: Mapping[str, str], body: bytes | None) -> Operation[None]:
        answer = yield from exchange(Request(method=method, path=LOGIN, headers=headers, body=body))
        if answer.refused:
            raise refusal(answer)
        self.token = document(answer)["token"]
        issued, now = _Life.of(self.token), self._now()
        # From now on by our own clock, which may differ from the server's.
        self._life = issued and _Life(now, now + issued.length)
        self._keep(self.token)


@dataclass(frozen=True, slots=True)
class _Life:
    """Of a token, in seconds since the epoch."""

    begin: float
    end: float

    @classmethod
    def of(cls, token: str) -> "_Life | None":
        said = claims(token)
        return cls(said["iat"], said["exp"]) if {"iat", "exp"} <= said.keys() else None

    @property
    def length(self) -> float:
        return self.end - self.begin

    def is_almost_over(self, now: float) -> bool:
        return self.end - now < EARLY * self.length


def claims(token: str) -> Mapping[str, Any]:
    """What a session's token says, which only the server can check; of any other token nothing."""
    parts = token.rpartition(" ")[2].split(".")
    if len(parts) != 3:  # noqa: PLR2004  head, claims, signature
        return {}
    try:
        said = json.loads(urlsafe_b64decode(parts[1] + "=="))
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


def authorization(token: str) -> str:
    return token if " " in token else f"Bearer {token}"


def document(answer: Answer) -> Any:
    """The JSON of an answer, with its revision. Raises NotACatalog."""
    try:
        found = answer.json()
    except ValueError:
        raise NotACatalog("The server answered with something that is not JSON", status=answer.status) from None
    tag = answer.headers.get("etag", "").strip('"').partition(".")[0]
    if isinstance(found, dict) and tag.isdigit():
        found["revision"] = int(tag)
    return found


def segment(text: str) -> str:
    """Text as one segment of a path: `a/b` is `a%2Fb`. Dots alone would lead out of it."""
    return text.replace(".", "%2E") if text in {".", ".."} else quote(text, safe="")
