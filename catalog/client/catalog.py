"""`Catalog` and `AsyncCatalog`: a client of one server, for one user."""

import warnings
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self, Unpack

from catalog.client import transport
from catalog.client.errors import CatalogWarning
from catalog.client.profile import Profile, find, is_offline, other_logins, save_token
from catalog.client.push_pull.pushing import shape_of
from catalog.client.push_pull.transfers import TransferMethods
from catalog.client.resources.base import D, operation, walk
from catalog.client.resources.demo import DemoResource
from catalog.client.resources.item_filters import KindFilter, filter_query
from catalog.client.resources.items import ItemResource
from catalog.client.resources.maintenance import MaintenanceMethods
from catalog.client.resources.people import GroupResource, RobotResource, TokenResource, UserResource
from catalog.client.resources.registry_api import RegistryApi
from catalog.client.resources.signatures import ASYNC
from catalog.client.resources.tenants import RetentionResource, TenantResource, TermResource
from catalog.client.results import (
    KINDS,
    Algorithm,
    Dataset,
    Document,
    Identity,
    Item,
    ItemFacets,
    Lineage,
    Model,
    NamedItem,
    Page,
    ServerDescription,
    Version,
    shaped,
)
from catalog.client.results.shapes import shape_error
from catalog.client.revisions import LATEST, explain_missing
from catalog.client.session import Session
from catalog.client.transfer.cache import Cache
from catalog.client.transfer.downloads.downloads import find_version
from catalog.client.transfer.uploads.uploads import TargetItem
from catalog.client.transport.answers import ListAnswer
from catalog.client.transport.effects import Operation
from catalog.client.transport.tracing import Trace

TIMEOUT = 120.0
"""Seconds. The response to the last byte of a large file waits until the server has stored it."""


PASSWORD_RULES = {
    "0": "Any password is accepted.",
    "1": "A password has at least 6 characters, of two kinds: small and capital letters, digits, and other signs.",
    "2": "A password has at least 8 characters: small and capital letters, digits, and other signs.",
    "3": "A password has at least 10 characters: small and capital letters, digits, and other signs.",
}
"""By the password strength that the server requires."""


class CatalogResources(TransferMethods[D], MaintenanceMethods[D]):
    """The methods that both clients share."""

    def __init__(self, session: Session, driver: D, cache: Cache) -> None:
        super().__init__(session, driver, cache)
        self.models: ItemResource[D, Model] = ItemResource(session, driver, cache, "models", Model)
        self.datasets: ItemResource[D, Dataset] = ItemResource(session, driver, cache, "datasets", Dataset)
        self.algorithms: ItemResource[D, Algorithm] = ItemResource(session, driver, cache, "algorithms", Algorithm)
        self.registry: RegistryApi[D] = RegistryApi(session, driver, cache)
        self.users: UserResource[D] = UserResource(session, driver, cache)
        self.groups: GroupResource[D] = GroupResource(session, driver, cache)
        self.tokens: TokenResource[D] = TokenResource(session, driver, cache)
        self.robots: RobotResource[D] = RobotResource(session, driver, cache)
        self.retention: RetentionResource[D] = RetentionResource(session, driver, cache)
        self.tags: TermResource[D] = TermResource(session, driver, cache, "tags")
        self.metadata: TermResource[D] = TermResource(session, driver, cache, "metadata")
        self.tenants: TenantResource[D] = TenantResource(session, driver, cache)
        self.demo: DemoResource[D] = DemoResource(session, driver, cache)

    def items(self, kind: str) -> ItemResource[D, Item]:
        """The items of a kind that is known only at run time: `models`, `datasets` or `algorithms`. Raises Invalid."""
        return ItemResource(self._session, self._driver, self.cache, kind, shape_of(kind))

    @property
    def url(self) -> str:
        return self._session.url

    @property
    def token(self) -> str:
        """The token that requests carry at present."""
        return self._session.token

    @operation
    def login(self, username: str = "", password: str = "", tenant: str = "") -> Operation[str]:
        """Sign in and return the token. Arguments that are left out are those the client was created with.

        Raises CatalogError: NotSignedIn if the credentials are wrong.
        """
        yield from self._session.sign_in(username, password, tenant)
        return self._session.token

    @operation
    def whoami(self) -> Operation[Identity]:
        """Raises CatalogError: NotSignedIn."""
        return (yield from self._session.identity())

    @operation
    def info(self) -> Operation[ServerDescription]:
        """The version, the limits and the options of the server."""
        return shaped((yield from self._session.request_json("GET", "/info")), ServerDescription)

    @operation
    def password_rule(self) -> Operation[str]:
        """The server's rule for passwords, in a sentence."""
        rules = yield from self._session.request_json("GET", "/types/passwordStrength")
        return PASSWORD_RULES.get(str(rules.get("passwordStrength")), PASSWORD_RULES["0"])

    @walk
    def search(
        self,
        words: str,
        **arguments: Unpack[KindFilter],
    ) -> Callable[[str], Operation[Page[Item]]]:
        """Iterate over the items that match `words`, best match first.

        `kind`, `status`, `visibility` and `owner` take a value; the other arguments are as in `models.list`.
        """
        return self._session.page("/search", _item, {"q": words} | filter_query(arguments))

    @operation
    def facets(
        self,
        **arguments: Unpack[KindFilter],
    ) -> Operation[ItemFacets]:
        """How many items have each tag, owner, license and so on. The arguments are as in `search`."""
        query = filter_query(arguments)
        return ItemFacets.of((yield from self._session.request_json("GET", "/search/facets", query=query)))

    @operation
    def suggest_names(self, beginning: str, *, kind: str = "", limit: int = 10) -> Operation[tuple[NamedItem, ...]]:
        """The items whose names are `beginning`, or begin with it."""
        query = {"q": beginning, "limit": str(limit), **({"kind": kind} if kind else {})}
        found = shaped((yield from self._session.request_json("GET", "/search/names", query=query)), ListAnswer)
        return tuple(NamedItem.of(item) for item in found["docs"])

    @operation
    def lineage(self, name: str, which: str = "", *, kind: str = "models", depth: int = 3) -> Operation[Lineage]:
        """What a version was made from, and what was made from it, to so many levels. Default: the latest version.

        Raises CatalogError: NotFound, Forbidden.
        """
        query = {"depth": str(depth), **({"which": which} if which else {})}
        item = TargetItem(self._session, self.cache, kind, name)
        request = self._session.request_json("GET", f"{item.item}/lineage", query=query)
        return Lineage.of((yield from explain_missing(item, {which or LATEST}, request)))

    @operation
    def resolve(self, name: str, revision: str, *, kind: str = "models") -> Operation[Version]:
        """The version that `revision` names: an ordinal, an alias, `latest`, or the name of a file.

        Raises CatalogError: NotFound, Forbidden.
        """
        return (yield from find_version(TargetItem(self._session, self.cache, kind, name), revision))


class ConnectedCatalog(CatalogResources[D]):
    """A client with a session, connections and a cache of its own."""

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
        profile: str = "",
        trace: Trace | None = None,
    ) -> None:
        arguments = {"url": url, "token": token, "username": username, "password": password, "tenant": tenant, "ca": ca}
        known = find(arguments, name=profile)
        session = _session(known, trace, offline=offline or is_offline())
        super().__init__(session, self._connect(known, timeout), Cache(Path(cache) if cache else None))

    def _connect(self, known: Profile, timeout: float) -> D:
        """What sends the requests of this client."""
        raise NotImplementedError


class Catalog(ConnectedCatalog["transport.SyncDriver"]):
    """The blocking client. Arguments that are left out come from the environment (CATALOG_URL, CATALOG_TOKEN, ...),
    the project's `.catalog.toml`, or the user's configuration. With `offline`, or CATALOG_OFFLINE=1, the client
    sends no request and serves downloads from the cache. `profile` names a stored one (`catalog profile`). `trace` is
    called with each request as a curl command, secrets hidden, and with its status.
    """

    def _connect(self, known: Profile, timeout: float) -> "transport.SyncDriver":
        return transport.SyncDriver(known.url, timeout, known.ca)

    def close(self) -> None:
        """Close the connections to the server."""
        self._driver.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class AsyncCatalog(ConnectedCatalog["transport.AsyncDriver"]):
    """The client for asyncio: every method is awaited, every list is iterated with `async for`."""

    class_forms = ASYNC

    def _connect(self, known: Profile, timeout: float) -> "transport.AsyncDriver":
        return transport.AsyncDriver(known.url, timeout, known.ca)

    async def close(self) -> None:
        """Close the connections to the server."""
        await self._driver.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


def _session(known: Profile, trace: Trace | None, *, offline: bool) -> Session:
    def store(token: str) -> None:
        if known.is_stored:
            with suppress(OSError):  # a folder that cannot be written to: the stored token lasts until it expires
                save_token(known.url, token, known.name)

    for note in known.notes:
        warnings.warn(note, CatalogWarning, stacklevel=3)

    return Session(
        known.url,
        token=known.token,
        username=known.username,
        password=known.password,
        tenant=known.tenant,
        on_token=store,
        offline=offline,
        trace=trace,
        other_logins=() if known.token or known.password else other_logins(known.url),
    )


def _item(document: Document) -> Item:
    kind = document.get("kind")
    if not isinstance(kind, str) or kind not in KINDS:
        raise shape_error("kind is none of an item")
    return KINDS[kind].of(document)
