"""The artifact service: a tree of paths, uploads in parts, signed addresses, and versions made of paths."""

import asyncio
import hashlib

import httpx
import pytest

from tests.dialects.http.test_redirected import in_a_bucket
from tests.dialects.mlflow.wire import ARTIFACTS, failure, wire_of
from tests.support.app import API_TOKEN
from tests.support.serving import SOON
from tests.support.tenants import organisation


async def test_a_file_is_put_read_listed_and_deleted(ada):
    put = await ada.put_file("runs/1/model/weights.bin", b"weights")
    await ada.put_file("runs/1/MLmodel", b"flavors: {}\n", **{"Content-Type": "text/plain"})
    await ada.put_file("runs/10/other", b"x")

    whole = await ada.get_file("runs/1/model/weights.bin")
    part = await ada.get_file("runs/1/model/weights.bin", Range="bytes=2-4")
    listed = [await ada.list_files(path) for path in ("", "runs", "runs/1", "runs/1/model", "nothing")]
    deleted = await ada.client.delete(f"{ARTIFACTS}/artifacts/runs/1", headers=ada.headers)

    assert (put.status_code, put.json()) == (200, {})
    assert whole.content == b"weights"
    assert whole.headers["Content-Disposition"].startswith("attachment")
    assert whole.headers["Accept-Ranges"] == "bytes"
    assert (part.status_code, part.content) == (206, b"igh")
    assert listed == [
        [("runs", None)],
        [("1", None), ("10", None)],
        [("MLmodel", 12), ("model", None)],
        [("weights.bin", 7)],
        [],
    ]
    assert deleted.json() == {}
    assert await ada.list_files("runs") == [("10", None)]


async def test_a_file_is_replaced_and_a_large_folder_is_listed_whole(ada):
    await asyncio.gather(*(ada.put_file(f"many/{at // 30:02}/{at}", b"x") for at in range(90)))
    await ada.put_file("many/00/1", b"other")

    folders = await ada.list_files("many")
    files = await ada.list_files("many/00")

    assert folders == [("00", None), ("01", None), ("02", None)]
    assert len(files) == 30
    assert ("1", 5) in files


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("a/%2e%2e/b", 400),
        ("a/%252e%252e/b", 400),
        ("a%5Cb", 400),
        ("a%23b", 400),
        ("%2Fetc/passwd", 400),
        ("a%00b", 400),
        ("C:/x", 400),
        ("x" * 300, 400),
        ("versions/65f000000000000000000000/x", 400),
        ("file/in-a-file", 400),
        ("folder", 400),
    ],
)
async def test_a_path_that_cannot_be_is_refused(ada, path, status):
    await ada.put_file("file", b"x")
    await ada.put_file("folder/file", b"x")

    answer = await ada.put_file(path, b"bytes")

    assert failure(answer)[:2] == (status, "INVALID_PARAMETER_VALUE")


async def test_a_folder_and_what_is_missing_are_not_read(ada):
    await ada.put_file("folder/file", b"x")

    folder = await ada.get_file("folder")
    missing = await ada.get_file("folder/other")
    versions = await ada.get_file("versions/nothing/x")
    deleted = await ada.client.delete(f"{ARTIFACTS}/artifacts/nothing", headers=ada.headers)

    assert failure(folder)[:2] == (400, "INVALID_PARAMETER_VALUE")
    assert {failure(each)[:2] for each in (missing, versions, deleted)} == {(404, "RESOURCE_DOES_NOT_EXIST")}


async def test_several_slashes_of_a_path_are_one_however_they_are_encoded(ada):
    for path in ("odd//plain", "odd%2F%2Fencoded", "odd/%252Ftwice"):
        assert (await ada.put_file(path, b"x")).status_code == 200

    assert await ada.list_files("odd//") == [("encoded", 1), ("plain", 1), ("twice", 1)]
    assert (await ada.get_file("odd%2F%2Fplain")).content == b"x"


async def test_files_of_others_are_not_there_and_not_replaced(ada, bob):
    await ada.put_file("shared/ada", b"ada's")
    await bob.put_file("shared/bob", b"bob's")

    read = await bob.get_file("shared/ada")
    replaced = await bob.put_file("shared/ada", b"bob's")
    deleted = await bob.client.delete(f"{ARTIFACTS}/artifacts/shared/ada", headers=bob.headers)

    assert failure(read)[:2] == (404, "RESOURCE_DOES_NOT_EXIST")
    assert failure(replaced)[:2] == (403, "PERMISSION_DENIED")
    assert failure(deleted)[:2] == (404, "RESOURCE_DOES_NOT_EXIST")
    assert await bob.list_files("shared") == [("bob", 5)]
    assert (await ada.get_file("shared/ada")).content == b"ada's"


async def test_another_tenant_has_a_tree_of_its_own(ada, other_org):
    await ada.put_file("model/weights", b"here")
    stranger = wire_of(other_org, "ada")

    await stranger.put_file("model/weights", b"there")

    assert (await ada.get_file("model/weights")).content == b"here"
    assert (await stranger.get_file("model/weights")).content == b"there"


@pytest.mark.parametrize(
    "source",
    ["mlflow-artifacts:/runs/1/model", "http://catalog/api/2.0/mlflow-artifacts/artifacts/runs/1/model"],
)
async def test_a_version_of_a_path_names_the_same_bytes(org, ada, source):
    await ada.put_file("runs/1/model/MLmodel", b"flavors: {}\n")
    await ada.put_file("runs/1/model/data/weights.bin", b"weights")
    await ada.model("iris")

    version = await ada.version("iris", source)
    await ada.client.delete(f"{ARTIFACTS}/artifacts/runs", headers=ada.headers)

    uri = (await ada.get("model-versions/get-download-uri", name="iris", version="1")).json()["artifact_uri"]
    path = uri.partition("/mlflow-artifacts/artifacts/")[2]
    assert version["source"] == source
    assert uri.startswith("http://catalog/api/2.0/mlflow-artifacts/artifacts/versions/")
    assert await ada.list_files(path) == [("MLmodel", 12), ("data", None)]
    assert await ada.list_files(f"{path}/data") == [("weights.bin", 7)]
    assert (await ada.get_file(f"{path}/data/weights.bin")).content == b"weights"
    native = await org.client.get("/v1/models/iris/versions/1/files/data/weights.bin", headers=ada.headers)
    assert native.content == b"weights"


async def test_an_mlmodel_describes_its_version_and_is_the_card_until_there_is_a_readme(org, ada):
    mlmodel = b"flavors: {sklearn: {sklearn_version: 1.9.1}}\nmodel_size_bytes: 7\nmlflow_version: 3.17.2\n"
    await ada.put_file("runs/1/model/MLmodel", mlmodel)
    await ada.model("iris")

    version = await ada.version("iris", "mlflow-artifacts:/runs/1/model", tags=[{"key": "k", "value": "v"}])
    first = await org.client.get("/v1/models/iris/card", headers=ada.headers)
    await ada.put_file("runs/1/model/README.md", b"# Iris\n")
    await ada.version("iris", "mlflow-artifacts:/runs/1/model")
    second = await org.client.get("/v1/models/iris/card", headers=ada.headers)

    native = (await org.client.get("/v1/models/iris/versions/1/info", headers=ada.headers)).json()
    metadata = {pair["name"]: pair["value"] for pair in native["metadata"]}
    assert metadata == {
        "k": "v",
        "mlmodel.flavors": "sklearn",
        "mlmodel.model_size_bytes": 7,
        "mlmodel.mlflow_version": "3.17.2",
    }
    assert version["tags"] == [{"key": "k", "value": "v"}]
    assert "loads as `sklearn` `1.9.1`" in first.json()["text"]
    assert second.json()["text"] == "# Iris\n"
    found = await ada.get("model-versions/search", filter="tags.`mlmodel.flavors` LIKE '%sklearn%'")
    assert len(found.json()["model_versions"]) == 2


async def test_a_version_of_one_file_is_a_version_of_one_file(org, ada):
    await ada.put_file("models/weights.bin", b"weights")
    await ada.model("iris")

    await ada.version("iris", "mlflow-artifacts:/models/weights.bin")

    native = await org.client.get("/v1/models/iris/versions/1", headers=ada.headers)
    assert native.content == b"weights"


async def test_the_files_of_a_version_pushed_natively_are_listed_and_read(org, ada, bob):
    await ada.model("iris")
    await org.client.post(
        "/v1/models/iris/versions", params={"name": "weights.bin"}, content=b"weights", headers=ada.headers
    )
    version = (await ada.get("model-versions/get", name="iris", version="1")).json()["model_version"]
    path = version["source"].partition("/mlflow-artifacts/artifacts/")[2]

    listed = await ada.list_files(path)
    read = await ada.get_file(f"{path}/weights.bin")
    of_stranger = [await bob.get_file(f"{path}/weights.bin"), await bob.get_file(path)]

    assert listed == [("weights.bin", 7)]
    assert read.content == b"weights"
    assert {failure(answer)[:2] for answer in of_stranger} == {(404, "RESOURCE_DOES_NOT_EXIST")}


async def test_a_copy_of_a_version_names_the_same_bytes(ada):
    await ada.put_file("runs/1/weights.bin", b"weights")
    await ada.model("iris")
    await ada.version("iris", "mlflow-artifacts:/runs/1", run_id="r1")
    await ada.version("iris", "s3://bucket/model")
    await ada.post("registered-models/alias", name="iris", alias="champion", version="1")
    await ada.model("copy")

    copies = [
        await ada.version("copy", source)
        for source in ("models:/iris/1", "models:/iris@champion", "models:/iris/latest", "models:/iris/2")
    ]
    missing = await ada.post("model-versions/create", name="copy", source="models:/iris/9")

    assert [copy["source"] for copy in copies] == [
        "models:/iris/1",
        "models:/iris/1",
        "models:/iris/2",
        "models:/iris/2",
    ]
    assert [copy["run_id"] for copy in copies] == ["r1", "r1", "", ""]
    uris = [
        (await ada.get("model-versions/get-download-uri", name="copy", version=str(at))).json()["artifact_uri"]
        for at in (1, 2, 3)
    ]
    assert uris[2] == "s3://bucket/model"
    assert await ada.list_files(uris[1].partition("/artifacts/")[2]) == [("weights.bin", 7)]
    assert failure(missing)[:2] == (404, "RESOURCE_DOES_NOT_EXIST")


@pytest.mark.parametrize(
    "source",
    [
        "/home/ada/model",
        "model",
        "file:///home/ada/model",
        "C:\\model",
        "s3://bucket/../other",
        "s3://bucket/%2e%2e/other",
        "s3://bucket/%252E%252e/other",
        "s3://bucket/a\0b",
        "models:/",
        "models:/iris",
        "http://[bad",
        "s3://" + "x" * 5000,
    ],
)
async def test_a_source_that_means_nothing_here_is_refused(ada, source):
    await ada.model("iris")

    answer = await ada.post("model-versions/create", name="iris", source=source)

    assert failure(answer)[:2] == (400, "INVALID_PARAMETER_VALUE")


@pytest.mark.parametrize(
    "source",
    [
        "s3://bucket/model",
        "runs:/abc/model",
        "models:/m-0123abcd",
        "mlflow-artifacts:/not/here",
        "mlflow-artifacts://elsewhere/runs/1",
        "https://models.example.org/iris",
        "hf://org/model",
    ],
)
async def test_a_source_elsewhere_is_kept_and_returned_as_it_is(ada, source):
    await ada.model("iris")

    version = await ada.version("iris", source)

    uri = await ada.get("model-versions/get-download-uri", name="iris", version="1")
    assert (version["source"], uri.json()["artifact_uri"]) == (source, source)


async def test_a_path_of_this_server_that_is_not_there_makes_no_version(ada):
    await ada.model("iris")

    answer = await ada.post(
        "model-versions/create", name="iris", source="http://catalog/api/2.0/mlflow-artifacts/artifacts/nothing"
    )

    assert failure(answer)[:2] == (404, "RESOURCE_DOES_NOT_EXIST")


async def test_files_in_a_bucket_arrive_in_parts_become_a_version_and_are_fetched_from_the_storage(s3, mongo, tmp_path):
    async with in_a_bucket(s3, mongo, tmp_path) as client:
        org = await organisation(client, "ada")
        ada = wire_of(org, "ada")
        upload = Parts(ada, "runs/1/model/large.bin", 2)
        await upload.begin()
        for number, content in enumerate((b"large", b" file"), 1):
            await upload.send(number, content)
        await upload.step("complete", upload_id=upload.id)
        await ada.put_file("runs/1/model/MLmodel", b"flavors: {sklearn: {}}\n")
        await ada.model("iris")

        version = await ada.version("iris", "mlflow-artifacts:/runs/1/model")
        await client.delete(f"{ARTIFACTS}/artifacts/runs", headers=ada.headers)

        uri = (await ada.get("model-versions/get-download-uri", name="iris", version="1")).json()["artifact_uri"]
        path = uri.partition("/artifacts/")[2]
        answers = [
            await client.get(f"{ARTIFACTS}/presigned/{path}/large.bin", headers=ada.headers),
            await ada.get_file(f"{path}/large.bin"),
        ]
        async with httpx.AsyncClient(timeout=SOON) as anybody:
            addresses = [answers[0].json()["url"], answers[1].headers["location"]]
            fetched = [(await anybody.get(url, headers={"Range": "bytes=3-6"})).content for url in addresses]
    assert version["status"] == "READY"
    assert fetched == [b"ge f", b"ge f"]
    assert answers[0].json()["file_size"] == 10


class Parts:
    """An upload in parts."""

    def __init__(self, ada, path: str, count: int) -> None:
        self.ada = ada
        self.folder, _, self.name = path.rpartition("/")
        self.count = count

    async def step(self, step: str, **fields) -> httpx.Response:
        return await self.ada.client.post(
            f"{ARTIFACTS}/mpu/{step}/{self.folder}",
            json={"path": f"/home/ada/{self.name}", **fields},
            headers=self.ada.headers,
        )

    async def begin(self) -> None:
        answer = (await self.step("create", num_parts=self.count)).raise_for_status().json()
        self.id, self.urls = answer["upload_id"], [each["url"] for each in answer["credentials"]]

    async def send(self, number: int, content: bytes) -> httpx.Response:
        """Without the Authorization of the user, as MLflow's client does."""
        return await self.ada.client.put(self.urls[number - 1], content=content)


async def test_a_file_arrives_in_parts_in_any_order(ada):
    upload = Parts(ada, "runs/1/large.bin", 3)
    await upload.begin()

    sent = [await upload.send(number, bytes([number]) * 1000) for number in (3, 1, 2)]
    await upload.send(1, b"again")
    etags = {3: sent[0], 1: sent[1], 2: sent[2]}
    parts = [{"part_number": number, "etag": etags[number].headers["ETag"]} for number in (1, 2, 3)]
    completed = [await upload.step("complete", upload_id=upload.id, parts=parts) for _ in range(2)]

    assert [answer.json() for answer in completed] == [{}, {}]
    content = (await ada.get_file("runs/1/large.bin")).content
    assert content == b"\1" * 1000 + b"\2" * 1000 + b"\3" * 1000


async def test_parts_take_no_room_after_the_file_is_complete_or_given_up(org, ada):
    for step in ("complete", "abort"):
        upload = Parts(ada, f"runs/{step}.bin", 2)
        await upload.begin()
        await upload.send(1, f"one {step}".encode())
        await upload.send(2, b"two")
        await upload.step(step, upload_id=upload.id)

    usage = (await org.client.get("/v1/usage", headers=org.as_("admin"))).json()
    assert usage["bytes"] == len("one complete" + "two")


@pytest.mark.parametrize("arrived", [(1, 3), ()])
@pytest.mark.parametrize("parts", [[{"part_number": 2}], [{"part_number": 1, "etag": "0" * 64}], []])
async def test_an_upload_that_lacks_a_part_is_not_completed(ada, parts, arrived):
    upload = Parts(ada, "runs/1/large.bin", 3)
    await upload.begin()
    for number in arrived:
        await upload.send(number, b"one")

    answer = await upload.step("complete", upload_id=upload.id, parts=parts)

    assert failure(answer)[:2] == (400, "INVALID_PARAMETER_VALUE")
    assert await ada.list_files("runs/1") == []


async def test_an_upload_belongs_to_its_user_and_its_path(ada, bob):
    upload = Parts(ada, "runs/1/large.bin", 1)
    await upload.begin()
    await upload.send(1, b"one")
    of_bob = Parts(bob, "runs/1/large.bin", 1)
    elsewhere = Parts(ada, "runs/2/large.bin", 1)

    answers = [await each.step("complete", upload_id=upload.id) for each in (of_bob, elsewhere)]
    await of_bob.step("abort", upload_id=upload.id)
    forged = await ada.client.put(f"{upload.urls[0][:-4]}abcd", content=b"x")

    assert {failure(answer)[:2] for answer in answers} == {(404, "RESOURCE_DOES_NOT_EXIST")}
    assert failure(forged)[:2] == (403, "PERMISSION_DENIED")
    assert (await upload.step("complete", upload_id=upload.id)).status_code == 200


async def test_the_addresses_of_parts_end_with_the_user(org, ada):
    await org.hire("carol")
    upload = Parts(wire_of(org, "carol"), "runs/1/large.bin", 1)
    await upload.begin()

    await org.client.delete("/v1/users/carol", headers=org.as_("admin"))

    assert failure(await upload.send(1, b"one"))[:2] == (403, "PERMISSION_DENIED")


@pytest.mark.parametrize("count", [0, -1, 10_001])
async def test_a_number_of_parts_that_cannot_be_is_refused(ada, count):
    answer = await Parts(ada, "runs/1/large.bin", count).step("create", num_parts=count)

    assert failure(answer)[:2] == (400, "INVALID_PARAMETER_VALUE")


async def test_a_presigned_address_serves_ranges_without_credentials(ada, bob):
    await ada.put_file("runs/1/weights.bin", b"weights")

    answer = await ada.client.get(f"{ARTIFACTS}/presigned/runs/1/weights.bin", headers=ada.headers)
    of_bob = await bob.client.get(f"{ARTIFACTS}/presigned/runs/1/weights.bin", headers=bob.headers)

    presigned = answer.json()
    part = await ada.client.get(presigned["url"], headers={"Range": "bytes=0-1"})
    assert presigned["file_size"] == 7
    assert (part.status_code, part.content) == (206, b"we")
    assert failure(await ada.client.put(presigned["url"], content=b"x"))[:2] == (403, "PERMISSION_DENIED")
    assert failure(of_bob)[:2] == (404, "RESOURCE_DOES_NOT_EXIST")


async def test_bytes_of_the_tree_are_not_swept_and_removed_ones_are(org, ada):
    await ada.put_file("kept", b"kept bytes")
    await ada.put_file("dropped", b"dropped bytes")
    await ada.client.delete(f"{ARTIFACTS}/artifacts/dropped", headers=ada.headers)

    swept = await org.client.post(
        "/v1/sweep",
        params={"tenant": org.name, "grace": "10m", "dry_run": "true"},
        headers={"Authorization": API_TOKEN},
    )

    assert swept.is_success
    assert (await ada.get_file("kept")).content == b"kept bytes"


async def test_a_digest_is_checked(ada):
    right = hashlib.sha256(b"weights").hexdigest()

    good = await ada.put_file("a", b"weights", Digest=f"sha-256={right}")
    wrong = await ada.put_file("b", b"other", Digest=f"sha-256={right}")

    assert good.status_code == 200
    assert failure(wrong)[:2] == (400, "INVALID_PARAMETER_VALUE")


async def test_the_files_of_a_removed_user_go_to_the_new_owner_or_away(org, ada):
    await org.hire("carol", "dave")
    for user in ("carol", "dave"):
        await wire_of(org, user).put_file(f"{user}/file", b"bytes")

    for user, params in (("carol", {"transfer": "ada"}), ("dave", {})):
        answer = await org.client.delete(f"/v1/users/{user}", params=params, headers=org.as_("admin"))
        answer.raise_for_status()

    assert (await ada.get_file("carol/file")).content == b"bytes"
    assert failure(await wire_of(org, "admin").get_file("dave/file"))[:2] == (404, "RESOURCE_DOES_NOT_EXIST")
