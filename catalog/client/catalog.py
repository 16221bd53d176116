"""`Catalog` and `AsyncCatalog`: one server, as somebody."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from catalog.client import profile
from catalog.client.async_driver import Awaiting
from catalog.client.cache import Cache
from catalog.client.downloads import found
from catalog.client.effects import Operation
from catalog.client.items import Filter, Items, narrowed
from catalog.client.people import Tenants, Tokens, Users, Words
from catalog.client.progress import Progress, silent
from catalog.client.pushing import Pushed, pull, push
from catalog.client.resources import D, Room, operation, walk
from catalog.client.results import KINDS, Algorithm, Dataset, Identity, Item, Model, Page, Raw, Value, Version
from catalog.client.sessions import Session
from catalog.client.sources import What
from catalog.client.sync_driver import Blocking
from catalog.client.uploads import Said, Target

TIMEOUT = 120.0
"""Seconds. The answer to the last byte of a large file waits until the server has it safe."""


class Rooms(Room[D]):
    """What both clients offer."""

    def __init__(self, session: Session, driver: D, cache: Cache) -> None:
        super().__init__(session, driver, cache)
        self.cache = cache
        self.models: Items[D, Model] = Items(session, driver, cache, "models", Model)
        self.datasets: Items[D, Dataset] = Items(session, driver, cache, "datasets", Dataset)
        self.algorithms: Items[D, Algorithm] = Items(session, driver, cache, "algorithms", Algorithm)
        self.users: Users[D] = Users(session, driver, cache)
        self.tokens: Tokens[D] = Tokens(session, driver, cache)
        self.tags: Words[D] = Words(session, driver, cache, "tags")
        self.metadata: Words[D] = Words(session, driver, cache, "metadata")
        self.tenants: Tenants[D] = Tenants(session, driver, cache)

    @property
    def url(self) -> str:
        return self._session.url

    @property
    def token(self) -> str:
        """What requests are signed with just now."""
        return self._session.token

    @operation
    def login(self, username: str = "", password: str = "", tenant: str = "") -> Operation[str]:
        """Sign in, with what the client was made with or with this, and return the token.

        Raises CatalogError: NotSignedIn when it is wrong.
        """
        yield from self._session.sign_in(username, password, tenant)
        return self._session.token

    @operation
    def whoami(self) -> Operation[Identity]:
        """Raises CatalogError: NotSignedIn."""
        return (yield from self._session.identity())

    @operation
    def info(self) -> Operation[Raw]:
        """How the server is set up."""
        found: Raw = yield from self._session.ask("GET", "/info")
        return found

    @walk
    def search(
        self,
        words: str,
        *,
        kind: str = "",
        status: str = "",
        visibility: str = "",
        owner: str = "",
        filter: Filter | None = None,  # noqa: A002  the API's word
        metadata: Mapping[str, object] | None = None,
    ) -> Callable[[str], Operation[Page[Item]]]:
        """Walk through everything that has the words, best first. `filter` and `metadata` are as in `models.list`."""
        query = {"q": words, "kind": kind, "status": status, "visibility": visibility, "owner": owner}
        given = {name: value for name, value in query.items() if value}
        return self._session.page("/search", _item, given | narrowed(filter, metadata))

    @operation
    def push(
        self,
        name: str,
        what: What,
        *,
        kind: str = "models",
        tags: Sequence[str] = (),
        metrics: Mapping[str, Value] | None = None,
        description: str = "",
        ordinal: str = "",
        progress: Progress = silent,
    ) -> Operation[Pushed]:
        """Make a version of a file or a folder. A name alone is that of one's own item, which is made if there is none,
        whoever else has one of that name; `owner/name` or an id is that item. `metrics` become its metadata, and the
        version's.

        Raises CatalogError: NotFound, Forbidden for an item of somebody else, Invalid.
        """
        said = Said(ordinal=ordinal, description=description, metadata=metrics or {})
        return (yield from push(self._session, self.cache, kind, name, what, said, tags, progress))

    @operation
    def pull(
        self,
        reference: str,
        *,
        kind: str = "models",
        to: str | Path | None = None,
        progress: Progress = silent,
    ) -> Operation[Path]:
        """Bring a version here: `iris`, `ada/iris`, `iris@3`, `iris@latest`, or `iris@production`, which is the newest
        version of a model with that status. See `versions.download` for `to`.
        """
        return (yield from pull(self._session, self.cache, kind, reference, to, progress))

    @operation
    def resolve(self, name: str, revision: str, *, kind: str = "models") -> Operation[Version]:
        """The version that is meant: an ordinal, the name of a file, `latest`, or a status.

        Raises CatalogError: NotFound, Forbidden.
        """
        return (yield from found(Target(self._session, self.cache, kind, name), revision))


class Catalog(Rooms[Blocking]):
    """A catalog for programs that wait. What is not given comes from the environment (CATALOG_URL, CATALOG_TOKEN,
    ...), the project's `.catalog.toml`, or the user's own configuration. With `offline`, what was downloaded before is
    taken from the cache, and nothing is asked.
    """

    def __init__(
        self,
        url: str = "",
        *,
        token: str = "",
        username: str = "",
        password: str = "",
        tenant: str = "",
        ca: str = "",
        cache: str | Path | None = None,
        offline: bool = False,
        timeout: float = TIMEOUT,
    ) -> None:
        known = profile.find(_given(url, token, username, password, tenant, ca))
        super().__init__(
            _session(known, offline=offline),
            Blocking(known.url, timeout, known.ca),
            Cache(Path(cache) if cache else None),
        )

    def close(self) -> None:
        self._driver.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class AsyncCatalog(Rooms[Awaiting]):
    """A catalog for asyncio: every method is awaited, every list is walked by `async for`."""

    def __init__(
        self,
        url: str = "",
        *,
        token: str = "",
        username: str = "",
        password: str = "",
        tenant: str = "",
        ca: str = "",
        cache: str | Path | None = None,
        offline: bool = False,
        timeout: float = TIMEOUT,
    ) -> None:
        known = profile.find(_given(url, token, username, password, tenant, ca))
        super().__init__(
            _session(known, offline=offline),
            Awaiting(known.url, timeout, known.ca),
            Cache(Path(cache) if cache else None),
        )

    async def close(self) -> None:
        await self._driver.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


def _given(url: str, token: str, username: str, password: str, tenant: str, ca: str) -> dict[str, str]:
    return {"url": url, "token": token, "username": username, "password": password, "tenant": tenant, "ca": ca}


def _session(known: profile.Profile, *, offline: bool) -> Session:
    def keep(token: str) -> None:
        if known.is_kept:
            profile.keep_token(known.url, token)

    return Session(
        known.url,
        token=known.token,
        username=known.username,
        password=known.password,
        tenant=known.tenant,
        keep=keep,
        offline=offline,
    )


def _item(raw: Raw) -> Item:
    return KINDS[raw["kind"]].of(raw)
