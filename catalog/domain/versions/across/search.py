"""Searching versions across items."""

from catalog.domain.access import Caller
from catalog.domain.versions.across import by_name, in_order
from catalog.domain.versions.across.by_name import NamePosition
from catalog.domain.versions.across.version_search import FoundVersion, Prepared, VersionPage, VersionSearch
from catalog.store.query.paging.cursors import cursor_of


async def search(caller: Caller, request: VersionSearch, *, limit: int, after: str = "") -> VersionPage:
    """A page of versions, of at most `limit`, from the cursor `after` on (empty: from the beginning).

    Raises Refused: INVALID_QUERY, also for what is no cursor of this list.
    """
    prepared = Prepared(caller, request)
    read = by_name.read if request.is_by_name else in_order.read
    return await read(prepared, limit, after)


def cursor_at(caller: Caller, request: VersionSearch, last: FoundVersion) -> str:
    """The cursor that goes on after this version of the list."""
    if request.is_by_name:
        return by_name.cursor_at(Prepared(caller, request), NamePosition(last.item, last.version))
    return cursor_of(request.version_order, last.version)
