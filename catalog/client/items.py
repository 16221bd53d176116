"""Models, datasets and algorithms."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Generic, TypeVar
from unicodedata import normalize

from catalog.client.cache import Cache
from catalog.client.effects import Operation
from catalog.client.errors import Ambiguous, Invalid, NotFound
from catalog.client.resources import D, Planned, Room, operation, walk
from catalog.client.results import Item, Page, Removed, Value
from catalog.client.sessions import PAGE, Session, segment
from catalog.client.uploads import as_pairs
from catalog.client.versions import Versions

ItemT = TypeVar("ItemT", bound=Item)
Metadata = Mapping[str, Value]
Filter = Mapping[str, Any] | Sequence[Mapping[str, Any]]
T = TypeVar("T")
Pages = Callable[[str], Operation[Page[T]]]


class Items(Room[D], Generic[D, ItemT]):
    """The items of one kind. A key is an id, a name, `owner/name`, or an item itself."""

    def __init__(self, session: Session, driver: D, cache: Cache, kind: str, shape: type[ItemT]) -> None:
        super().__init__(session, driver, cache)
        self._kind = kind
        self._shape = shape

    def versions(self, key: str | Item) -> Versions[D]:
        """The versions of one item. Nothing is asked yet."""
        return Versions(self._session, self._driver, self._cache, self._kind, key_of(key))

    @operation
    def create(
        self,
        name: str,
        *,
        description: str = "",
        visibility: str = "private",
        users: Iterable[str] = (),
        tags: Iterable[str] = (),
        metadata: Metadata | None = None,
        status: str | None = None,
        datasets: Iterable[str] | None = None,
    ) -> Operation[ItemT]:
        """Make one. `status` and `datasets` (ids or names) are for models and algorithms.

        Raises CatalogError: Invalid, also for a name that one has given already.
        """
        body: dict[str, Any] = {"name": name, "description": description, "visibility": visibility}
        body |= {"users": [*users], "tags": [*tags], "metadata": as_pairs(metadata or {})}
        if status is not None:
            body["status"] = status
        if datasets is not None:
            body["datasets"] = [*datasets]
        return self._shape.of((yield from self._session.ask("POST", f"/{self._kind}", body=body)))

    @operation
    def get(self, key: str | Item) -> Operation[ItemT]:
        """Raises CatalogError: NotFound, Forbidden, Ambiguous."""
        return self._shape.of((yield from self._session.ask("GET", self._at(key))))

    @operation
    def ensure(self, name: str, *, description: str = "", tags: Iterable[str] = ()) -> Operation[ItemT]:
        """The caller's own item of that name, made if there is none, whoever else has one; or the item that an id or
        `owner/name` names, which must be there.

        Raises CatalogError: NotFound, Forbidden, Invalid for a name that cannot be given.
        """
        items = Items(self._session, Planned(), self._cache, self._kind, self._shape)
        try:
            found = yield from items.get(name)
        except NotFound:
            own = yield from self._to_make(name)
        except Ambiguous:
            own = name
        else:
            if says_whose(found, name) or found.owner == self._session.claims.get("sub"):
                return found
            own = name
        try:
            return (yield from items.create(own, description=description, tags=tags))
        except Invalid as refused:  # it is there: made meanwhile, or the token does not say whose it is
            try:
                return (yield from items.get(own))
            except (NotFound, Ambiguous):
                raise refused from None

    @walk
    def list(
        self,
        *,
        filter: Filter | None = None,  # noqa: A002  the API's word
        sort: Mapping[str, str] | None = None,
        metadata: Mapping[str, object] | None = None,
        batch: int = PAGE,
    ) -> Pages[ItemT]:
        """Walk through those that one may read, newest first.

        `filter` and `sort` are as in the API; `metadata` has conditions such as `{"accuracy": "gte:0.9"}`; `batch` is
        how many are asked for at once.
        """
        query = {"limit": str(batch)} | narrowed(filter, metadata)
        if sort:
            query["sort"] = json.dumps(sort)
        return self._session.page(f"/{self._kind}", self._shape.of, query)

    @walk
    def search(
        self,
        words: str,
        *,
        status: str = "",
        visibility: str = "",
        owner: str = "",
        filter: Filter | None = None,  # noqa: A002  the API's word
        metadata: Mapping[str, object] | None = None,
    ) -> Pages[ItemT]:
        """Walk through those that have the words, best first. `filter` and `metadata` are as in `list`."""
        query = {"q": words, "kind": self._kind, "status": status, "visibility": visibility, "owner": owner}
        given = {name: value for name, value in query.items() if value}
        return self._session.page("/search", self._shape.of, given | narrowed(filter, metadata))

    @operation
    def update(
        self,
        key: str | Item,
        *,
        description: str | None = None,
        visibility: str | None = None,
        status: str | None = None,
        owner: str | None = None,
        add: Mapping[str, Any] | None = None,
        remove: Mapping[str, Any] | None = None,
        revision: int | None = None,
    ) -> Operation[ItemT]:
        """Change what is named. `add` and `remove` have `tags`, `users`, `datasets` and `metadata`: a mapping, or,
        to remove, names. With `revision`, an item's, it is refused when somebody was first.

        Raises CatalogError: NotFound, Forbidden, Invalid, Conflict.
        """
        plain = {"description": description, "visibility": visibility, "status": status, "owner": owner}
        body: dict[str, Any] = {name: value for name, value in plain.items() if value is not None}
        for verb, changed in (("add", add or {}), ("remove", remove or {})):
            for name, values in changed.items():
                body.setdefault(name, {})[verb] = as_pairs(values) if isinstance(values, Mapping) else [*values]
        return self._shape.of((yield from self._put(key, body, revision)))

    @operation
    def share(self, key: str | Item, *users: str) -> Operation[ItemT]:
        """Let users, by id or name, read it. Raises CatalogError: NotFound, Forbidden, Invalid."""
        return self._shape.of((yield from self._put(key, {"users": {"add": [*users]}})))

    @operation
    def unshare(self, key: str | Item, *users: str) -> Operation[ItemT]:
        return self._shape.of((yield from self._put(key, {"users": {"remove": [*users]}})))

    @operation
    def delete(self, key: str | Item) -> Operation[None]:
        """Into the trash, with its versions. Raises CatalogError: NotFound, Forbidden, Invalid for a dataset in use."""
        yield from self._session.ask("DELETE", self._at(key))

    @walk
    def trash(self) -> Pages[Removed]:
        """Walk through what was removed and can be restored."""
        return self._trash()

    @operation
    def restore(self, key: str) -> Operation[ItemT]:
        """Bring one back, by its id or its name, of several the last that was removed.

        Raises CatalogError: NotFound when it is not in the trash, Invalid when its name is taken by now.
        """
        removed = yield from self._removed(key)
        return self._shape.of((yield from self._session.ask("POST", f"/trash/{removed.id}/restore")))

    def _put(self, key: str | Item, body: Mapping[str, Any], revision: int | None = None) -> Operation[Any]:
        headers = {} if revision is None else {"If-Match": f'"{revision}"'}
        return (yield from self._session.ask("PUT", self._at(key), body=body, headers=headers))

    def _trash(self) -> Pages[Removed]:
        return self._session.page("/trash", Removed.of, {"filter": json.dumps({"kind": self._kind})})

    def _removed(self, key: str) -> Operation[Removed]:
        found = yield from self._thrown(key)
        if found is None and (owner := (yield from self._owner_in(key))):
            found = yield from self._thrown(f"{owner}/{key.partition('/')[2]}")
        if found is None:
            raise NotFound(f"{key} is not in the trash", advice="It may have been purged, or be somebody else's.")
        return found

    def _thrown(self, key: str) -> Operation[Removed | None]:
        cursor: str | None = ""
        while cursor is not None:
            page = yield from self._trash()(cursor)
            for removed in page.docs:
                if key in {removed.id, removed.name, f"{removed.owner}/{removed.name}"}:
                    return removed
            cursor = page.next_cursor
        return None

    def _to_make(self, name: str) -> Operation[str]:
        """The name to make an item by that is not there: the caller's own `owner/name` is the name alone.

        Raises NotFound when the owner is somebody else.
        """
        owner = yield from self._owner_in(name)
        rest = name.partition("/")[2]
        if owner and owner != self._session.claims.get("sub"):
            advice = f"Push to {rest} alone to make one of your own."
            raise NotFound(f"There is no {name} that you may read", advice=advice)
        return rest if owner else name

    def _owner_in(self, reference: str) -> Operation[str]:
        """The id of the user who is named before the first slash; empty when there is none."""
        username, slash, name = reference.partition("/")
        if not (username and slash and name):
            return ""
        try:
            return str((yield from self._session.ask("GET", f"/users/{segment(username)}"))["_id"])
        except NotFound:
            return ""

    def _at(self, key: str | Item) -> str:
        return f"/{self._kind}/{segment(key_of(key))}"


def narrowed(filter: Filter | None, metadata: Mapping[str, object] | None) -> dict[str, str]:  # noqa: A002
    """The part of a query string that says which items."""
    conditions = {f"metadata.{name}": str(value) for name, value in (metadata or {}).items()}
    return {"filter": json.dumps(filter), **conditions} if filter else conditions


def says_whose(item: Item, key: str) -> bool:
    """Whether the key that found the item names it whoever asks: by its id, or by `owner/name`."""
    return key == item.id or item.name not in {key, normalize("NFC", key)}


def key_of(key: str | Item) -> str:
    return key.id if isinstance(key, Item) else key
