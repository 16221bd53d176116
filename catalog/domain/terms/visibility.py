"""Which terms a user sees, with which counts: terms that occur only on items that the user cannot read are hidden.

A term records on how many items each viewer sees it: all users on public items, the readers on the others. The counts
change with the items, in the write that counts the uses.
"""

from catalog.domain.access import Caller
from catalog.store.records import Query, TermRecord
from catalog.vocabulary import Usage


def is_visible(caller: Caller, term: TermRecord) -> bool:
    """Administrators see every term, all users see default terms, and a folk term shows where an item with it does."""
    own = term["usage"] == Usage.DEFAULT or term.get("owner") == caller.user
    return caller.is_admin or own or visible_uses(caller, term) > 0


def visible_to(caller: Caller) -> Query:
    """The same rule as a filter."""
    if caller.is_admin:
        return {}
    seen = [{f"seen.{viewer}": {"$gt": 0}} for viewer in caller.viewers]
    return {"$or": [{"usage": Usage.DEFAULT.value}, {"owner": caller.user}, *seen]}


def visible_uses(caller: Caller, term: TermRecord) -> int:
    """How many items with the term the caller may read. One that is shared with several of the caller's groups, or with
    the caller as well, may count as often, but never more than all items do.
    """
    uses = int(term.get("uses", 0))
    if caller.is_admin:
        return uses
    seen = term.get("seen") or {}
    counts = [int(seen.get(viewer, 0)) for viewer in map(str, caller.viewers)]
    return min(sum(counts), uses) if caller.groups else sum(counts)


def projection(caller: Caller) -> dict[str, int]:
    """The fields that the functions above read."""
    return dict.fromkeys(("usage", "owner", "uses", *(f"seen.{viewer}" for viewer in caller.viewers)), 1)
