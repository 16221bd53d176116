"""The license of models, datasets and algorithms."""

import pytest

from catalog.client.results import Item


@pytest.mark.parametrize("kind", ["models", "datasets", "algorithms"])
async def test_an_item_has_a_license_that_can_be_filtered_selected_and_changed(client, org, kind):
    headers = org.as_("ada")
    made = await client.post(f"/v1/{kind}", json={"name": "iris", "license": "MIT"}, headers=headers)
    await client.post(f"/v1/{kind}", json={"name": "other"}, headers=headers)
    query = {"filter": '{"license": "MIT"}', "select": '["license"]'}

    found = (await client.get(f"/v1/{kind}", params=query, headers=headers)).json()["docs"]
    changed = (await client.put(f"/v1/{kind}/iris", json={"license": "Apache-2.0"}, headers=headers)).json()
    plain = (await client.get(f"/v1/{kind}/other", headers=headers)).json()
    too_long = await client.put(f"/v1/{kind}/iris", json={"license": "x" * 256}, headers=headers)

    assert made.json()["license"] == "MIT"
    assert [(each["_id"], each["license"]) for each in found] == [(made.json()["_id"], "MIT")]
    assert (changed["license"], plain["license"]) == ("Apache-2.0", "")
    assert Item.of(changed).license == "Apache-2.0"
    assert (too_long.status_code, too_long.json()["value"]) == (400, 8)
