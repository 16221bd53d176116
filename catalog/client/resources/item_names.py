"""Keys of items: an id, a name or `owner/name`, for an item to push to and for one in the trash."""

import json
from collections.abc import Callable
from unicodedata import normalize

from catalog.client.errors import Invalid, NotFound
from catalog.client.results import Item, Page, TrashedItem, User
from catalog.client.session import Session, segment
from catalog.client.transport.effects import Operation


def key_of(key: str | Item) -> str:
    return key.id if isinstance(key, Item) else key


def names_owner(item: Item, key: str) -> bool:
    """Whether the key that found the item names it for every user: an id, or `owner/name`."""
    return key == item.id or item.name not in {key, normalize("NFC", key)}


def refuse_version(item: Item, key: str) -> None:
    """Raises Invalid for a key such as `iris@3` that found the item of a version."""
    if key != item.id and not normalize("NFC", f"/{key}").endswith(normalize("NFC", f"/{item.name}")):
        raise Invalid(f"{key} is a version of {item.name}", advice=f"Push to {item.name}: each push is a new version.")


def name_to_create(session: Session, name: str) -> Operation[str]:
    """The name for a new item: of the caller's own `owner/name`, the part after the slash.

    Raises NotFound if the owner is another user, Invalid for what looks like a version.
    """
    item, at, which = name.rpartition("@")
    if at:
        advice = f"Push to {item}: each push is a new version. alias= (--alias) and ordinal= (--as) name it."
        raise Invalid(f"{name} would be the version {which} of {item}, and there is none", advice=advice)
    owner = yield from owner_id(session, name)
    rest = name.partition("/")[2]
    if owner and owner != session.claims.get("sub"):
        advice = f"Push to {rest} alone to create an item of your own."
        raise NotFound(f"There is no {name} that you may read", advice=advice)
    return rest if owner else name


def owner_id(session: Session, reference: str) -> Operation[str]:
    """The id of the user named before the first slash; empty if there is none."""
    username, slash, name = reference.partition("/")
    if not (username and slash and name):
        return ""
    try:
        return User.of((yield from session.request_json("GET", f"/users/{segment(username)}"))).id
    except NotFound:
        return ""


def trashed_items(session: Session, kind: str) -> Callable[[str], Operation[Page[TrashedItem]]]:
    """A function that fetches one page of the trash, the items removed last first."""
    return session.page("/trash", TrashedItem.of, {"filter": json.dumps({"kind": kind})})


def find_trashed(session: Session, kind: str, key: str) -> Operation[TrashedItem]:
    """The item of an id, a name or `owner/name`; of several with one name, the one removed last.

    Raises CatalogError: NotFound.
    """
    found = yield from _first_of(session, kind, key)
    if found is None and (owner := (yield from owner_id(session, key))):
        found = yield from _first_of(session, kind, f"{owner}/{key.partition('/')[2]}")
    if found is None:
        raise NotFound(f"{key} is not in the trash", advice="It may have been purged, or belong to another user.")
    return found


def _first_of(session: Session, kind: str, key: str) -> Operation[TrashedItem | None]:
    cursor: str | None = ""
    while cursor is not None:
        page = yield from trashed_items(session, kind)(cursor)
        for removed in page.docs:
            if key in {removed.id, removed.name, f"{removed.owner}/{removed.name}"}:
                return removed
        cursor = page.next_cursor
    return None
