"""Models, datasets and algorithms."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Generic, TypedDict, TypeVar, Unpack

from catalog.client.errors import Ambiguous, Invalid, NotFound
from catalog.client.push_pull.annotations import LISTS, texts
from catalog.client.resources.aliases import AliasResource
from catalog.client.resources.base import D, InlineDriver, Resource, operation, walk
from catalog.client.resources.item_filters import KindFilter, ListFilter, SearchFilter, filter_query, refuse_unknown
from catalog.client.resources.item_names import (
    find_trashed,
    key_of,
    name_to_create,
    names_owner,
    refuse_version,
    trashed_items,
)
from catalog.client.resources.versions import VersionResource
from catalog.client.results import Card, CardFields, Document, Grant, Item, Page, TrashedItem, Value, shaped
from catalog.client.session import PAGE, Session, if_unchanged, segment
from catalog.client.transfer.cache import Cache
from catalog.client.transfer.uploads.uploads import as_pairs
from catalog.client.transport.effects import Operation

ItemT = TypeVar("ItemT", bound=Item)
Metadata = Mapping[str, Value]
T = TypeVar("T")
Pages = Callable[[str], Operation[Page[T]]]


class AccessAnswer(TypedDict):
    grants: list[Document]


class ItemResource(Resource[D], Generic[D, ItemT]):
    """The items of one kind. A key is an id, a name, `owner/name`, or an `Item`."""

    def __init__(self, session: Session, driver: D, cache: Cache, kind: str, shape: type[ItemT]) -> None:
        super().__init__(session, driver, cache)
        self._kind = kind
        self._shape = shape
        self.types = {"ItemT": shape}

    def versions(self, key: str | Item) -> VersionResource[D]:
        """The versions of one item. This sends no request."""
        return VersionResource(self._session, self._driver, self._cache, self._kind, key_of(key))

    def aliases(self, key: str | Item) -> AliasResource[D]:
        """The aliases of one item. This sends no request."""
        return AliasResource(self._session, self._driver, self._cache, self._kind, key_of(key))

    @operation
    def create(
        self,
        name: str,
        *,
        description: str = "",
        visibility: str = "private",
        users: Iterable[str] = (),
        editors: Iterable[str] = (),
        tags: Iterable[str] = (),
        metadata: Metadata | None = None,
        status: str | None = None,
        datasets: Iterable[str] | None = None,
        external_id: str = "",
        **card: Unpack[CardFields],
    ) -> Operation[ItemT]:
        """Create an item. `status` and `datasets` (ids or names) are for models and algorithms. `card` are `license`,
        `library`, `languages`, `tasks` and the other fields of a card.

        Raises CatalogError: Invalid, also if you have an item of this name.
        """
        body = {"name": name, "description": description, "visibility": visibility} | _card_fields(card)
        body |= {"users": texts("users", users), "tags": texts("tags", tags), "metadata": as_pairs(metadata or {})}
        if who := texts("editors", editors):
            body["editors"] = who
        if external_id:
            body["external_id"] = external_id
        if status is not None:
            body["status"] = status
        if datasets is not None:
            body["datasets"] = texts("datasets", datasets)
        return self._shape.of((yield from self._session.request_json("POST", f"/{self._kind}", body=body)))

    @operation
    def get(self, key: str | Item) -> Operation[ItemT]:
        """Raises CatalogError: NotFound, Forbidden, Ambiguous."""
        return self._shape.of((yield from self._session.request_json("GET", self._at(key))))

    @operation
    def ensure(self, name: str, *, description: str = "", tags: Iterable[str] = ()) -> Operation[ItemT]:
        """The caller's own item of this name, which is created if it does not exist; or the existing item that an id
        or `owner/name` names.

        Raises CatalogError: NotFound, Forbidden, Invalid for an invalid name.
        """
        found, own = yield from self.find_to_push(name)
        return found or (yield from self.create_to_push(own, description=description, tags=tags))

    @walk
    def list(
        self,
        *,
        sort: Mapping[str, str] | None = None,
        archived: str = "",
        batch: int = PAGE,
        **arguments: Unpack[ListFilter],
    ) -> Pages[ItemT]:
        """Iterate over the items that the caller may read, newest first.

        `filter` and `sort` are as in the API; `metadata` has conditions such as `{"accuracy": "gte:0.9"}`, and `latest`
        those on the latest version, by which `sort={"latest.accuracy": "desc"}` sorts, too. `alias`, `stage`, `license`
        and `library` take a value, or `in:a,b`, `ne:` and `prefix:`. `batch` is the number of items per request.

        Archived items are left out; `archived="true"` lists them alone, `"all"` with the others.
        """
        query = {"limit": str(batch)} | filter_query(arguments)
        if sort:
            query["sort"] = json.dumps(sort)
        if archived:
            query["archived"] = archived
        return self._session.page(f"/{self._kind}", self._shape.of, query)

    @walk
    def search(
        self,
        words: str,
        **arguments: Unpack[SearchFilter],
    ) -> Pages[ItemT]:
        """Iterate over the items that match `words`, best match first. The other arguments are as in `list`."""
        narrowed: KindFilter = {**arguments, "kind": self._kind}
        query = filter_query(narrowed)
        return self._session.page("/search", self._shape.of, {"q": words} | query)

    @operation
    def update(
        self,
        key: str | Item,
        *,
        description: str | None = None,
        visibility: str | None = None,
        status: str | None = None,
        owner: str | None = None,
        external_id: str | None = None,
        archived: bool | None = None,
        add: Mapping[str, object] | None = None,
        remove: Mapping[str, object] | None = None,
        revision: int | None = None,
        **card: Unpack[CardFields],
    ) -> Operation[ItemT]:
        """Change the given fields of an item. `card` are as in `create`; its lists replace those of the item.

        `add` and `remove` may have `tags`, `users`, `datasets` and `metadata` (a mapping to add, names to remove).
        With `revision`, the change is refused if the item has changed since that revision.

        Raises CatalogError: NotFound, Forbidden, Invalid, Conflict.
        """
        plain: dict[str, object] = {
            "description": description,
            "visibility": visibility,
            "status": status,
            "owner": owner,
        }
        plain |= {"external_id": external_id, "archived": archived}
        changes: dict[str, dict[str, object]] = {}
        for verb, changed in (("add", add or {}), ("remove", remove or {})):
            for name, values in changed.items():
                changes.setdefault(name, {})[verb] = _changes(name, values)
        body = {name: value for name, value in plain.items() if value is not None} | _card_fields(card) | changes
        return self._shape.of((yield from self._put(key, body, revision)))

    @operation
    def rename(self, key: str | Item, name: str, *, revision: int | None = None) -> Operation[ItemT]:
        """Give an item another name. Its id stays, and what refers to it.

        Raises CatalogError: NotFound, Forbidden, Invalid, also if its owner has an item of this name; Conflict.
        """
        headers = if_unchanged(revision)
        path = f"{self._at(key)}/rename"
        return self._shape.of(
            (yield from self._session.request_json("POST", path, body={"name": name}, headers=headers))
        )

    @operation
    def card(self, key: str | Item) -> Operation[Card]:
        """The card of an item. Raises CatalogError: NotFound, also for an item without a card; Forbidden."""
        try:
            return Card.of((yield from self._session.request_json("GET", f"{self._at(key)}/card")))
        except NotFound as missing:
            if missing.details.endswith(" has no card"):
                missing.advice = "Set one: catalog card set, or items.set_card(...)."
            raise

    @operation
    def set_card(self, key: str | Item, text: str, *, revision: int | None = None) -> Operation[Card]:
        """Set the card of an item: Markdown, whose YAML front matter fills fields of the item.

        With `revision`, it is refused if the item has changed since that revision.

        Raises CatalogError: NotFound, Forbidden, Invalid, Conflict.
        """
        return Card.of((yield from self._put(key, {"text": text}, revision, at="/card")))

    @operation
    def remove_card(self, key: str | Item) -> Operation[None]:
        """Raises CatalogError: NotFound, also for an item without a card; Forbidden."""
        yield from self._session.request_json("DELETE", f"{self._at(key)}/card")

    @operation
    def share(self, key: str | Item, *users: str, edit: bool = False) -> Operation[ItemT]:
        """Give users and groups, by id or name, read access; with `edit` they may also change the content.

        Raises CatalogError: NotFound, Forbidden, Invalid.
        """
        return self._shape.of((yield from self._put(key, {"editors" if edit else "users": {"add": [*users]}})))

    @operation
    def unshare(self, key: str | Item, *users: str) -> Operation[ItemT]:
        """Take all access from users and groups."""
        body = {"users": {"remove": [*users]}, "editors": {"remove": [*users]}}
        return self._shape.of((yield from self._put(key, body)))

    @operation
    def access(self, key: str | Item) -> Operation[Sequence[Grant]]:
        """Who may do what with an item. Raises CatalogError: NotFound, Forbidden."""
        found = shaped((yield from self._session.request_json("GET", f"{self._at(key)}/access")), AccessAnswer)
        return tuple(Grant.of(grant) for grant in found["grants"])

    @operation
    def delete(self, key: str | Item, *, force: bool = False) -> Operation[None]:
        """Move an item, with its versions, to the trash; with `force` also a model that an inference service serves.

        Raises CatalogError: NotFound, Forbidden, Invalid for a dataset in use, Conflict for a model in service.
        """
        yield from self._session.request_json("DELETE", self._at(key), query={"force": "true"} if force else {})

    @walk
    def trash(self) -> Pages[TrashedItem]:
        """Iterate over the removed items that can be restored."""
        return trashed_items(self._session, self._kind)

    @operation
    def restore(self, key: str) -> Operation[ItemT]:
        """Restore an item from the trash, by id or name; of several with one name, the one removed last.

        Raises CatalogError: NotFound if it is not in the trash, Invalid if its name has been taken since.
        """
        removed = yield from find_trashed(self._session, self._kind, key)
        return self._shape.of((yield from self._session.request_json("POST", f"/trash/{removed.id}/restore")))

    def _put(
        self, key: str | Item, body: Mapping[str, object], revision: int | None = None, at: str = ""
    ) -> Operation[Document]:
        headers = if_unchanged(revision)
        return (yield from self._session.request_json("PUT", self._at(key) + at, body=body, headers=headers))

    def find_to_push(self, name: str) -> Operation[tuple[ItemT | None, str]]:
        """The item that a push to `name` adds a version to, or None and the name of the one that it creates.

        Raises CatalogError: NotFound, Forbidden, Invalid for the name of a version.
        """
        try:
            found = self._shape.of((yield from self._session.request_json("GET", self._at(name))))
        except NotFound:
            return None, (yield from name_to_create(self._session, name))
        except Ambiguous:
            return None, name
        refuse_version(found, name)
        is_own = names_owner(found, name) or found.owner == self._session.claims.get("sub")
        return (found, found.name) if is_own else (None, name)

    def create_to_push(self, name: str, *, description: str = "", tags: Iterable[str] = ()) -> Operation[ItemT]:
        """Create the caller's own item of a name that was free a moment ago. Raises CatalogError."""
        items = ItemResource(self._session, InlineDriver(), self._cache, self._kind, self._shape)
        try:
            return (yield from items.create(name, description=description, tags=tags))
        except Invalid as refused:  # it exists: created meanwhile, or the token does not name its user
            try:
                return (yield from items.get(name))
            except (NotFound, Ambiguous):
                raise refused from None

    def _at(self, key: str | Item) -> str:
        return f"/{self._kind}/{segment(key_of(key))}"


def _card_fields(card: CardFields) -> dict[str, object]:
    refuse_unknown(card, CardFields.__optional_keys__)
    return {name: texts(name, value) if name in LISTS else value for name, value in card.items()}


def _changes(name: str, values: object) -> object:
    """Values of a field to add or to remove. Raises Invalid."""
    if name not in LISTS:
        raise Invalid(f"{name!r} has no values to add or to remove", advice="tags, users, datasets and metadata have.")
    return as_pairs(values) if isinstance(values, Mapping) else texts(name, values)
