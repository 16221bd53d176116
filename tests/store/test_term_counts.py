"""The counts of words are mended, also while items change."""

import pytest

from catalog.domain.items import items
from catalog.domain.terms import item_terms
from catalog.store.derived import term_counts
from catalog.vocabulary import Kind
from tests.support.inputs import new_item
from tests.support.tenants import somebody


@pytest.fixture
async def ada(tenant):
    return await somebody(tenant)


@pytest.fixture
async def words(tenant, ada, monkeypatch):
    """The words of some items, counted right."""
    monkeypatch.setattr(term_counts, "SETTLED", 0)
    for kind in Kind:
        body = {"name": "a", "tags": ["é", "common", kind.value], "metadata": [{"name": "common", "value": 1}]}
        await items.create(ada, kind, new_item(**body))
    return await all_words(tenant)


async def all_words(tenant):
    found = [word for bound in (tenant.tags, tenant.metadata) async for word in bound.records.find({}).sort("_id")]
    return [(word["_id"], word["uses"], word["usage"], word["pieces"]) for word in found]


async def test_counts_of_words_that_are_right_are_let_be(tenant, words):
    assert await term_counts.repair(tenant) == 0

    assert await all_words(tenant) == words


async def test_counts_of_words_that_a_crash_left_wrong_are_mended(tenant, words):
    await tenant.tags.records.update_one({"_id": "common"}, {"$inc": {"uses": 2}})
    await tenant.metadata.records.update_one({"_id": "common"}, {"$inc": {"uses": -1}})
    await tenant.tags.records.delete_one({"_id": "models"})

    assert await term_counts.repair(tenant) == 3

    assert await all_words(tenant) == words


async def test_a_word_that_is_counted_a_moment_later_is_not_counted_twice(tenant, ada, words):
    await tenant.models.records.update_one({}, {"$push": {"tags": "new"}})

    async def counted_meanwhile(_seconds):
        await item_terms.count_uses(
            tenant, item_terms.NO_TERMS, item_terms.ItemTerms(frozenset({"new"}), frozenset()), ada.user
        )

    assert await term_counts.repair(tenant, pause=counted_meanwhile) == 0

    assert (await tenant.tags.get("new")).uses == 1
