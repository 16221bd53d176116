"""Facets: how often each value occurs among the items that a list or a search finds."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from catalog.domain import archiving
from catalog.domain.access import Caller, readable_by
from catalog.store.query.filters.filter import Filter, within
from catalog.store.query.paging.serial_scan import SerialScan
from catalog.store.query.paging.timed_scan import newest_in_time
from catalog.store.records import ItemRecord, Query
from catalog.store.tenant import Tenant
from catalog.vocabulary import Archived, Kind

FACETS = (
    *("kind", "status", "tag", "owner", "visibility", "license", "library", "alias"),
    *("stage", "language", "task", "archived"),
)

FIELDS = (
    *("status", "tags", "owner", "visibility", "license", "library", "aliases.name"),
    *("stages", "languages", "tasks", "archived"),
)
"""The fields of an item that are counted."""

SECONDS = 0.05
"""How long items are read to be counted. The first range of them takes 50 ms on the embedded engine in Python."""

Counts = Mapping[str, Mapping[str, int]]


class FacetCounts(NamedTuple):
    """The counts by facet and value, the highest first."""

    counts: Counts
    counted: int  # items that were counted
    is_exact: bool  # else there are at least so many


async def count_listed(
    caller: Caller, kinds: Sequence[Kind], asked: Filter, archived: Archived, seconds: float = SECONDS
) -> FacetCounts:
    """Count the items of some kinds that the caller may read and that match a filter.

    The newest are counted; those of a large catalog that are not reached within `seconds` are left out. The facet
    `kind` has the other kinds, too.

    Raises Refused: INVALID_QUERY, when the server would have too much to match itself.
    """
    access = {**readable_by(caller), **archiving.shown(archived)}
    present = [kind for kind in Kind if await caller.tenant.has_items(kind)]
    counted = [kind for kind in present if kind in kinds]
    parts = [await _read(caller.tenant, kind, access, asked, seconds / len(counted)) for kind in counted]
    others = [await _count(caller.tenant, kind, access, asked) for kind in present if kind not in kinds]
    found = [(part.kind, item) for part in parts for item in part.items]
    counts = count_items(found)
    counts["kind"] = _sorted(+Counter(counts["kind"] | {str(other.kind): other.total for other in others}))
    is_exact = all(part.is_exact for part in parts) and all(other.is_exact for other in others)
    return FacetCounts(counts, len(found), is_exact)


class CountedItems(NamedTuple):
    kind: Kind
    items: list[ItemRecord]  # with FIELDS alone
    is_exact: bool


class KindTotal(NamedTuple):
    kind: Kind
    total: int
    is_exact: bool


async def _read(tenant: Tenant, kind: Kind, access: Query, asked: Filter, seconds: float) -> CountedItems:
    records, top, statistics = tenant.items(kind).records, await tenant.recent("serial"), tenant.scan_statistics
    fields = dict.fromkeys(FIELDS, 1)
    return CountedItems(kind, *await newest_in_time(records, access, asked, fields, top, statistics, seconds))


async def _count(tenant: Tenant, kind: Kind, access: Query, asked: Filter) -> KindTotal:
    """How many items of a kind match, as a list counts them; none where the server would match them itself."""
    if asked.matches is not None:
        return KindTotal(kind, 0, is_exact=True)
    records, top, query = tenant.items(kind).records, await tenant.recent("serial"), within(access, asked)
    statistics = tenant.scan_statistics.of(records, query)
    return KindTotal(kind, *await SerialScan(records, query, top, statistics=statistics).count())


def count_items(found: Iterable[tuple[Kind, ItemRecord]]) -> dict[str, dict[str, int]]:
    """The counts by facet and value, the highest first."""
    values: dict[str, list[str]] = {name: [] for name in FACETS}
    for kind, item in found:
        values["kind"].append(kind)
        values["tag"] += item["tags"]
        values["owner"].append(str(item["owner"]))
        values["visibility"].append(item["visibility"])
        values["archived"].append("true" if item.get("archived") else "false")
        values["alias"] += (alias["name"] for alias in item.get("aliases", ()))
        values["stage"] += item.get("stages", ())
        values["language"] += item.get("languages", ())
        values["task"] += item.get("tasks", ())
        for field in ("status", "license", "library"):
            if value := item.get(field):
                values[field].append(str(value))
    return {name: _sorted(Counter(counted)) for name, counted in values.items()}


def _sorted(counter: Counter[str]) -> dict[str, int]:
    return dict(counter.most_common())
