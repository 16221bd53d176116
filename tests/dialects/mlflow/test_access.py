"""Who is who for MLflow's clients: Basic authentication, tokens, workspaces, and addresses behind a proxy."""

import asyncio

import pytest

from catalog.dialects.http.passwords import Passwords
from tests.dialects.mlflow.wire import REGISTRY, Wire, basic, failure
from tests.permissions.world import access_token
from tests.support.app import PASSWORD, in_database, settings_in
from tests.support.app import client_of_app as client_of


async def status(org, headers: dict[str, str]) -> int:
    return (await org.client.get(f"{REGISTRY}/registered-models/search", headers=headers)).status_code


async def test_a_user_signs_in_with_tenant_name_and_password(org):
    right = basic(f"{org.name}/ada")

    answers = [
        await status(org, headers)
        for headers in (
            right,
            basic(f"{org.name}/ada", "wrong"),
            basic(f"{org.name}/nobody"),
            basic("nowhere/ada"),
            basic("ada"),
            basic("ada") | {"X-MLFLOW-WORKSPACE": org.name},
            {"Authorization": "Basic ???"},
        )
    ]

    assert answers == [200, 401, 401, 401, 401, 200, 401]


async def test_a_personal_token_is_a_password_of_its_user(org, ada):
    headers = await access_token(org.client, ada.headers, "write", "mlflow")
    token = headers["Authorization"].removeprefix("Bearer ")

    answers = [await status(org, basic(name, token)) for name in (f"{org.name}/ada", "ada", "", "bob", "elsewhere/ada")]

    assert answers == [200, 200, 200, 401, 401]


async def test_basic_is_for_this_dialect_only(org):
    answer = await org.client.get("/v1/models", headers=basic(f"{org.name}/ada"))

    assert answer.status_code == 401


async def test_a_password_is_verified_once_for_many_requests(org, monkeypatch):
    verified = []
    verify = Passwords._verify

    async def counted(self, *arguments):
        verified.append(arguments)
        return await verify(self, *arguments)

    monkeypatch.setattr(Passwords, "_verify", counted)

    answers = await asyncio.gather(*(status(org, basic(f"{org.name}/ada")) for _ in range(8)))

    assert answers == [200] * 8
    assert len(verified) == 1


async def test_a_changed_password_ends_what_was_remembered(org):
    headers = basic(f"{org.name}/bob")
    before = await status(org, headers)
    change = {"password": "Other-Pass-2"}

    (await org.client.put(f"/v1/users/{org.ids['bob']}", json=change, headers=org.as_("admin"))).raise_for_status()

    after = [await status(org, headers), await status(org, basic(f"{org.name}/bob", "Other-Pass-2"))]
    assert (before, after) == (200, [401, 200])


async def test_a_removed_user_is_refused(org):
    await org.hire("carol")
    headers = basic(f"{org.name}/carol")
    before = await status(org, headers)

    await org.client.delete("/v1/users/carol", headers=org.as_("admin"))

    assert (before, await status(org, headers)) == (200, 401)


async def test_the_workspace_must_be_that_of_the_credentials(org, other_org, ada):
    own = await status(org, ada.headers | {"X-MLFLOW-WORKSPACE": org.name})
    other = await org.client.get(
        f"{REGISTRY}/registered-models/search", headers=ada.headers | {"X-MLFLOW-WORKSPACE": other_org.name}
    )
    listed = await org.client.get("/api/3.0/mlflow/workspaces", headers=ada.headers)
    missing = await org.client.get(f"/api/3.0/mlflow/workspaces/{other_org.name}", headers=ada.headers)

    assert own == 200
    assert failure(other)[:2] == (403, "PERMISSION_DENIED")
    assert [workspace["name"] for workspace in listed.json()["workspaces"]] == [org.name]
    assert failure(missing)[:2] == (404, "RESOURCE_DOES_NOT_EXIST")


async def test_what_the_server_can_do_is_said_without_credentials(org):
    info = (await org.client.get("/api/3.0/mlflow/server-info")).json()
    healthy = await org.client.get("/health")

    assert info["workspaces_enabled"] is True
    assert info["multipart_uploads_enabled"] is True
    assert (healthy.status_code, healthy.text) == (200, "OK")


@pytest.mark.parametrize(
    ("settings", "headers", "address"),
    [
        ({}, {}, "http://catalog/api/"),
        ({"PUBLIC_URL": "https://models.example.org/catalog"}, {}, "https://models.example.org/catalog/api/"),
        (
            {"TRUSTED_PROXIES": "127.0.0.1"},
            {"X-Forwarded-Prefix": "/t/acme", "X-Forwarded-Proto": "https"},
            "https://catalog/t/acme/api/",
        ),
        ({}, {"X-Forwarded-Prefix": "/t/acme", "X-Forwarded-Proto": "https"}, "http://catalog/api/"),
    ],
)
async def test_addresses_are_those_that_the_client_can_reach(mongo, tmp_path, settings, headers, address):
    own = settings_in(tmp_path, tmp_path.name.replace("_", "-")[-20:], **settings)
    async with client_of(own, in_database(mongo, f"{own.default_tenant}-catalogue"), started=True) as client:
        signed_in = await client.post("/v1/login", json={"username": "admin", "password": PASSWORD})
        admin = Wire(client, {"Authorization": signed_in.json()["token"]} | headers)
        await admin.model("iris")
        push = {"params": {"name": "weights.bin"}, "content": b"weights", "headers": admin.headers}
        await client.post("/v1/models/iris/versions", **push)

        uri = (await admin.get("model-versions/get-download-uri", name="iris", version="1")).json()["artifact_uri"]
        made_of_it = await admin.version("iris", uri)

    assert uri.startswith(f"{address}2.0/mlflow-artifacts/artifacts/versions/")
    assert made_of_it["source"] == uri
