"""The routes of the demo: for administrators of one tenant, and only with DEMO."""

import httpx
import pytest

from tests.support.app import API_TOKEN, OURS, PASSWORD, client_of_app, in_database, settings_in
from tests.support.tenants import Organisation, organisation

TENANT = f"{OURS}-demonstration"


@pytest.fixture(scope="module")
async def demonstrating(app, mongo, tmp_path_factory):
    """A client of a server with DEMO, on the database of `app`."""
    folder = tmp_path_factory.mktemp("demo")
    settings = settings_in(folder, "demonstration", DEMO="true", DEFAULT_TENANT_DEMO=TENANT)
    async with client_of_app(settings, in_database(mongo, f"{OURS}-catalogue")) as client:
        yield client


@pytest.fixture(scope="module")
async def admin(demonstrating: httpx.AsyncClient) -> dict[str, str]:
    body = {"_id": TENANT, "email": "info@example.org", "admin_username": "admin", "admin_password": PASSWORD}
    (await demonstrating.post("/v1/tenants", json=body, headers={"Authorization": API_TOKEN})).raise_for_status()
    return await Organisation(demonstrating, TENANT).sign_in("admin")


async def test_the_demo_is_made_shown_and_taken_away_whole(demonstrating, admin):
    empty = (await demonstrating.get("/v1/demo", headers=admin)).json()

    made = await demonstrating.post("/v1/demo", params={"models": 1}, headers=admin)
    again = await demonstrating.post("/v1/demo", params={"models": 1}, headers=admin)
    shown = (await demonstrating.get("/v1/demo", headers=admin)).json()
    removed = await demonstrating.delete("/v1/demo", headers=admin)

    assert {name: len(things) for name, things in empty.items()} == {
        "users": 1,
        "tags": 0,
        "metadata": 0,
        "datasets": 0,
        "models": 0,
    }
    assert (made.status_code, made.json()["items"]) == (200, 3)
    assert again.json() == {"ok": True, "people": 0, "items": 0, "versions": 0, "skipped": []}
    assert [model["name"] for model in shown["models"]] == ["leaf-disease-base"]
    assert [dataset["name"] for dataset in shown["datasets"]] == ["vineyard-leaves"]
    assert "vision" in {tag["_id"] for tag in shown["tags"]}
    assert removed.json() == {"ok": True, "people": made.json()["people"], "items": 3, "kept": []}
    assert (await demonstrating.get("/v1/demo", headers=admin)).json() == empty


@pytest.mark.parametrize("models", ["0", "501", "many", "²", "1" * 5000])
async def test_a_number_of_models_that_is_not_possible_is_refused(demonstrating, admin, models):
    refused = await demonstrating.post("/v1/demo", params={"models": models}, headers=admin)

    assert refused.status_code == 400
    assert "models" in refused.json()["details"]


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
async def test_another_tenant_has_no_demo(demonstrating, method):
    other = await organisation(demonstrating)

    refused = await demonstrating.request(method, "/v1/demo", headers=other.as_("admin"))

    assert (refused.status_code, refused.json()["value"]) == (403, 15)
    assert TENANT in refused.json()["details"]


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
async def test_without_the_setting_there_is_no_such_route(client, org, method):
    refused = await client.request(method, "/v1/demo", headers=org.as_("admin"))
    unknown = await client.request(method, "/v1/no-such-route", headers=org.as_("admin"))

    assert (refused.status_code, refused.json()["value"]) == (404, unknown.json()["value"])
