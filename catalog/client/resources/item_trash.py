"""The items of one kind that are in the trash."""

import json
from collections.abc import Callable

from catalog.client.errors import NotFound
from catalog.client.resources.item_names import owner_id
from catalog.client.results import Page, TrashedItem
from catalog.client.session import Session
from catalog.client.transport.effects import Operation


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
