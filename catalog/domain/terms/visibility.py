"""Which terms a user sees, and how often: what stands only on items that the user cannot read does not show.

A term records on how many items each viewer sees it: everybody on public items, the readers on the others. The counts
change with the items, in the write that counts the uses.
"""

from catalog.domain.access import Caller
from catalog.store.records import Query, TermRecord
from catalog.vocabulary import PUBLIC_READER, Usage


def is_visible(caller: Caller, term: TermRecord) -> bool:
    """Administrators see every term, all users see default terms, and a folk term shows where an item with it does."""
    own = term["usage"] == Usage.DEFAULT or term.get("owner") == caller.user
    return caller.is_admin or own or visible_uses(caller, term) > 0


def visible_to(caller: Caller) -> Query:
    """The same rule as a filter."""
    if caller.is_admin:
        return {}
    seen = [{f"seen.{viewer}": {"$gt": 0}} for viewer in (PUBLIC_READER, caller.user)]
    return {"$or": [{"usage": Usage.DEFAULT.value}, {"owner": caller.user}, *seen]}


def visible_uses(caller: Caller, term: TermRecord) -> int:
    """How many items with the term the caller may read."""
    if caller.is_admin:
        return int(term.get("uses", 0))
    seen = term.get("seen") or {}
    return int(seen.get(PUBLIC_READER, 0) + seen.get(str(caller.user), 0))


def projection(caller: Caller) -> dict[str, int]:
    """The fields that the functions above read."""
    return dict.fromkeys(("usage", "owner", "uses", f"seen.{PUBLIC_READER}", f"seen.{caller.user}"), 1)
