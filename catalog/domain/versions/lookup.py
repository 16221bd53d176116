"""Finding a version of an item by its ordinal, an alias or the name of a file."""

from contextlib import suppress

from bson import ObjectId

from catalog.domain import archiving
from catalog.domain.access import Caller, may_change, may_read
from catalog.domain.items.reading import lookup as items_by_reference
from catalog.domain.items.references import Reference
from catalog.domain.versions.aliases import moves
from catalog.domain.versions.aliases.names import is_latest
from catalog.errors import NOT_FOUND, Refused
from catalog.store.derived.version_summaries import newest_live
from catalog.store.query.paging.cursors import DESCENDING
from catalog.store.records import ItemRecord, Query, VersionRecord
from catalog.store.tenant import Tenant
from catalog.vocabulary import Archived, Kind, VersionState

NEWEST = [("number", DESCENDING)]


async def find(caller: Caller, item: ItemRecord, which: str) -> VersionRecord:
    """The version that `which` names: an ordinal, then an alias, then `latest`, then the newest file of that name.

    Raises Refused: NOT_FOUND.
    """
    tenant = caller.tenant
    found = await with_ordinal(tenant, item["_id"], which)
    if found is not None and (found["state"] != VersionState.DRAFT or may_change(caller, item)):
        return found
    if alias := moves.find(item, which):
        found = await numbered(tenant, item["_id"], alias["number"])
    else:
        found = await latest(tenant, item) if is_latest(which) else None
    found = found or await _newest_named(tenant, item["_id"], which)
    if found is None:
        raise Refused(NOT_FOUND, which)
    return found


async def find_of_reference(
    caller: Caller, kind: Kind, reference: Reference
) -> tuple[ItemRecord, VersionRecord] | None:
    """The version that a key such as `ada/iris@champion` names, with its item, if the caller may read it.

    Raises Refused: AMBIGUOUS.
    """
    for part in reference.of_versions():
        item = await items_by_reference.find(caller, kind, part)
        if item is not None and may_read(caller, item):
            with suppress(Refused):
                return item, await find(caller, item, part.which)
    return None


async def with_ordinal(tenant: Tenant, item: ObjectId, ordinal: str) -> VersionRecord | None:
    # What an index answers stands alone: beside other conditions the embedded engine reads all versions (0.6 s for
    # 10 000 of them, where this takes 4 ms).
    query: Query = {"item": item, "ordinal_key": ordinal.casefold()}
    return await tenant.known.reads.find_one(tenant.versions.records, query)


async def numbered(tenant: Tenant, item: ObjectId, number: int) -> VersionRecord | None:
    return await tenant.known.reads.find_one(tenant.versions.records, {"item": item, "number": number})


async def latest(tenant: Tenant, item: ItemRecord) -> VersionRecord | None:
    """The newest version that is neither a draft, nor archived, nor in quarantine."""
    number = await newest_live(tenant, item)
    return await numbered(tenant, item["_id"], number) if number else None


async def _newest_named(tenant: Tenant, item: ObjectId, name: str) -> VersionRecord | None:
    """The newest version of one file that has this name. The files of a folder do not count.

    An archived version is found only if all versions of that name are archived.
    """
    named: Query = {"item": item, "original": name}
    newest = await tenant.versions.records.find_one(named, sort=NEWEST)
    if newest is None or not newest.get("archived"):
        return newest
    return await tenant.versions.records.find_one(named | archiving.shown(Archived.EXCLUDED), sort=NEWEST) or newest
