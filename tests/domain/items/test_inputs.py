"""What the domain checks of its inputs, whatever dialect made them."""

import pytest

from catalog.domain.items import items
from catalog.domain.items.references import Reference
from catalog.domain.items.writing import changes
from catalog.errors import NOT_CHANGED, NOT_CREATED, Refused
from catalog.vocabulary import Kind, Status
from tests.support.inputs import item_change, new_item
from tests.support.tenants import somebody


@pytest.fixture
async def ada(tenant):
    return await somebody(tenant)


@pytest.mark.parametrize("trained", [{"status": Status.TEST}, {"datasets": ["flowers"]}], ids=["status", "datasets"])
async def test_a_dataset_gets_no_status_and_no_datasets(ada, trained):
    with pytest.raises(Refused) as refusal:
        await items.create(ada, Kind.DATASET, new_item(name="petals", **trained))

    assert refusal.value.fault is NOT_CREATED


async def test_nor_when_it_changes(ada):
    await items.create(ada, Kind.DATASET, new_item(name="petals"))

    for trained in ({"status": Status.TEST}, {"datasets": {"add": ["flowers"]}}):
        with pytest.raises(Refused) as refusal:
            await changes.change(ada, Kind.DATASET, Reference("petals"), item_change(**trained))
        assert refusal.value.fault is NOT_CHANGED
