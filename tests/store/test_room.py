"""Lists that are bounded in bytes: a page ends where it fills the room, and the cursor goes on behind it."""

import pytest

from catalog.domain.items import items
from catalog.domain.items.inputs import MetadataPair, NewItem
from catalog.domain.items.references import Reference
from catalog.domain.versions import versions
from catalog.domain.versions.across import by_name, in_order
from catalog.domain.versions.across.version_search import Prepared, VersionSearch
from catalog.domain.versions.details import VersionDetails
from catalog.store.query.budgets import Room
from catalog.store.query.paging import pages
from catalog.store.query.paging.cursors import ASCENDING, DESCENDING
from catalog.store.query.paging.pages import Listing
from catalog.vocabulary import Kind
from tests.support.tenants import somebody

MODEL = Kind.MODEL
NAMES = [f"m{at:02}" for at in range(40)]


@pytest.fixture
async def caller(tenant):
    caller = await somebody(tenant)
    for name in NAMES:
        await items.create(caller, MODEL, NewItem(name=name, metadata=[MetadataPair("a", "x" * 1000)]))
    return caller


@pytest.mark.parametrize(
    ("order", "names"),
    [([("name", ASCENDING)], NAMES), ([("serial", DESCENDING)], NAMES[::-1])],
)
async def test_a_page_ends_where_it_fills_the_room(caller, order, names):
    listing = Listing(caller.tenant.models.records, {}, order, top=await caller.tenant.recent("serial"))
    found, cursors, cursor = [], 0, ""

    while cursor is not None:
        docs, cursor = await pages.after(listing, cursor, limit=39, room=Room(10_000))
        cursors += 1
        found += [doc["name"] for doc in docs]

    assert found == names
    assert cursors > 1


async def test_a_room_that_is_not_filled_changes_nothing(caller):
    listing = Listing(caller.tenant.models.records, {}, [("name", ASCENDING)])

    with_room = await pages.after(listing, "", limit=10, room=Room())

    assert with_room == await pages.after(listing, "", limit=10)


@pytest.mark.parametrize("order", [[("name", ASCENDING)], [("lastmod", ASCENDING)]])
async def test_a_list_of_versions_goes_on_behind_a_full_page(caller, order):
    details = VersionDetails(metadata=[MetadataPair("a", "x" * 4000)])
    for name in ("m03", "m03", "m07"):
        await versions.register(caller, MODEL, Reference(name), details)
    read = by_name.read if order[0][0] == "name" else in_order.read
    found, cursor = [], ""

    while cursor is not None:
        page, cursor = await read(Prepared(caller, VersionSearch(kind=MODEL, order=order)), 10, cursor, room=Room(3000))
        found += [(each.item["name"], each.version["number"]) for each in page]
        assert len(page) <= 1

    assert sorted(found) == [("m03", 1), ("m03", 2), ("m07", 1)]


async def test_a_pattern_that_matches_few_models_is_tried_on_some_at_a_time(caller):
    await versions.register(caller, MODEL, Reference("m39"), VersionDetails())
    pattern = {"name": {"$regex": "^.*39$", "$options": "s"}}
    search = Prepared(caller, VersionSearch(kind=MODEL, item_filters=[pattern], order=[("name", ASCENDING)]))
    found, cursor, read = [], "", 0

    while cursor is not None:
        page, cursor = await by_name.read(search, 10, cursor, most_tried=10)
        found += [each.item["name"] for each in page]
        read += 1

    assert found == ["m39"]
    assert read > 1
