"""Walks by sort key: each document once, in order, however the batches fall."""

import pytest

from catalog.store.query.filters.filter import Filter
from catalog.store.query.paging.keysets import walk
from catalog.store.query.paging.pages import Listing
from catalog.store.query.paging.serial_scan import SerialScan

ORDERS = [[("serial", 1)], [("serial", -1)], [("age", 1), ("serial", 1)], [("age", -1), ("serial", -1)]]


@pytest.fixture
async def collection(tenant):
    numbers = tenant.collection("numbers")
    await numbers.insert_many([{"serial": 7 * n + 1, "age": n // 4, "even": n % 2 == 0} for n in range(300)])
    return numbers


@pytest.mark.parametrize("order", ORDERS, ids=str)
@pytest.mark.parametrize("top", [None, 5, 2100])
async def test_a_walk_shows_each_kept_document_once(tenant, collection, order, top):
    async def keep(batch):
        return [each for each in batch if each["serial"] % 3]

    listing = Listing.of(collection, {}, Filter({"even": True}), order, top=top, statistics=tenant.scan_statistics)
    shown, key, pages = [], None, 0
    while pages == 0 or key:
        docs, key = await walk(listing, key, 10, keep)
        shown += [each["serial"] for each in docs]
        pages += 1

    wanted = [7 * n + 1 for n in range(0, 300, 2) if (7 * n + 1) % 3]
    assert shown == (wanted if order[0][1] > 0 else wanted[::-1])
    assert pages == 10


async def test_an_equality_goes_with_a_range_where_it_finds_few_documents(tenant):
    some = tenant.collection("some")
    await some.insert_many([{"serial": n, "tags": ["common"] if n % 9 else ["rare"]} for n in range(1, 1001)])

    async def lead(tag, width):
        return await SerialScan(some, {"tags": tag}, 1000).lead_of_range(None, 1000 - width)

    assert await lead("common", 900) == {}
    assert await lead("rare", 900) == {"tags": "rare"}
    assert await lead("rare", 100) == {}
