"""A sorted list that is read range by range has the documents, and the order, of one that is read at once."""

from operator import itemgetter

import pytest
from bson import ObjectId

from catalog.errors import INVALID_QUERY, Refused
from catalog.store.query.budgets import Room
from catalog.store.query.paging import cuts, pages
from catalog.store.query.paging.cursors import ASCENDING, DESCENDING, cursor_of
from catalog.store.query.paging.cuts import Samples
from catalog.store.query.paging.pages import Listing
from catalog.store.query.paging.serial_scan import QueryStatistics

COUNT = 90
LICENSES = ("MIT", "", "MIT", "Apache-2.0", "MIT", None)
WITHOUT = {"library": "nothing has it"}


def documents():
    for serial in range(1, COUNT + 1):
        one = {"serial": serial, "name": f"n{serial * 37 % COUNT:02}", "tags": ["often"] if serial % 7 else ["seldom"]}
        license_ = LICENSES[serial % len(LICENSES)]
        yield one if license_ is None else one | {"license": license_}


@pytest.fixture
async def listing(tenant, monkeypatch):
    """Of 90 documents, of which every fifth is in the sample."""
    monkeypatch.setattr(cuts, "EVERY", 5)
    await tenant.models.records.insert_many([each | {"owner": ObjectId()} for each in documents()])
    return Listing(tenant.models.records, {}, [("name", ASCENDING)], top=COUNT, samples=Samples())


def in_order(field, direction, query):
    found = [each for each in documents() if query.get("tags", "often") in each["tags"] or not query]
    found.sort(key=lambda each: (each.get(field) is not None, each.get(field, ""), each["serial"]))
    return [each["serial"] for each in (found if direction == ASCENDING else found[::-1])]


@pytest.mark.parametrize("query", [{}, {"tags": "seldom"}, {"tags": {"$ne": "often"}}], ids=["all", "some", "rest"])
@pytest.mark.parametrize("direction", [ASCENDING, DESCENDING])
@pytest.mark.parametrize("field", ["name", "license"])
async def test_each_document_comes_once_and_in_its_place(listing, field, direction, query):
    asked = listing._replace(order=[(field, direction)], query=query)
    expected = in_order(field, direction, {"tags": "seldom"} if query else {})

    walk, cursor = [], ""
    while cursor is not None:
        docs, cursor = await pages.after(asked, cursor, limit=7)
        walk += docs
    numbered = [doc for skip in range(0, COUNT, 30) for doc in (await pages.page(asked, skip=skip, limit=30)).docs]

    serials = itemgetter("serial")
    assert [*map(serials, walk)] == expected
    assert [*map(serials, numbered)] == expected


async def test_a_page_reads_few_ranges_and_a_filter_that_finds_nothing_ends(listing):
    page = await pages.page(listing, skip=0, limit=5, room=Room())
    nothing = await pages.page(listing._replace(query=WITHOUT), skip=0, limit=5)

    assert [doc["name"] for doc in page.docs] == [f"n{number:02}" for number in range(5)]
    assert (nothing.docs, nothing.more) == ([], False)


async def test_a_filter_that_found_little_in_a_range_is_read_at_once_the_next_time(listing, monkeypatch):
    ranges: list[object] = []
    read = cuts.read

    async def counting(*given):
        ranges.append(given)
        return await read(*given)

    monkeypatch.setattr(cuts, "read", counting)
    asked = listing._replace(query={"tags": "seldom"}, statistics=QueryStatistics())

    first, cursor = await pages.after(asked, "", limit=7)
    again, _ = await pages.after(asked, "", limit=7)
    await pages.after(asked, cursor, limit=7)

    assert first == again
    assert len(ranges) == 1


async def test_a_part_ends_with_the_document_that_fills_the_room(listing):
    docs, cursor = await pages.after(listing, "", limit=50, room=Room(100))
    following, _ = await pages.after(listing, cursor, limit=50, room=Room(100))
    page = await pages.page(listing, skip=0, limit=50, room=Room(100))

    assert 0 < len(docs) < 10
    assert following[0]["name"] == f"n{len(docs):02}"
    assert ([doc["name"] for doc in page.docs], page.more, page.is_cut) == ([doc["name"] for doc in docs], True, True)


@pytest.mark.parametrize("key", [{"name": 7, "serial": 1}, {"name": "n07", "serial": "1"}])
async def test_an_invented_cursor_is_refused(listing, key):
    with pytest.raises(Refused) as refusal:
        await pages.after(listing, cursor_of(listing.settled, key), limit=7)

    assert refusal.value.fault is INVALID_QUERY
