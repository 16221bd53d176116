"""What a client of MLflow's API may not reach by a detour: limits of size, the quarantine, files and work of others."""

from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from catalog.vocabulary import Visibility
from tests.dialects.mlflow.test_artifacts import Parts
from tests.dialects.mlflow.wire import Wire, failure, wire_of
from tests.support.app import API_TOKEN, OURS, client_of_app, in_database

EVIL = b"cos\nsystem\n(S'id'\ntR."


def cut_all(folder: Path) -> None:
    for path in filter(Path.is_file, folder.rglob("*")):
        path.write_bytes(b"cut")


@pytest.fixture
def public(org, settings, mongo):
    """The same catalog on a server where what is created is public, and an upload has at most 1000 bytes."""

    @asynccontextmanager
    async def opened(*usernames):
        other = settings.model_copy(update={"max_upload_size": 1000, "default_visibility": Visibility.PUBLIC})
        async with client_of_app(other, in_database(mongo, f"{OURS}-catalogue"), started=True) as client:
            yield [Wire(client, org.as_(username)) for username in usernames]

    return opened


async def test_parts_together_are_no_larger_than_an_upload(public):
    async with public("ada") as [ada]:
        upload = Parts(ada, "runs/1/large.bin", 2)
        await upload.begin()
        await upload.send(1, bytes(600))
        await upload.send(2, bytes(401))

        answer = await upload.step("complete", upload_id=upload.id)
        smaller = await upload.step("complete", upload_id=upload.id, parts=[{"part_number": 1}])

    assert failure(answer)[:2] == (413, "INVALID_PARAMETER_VALUE")
    assert smaller.status_code == 200


async def test_a_suspicious_file_is_public_only_without_a_quarantine(org, public, ada, bob):
    async with public("ada") as [publishing]:
        await publishing.put_file("before/model.pkl", EVIL)
        body, operator = {"inspection": "quarantine"}, {"Authorization": API_TOKEN}
        await publishing.client.put(f"/v1/tenants/{org.name}", json=body, headers=operator)

        await publishing.put_file("after/model.pkl", EVIL)
        await publishing.put_file("after/good.txt", b"good")

    assert (await bob.get_file("before/model.pkl")).content == EVIL
    assert failure(await bob.get_file("after/model.pkl"))[:2] == (404, "RESOURCE_DOES_NOT_EXIST")
    assert await bob.list_files("after") == [("good.txt", 4)]
    assert [name for name, _ in await ada.list_files("after")] == ["good.txt", "model.pkl"]


async def test_a_version_has_no_files_that_another_user_added(org, public, ada):
    admin = wire_of(org, "admin")
    async with public("ada", "bob") as users:
        for user, path in zip(users, ("MLmodel", "code/evil.py"), strict=True):
            await user.put_file(f"runs/1/model/{path}", b"flavors: {}\n")
    await ada.model("iris")

    version = await ada.version("iris", "mlflow-artifacts:/runs/1/model")
    of_both = await admin.post("model-versions/create", name="iris", source="mlflow-artifacts:/runs/1/model")

    uri = (await ada.get("model-versions/get-download-uri", name="iris", version="1")).json()["artifact_uri"]
    assert version["status"] == "READY"
    assert await ada.list_files(uri.partition("/artifacts/")[2]) == [("MLmodel", 12)]
    assert failure(of_both)[:2] == (400, "INVALID_PARAMETER_VALUE")


async def test_lost_bytes_make_no_version(org, ada, settings):
    await ada.put_file("runs/1/weights.bin", b"weights")
    await ada.model("iris")
    cut_all(settings.upload_path / org.name)

    answer = await ada.post("model-versions/create", name="iris", source="mlflow-artifacts:/runs/1")

    assert failure(answer)[:2] == (500, "DATA_LOSS")
    assert "model_versions" not in (await ada.get("model-versions/search", filter="name='iris'")).json()


async def test_each_address_of_many_parts_is_for_its_part(ada):
    upload = Parts(ada, "runs/1/large.bin", 1000)

    await upload.begin()

    assert len(set(upload.urls)) == 1000
    assert (await upload.send(1000, b"last")).status_code == 200


async def test_a_search_of_versions_names_so_many_models_at_most(ada):
    await ada.model("m0")
    await ada.version("m0")
    many, too_many = (", ".join(f"'m{at}'" for at in range(count)) for count in (100, 101))

    found = await ada.get("model-versions/search", filter=f"name IN ({many}) AND name = 'm0'")
    refused = await ada.get("model-versions/search", filter=f"name IN ({too_many})")

    assert [version["name"] for version in found.json()["model_versions"]] == ["m0"]
    assert failure(refused)[:2] == (400, "INVALID_PARAMETER_VALUE")


async def test_an_editor_does_not_share_a_model_or_take_it_away(org, ada, bob):
    await ada.model("iris")
    body = {"editors": {"add": ["bob"]}}
    (await org.client.put("/v1/models/iris", json=body, headers=ada.headers)).raise_for_status()

    described = await bob.post("registered-models/set-tag", name="iris", key="team", value="vision")
    refused = [
        await bob.post("registered-models/set-tag", name="iris", key="catalog.visibility", value="public"),
        await bob.post("registered-models/set-tag", name="iris", key="catalog.users", value="eve"),
        await bob.send("DELETE", "registered-models/delete-tag", name="iris", key="catalog.visibility"),
        await bob.post("registered-models/rename", name="iris", new_name="rose"),
        await bob.send("DELETE", "registered-models/delete", name="iris"),
    ]

    assert described.status_code == 200
    assert {failure(answer)[:2] for answer in refused} == {(403, "PERMISSION_DENIED")}
    assert (await org.client.get("/v1/models/iris", headers=org.as_("eve"))).status_code != 200


@pytest.mark.parametrize("root", ["/api", "/ajax-api"])
async def test_the_journal_names_the_user_of_a_signed_address_and_does_not_hold_it(org, ada, app, root):
    upload = Parts(ada, "runs/1/large.bin", 1)
    await upload.begin()
    address = upload.urls[0].replace("/api/", f"{root}/")
    token = address.rpartition("/")[2]

    request_id = (await ada.client.put(address, content=b"part")).headers["X-Request-ID"]

    await app.state.journal.flush()
    record = await app.state.database.tenants.find_one({"_id": org.name})
    entry = await app.state.database.tenant(record).log.records.find_one({"request_id": request_id})
    assert (entry["user"], entry["path"]) == ("ada", f"{root}/2.0/mlflow-artifacts/signed/***")
    assert token not in str(entry)


async def test_the_tag_of_users_leaves_the_groups_of_a_model_alone(org, ada, bob):
    body = {"name": "readers", "members": ["eve"]}
    (await org.client.post("/v1/groups", json=body, headers=org.as_("admin"))).raise_for_status()
    await ada.model("iris")
    shared = {"users": {"add": ["readers"]}}
    (await org.client.put("/v1/models/iris", json=shared, headers=ada.headers)).raise_for_status()

    for value in ("bob", "admin"):
        (await ada.post("registered-models/set-tag", name="iris", key="catalog.users", value=value)).raise_for_status()
    (await ada.send("DELETE", "registered-models/delete-tag", name="iris", key="catalog.users")).raise_for_status()

    assert (await wire_of(org, "eve").get("registered-models/get", name="iris")).status_code == 200
    assert (await bob.get("registered-models/get", name="iris")).status_code == 404


async def test_what_the_inspection_found_of_artifacts_counts_for_the_versions_made_of_them(org, ada):
    await ada.put_file("run/model.pkl", EVIL)
    await ada.put_file("run/good.txt", b"good")
    await ada.model("iris")
    await ada.version("iris", "mlflow-artifacts:/run")
    await ada.version("iris", "models:/iris/1")
    answers = []

    for policy in ("quarantine", "reject"):
        body, operator = {"inspection": policy}, {"Authorization": API_TOKEN}
        await org.client.put(f"/v1/tenants/{org.name}", json=body, headers=operator)
        answers.append(await ada.post("model-versions/create", name="iris", source="mlflow-artifacts:/run"))

    versions = (await org.client.get("/v1/models/iris/versions", headers=ada.headers)).json()["docs"]
    shown = {each["ordinal"]: (each["state"], each["inspection"]["findings"][0]["where"]) for each in versions}
    assert shown == {str(n): ("QUARANTINED" if n == 3 else "LIVE", "model.pkl") for n in (1, 2, 3)}
    assert [answer.status_code for answer in answers] == [200, 400]
    assert "imports" in answers[1].json()["message"]
