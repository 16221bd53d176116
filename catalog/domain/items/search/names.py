"""Completion of names, for each key press in a UI: the items whose names best complete what has been typed."""

from collections.abc import Sequence

from catalog.domain.access import Caller
from catalog.domain.items.search.ranking import MatchRank
from catalog.domain.items.search.search import Hit, SearchPosition, SearchQuery, SearchWalk
from catalog.store.query.filters.filter import Filter
from catalog.vocabulary import Kind

MOST = 100
"""Items in an answer."""

SECONDS = 0.05
"""Seconds after which the items found so far, if any, are returned: the user goes on typing."""


async def complete(caller: Caller, key: str, kinds: Sequence[Kind], limit: int) -> list[Hit]:
    """At most `limit` items that the caller may read, whose names have the key of a text or begin with it: those that
    are found soon.

    Those of exactly that name come first, and the newest before the others. See `catalog.folding` for the key.
    """
    walk = SearchWalk(caller, SearchQuery(key, kinds, Filter({})), last=MatchRank.PREFIX)
    hits, _, _ = await walk.run(SearchPosition(MatchRank.EXACT, 0), limit, SECONDS)
    return hits
