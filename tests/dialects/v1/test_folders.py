"""Versions of many files over HTTP: a draft, its files, its close, and how it is fetched."""

import hashlib
import io
import zipfile
from urllib.parse import quote

import pytest

from catalog.domain.files.filenames import file_path
from catalog.errors import NOT_CREATED, Refused
from tests.dialects.http.test_archives import untarred, unzipped
from tests.dialects.v1.test_versions import KINDS, ordinals, refusal, shown, uploaded, versions_of
from tests.support.tenants import Organisation, organisation

FILES = {"MLmodel": b"flavors: {}\n", "data/model.pkl.txt": b"0123456789", "empty": b""}


@pytest.fixture(scope="module")
async def org(client) -> Organisation:
    return await organisation(client, "ada", "bob", "eve")


@pytest.fixture(scope="module")
async def other_org(client) -> Organisation:
    return await organisation(client, "ada")


@pytest.fixture
async def iris(client, org) -> str:
    """Where the versions of ada's model are. It is public."""
    return await versions_of(client, org, "models")


async def begun(client, org, url, **said) -> str:
    """The address of a new draft."""
    answer = await client.post(url, json={"draft": True, **said}, headers=org.as_("ada"))
    assert answer.status_code == 200, answer.text
    return f"{url}/{quote(answer.json()['ordinal'], safe='')}"


async def put(client, org, draft, path, data=b"data", who="ada", **headers):
    return await client.put(f"{draft}/files/{quote(path)}", content=data, headers=org.as_(who) | headers)


async def filled(client, org, url, files=FILES, **said) -> str:
    draft = await begun(client, org, url, **said)
    for path, data in files.items():
        answer = await put(client, org, draft, path, data)
        assert answer.status_code == 200, answer.text
    return draft


async def closed(client, org, url, files=FILES, **said) -> str:
    draft = await filled(client, org, url, files, **said)
    answer = await close(client, org, draft)
    assert answer.status_code == 200, answer.text
    return draft


async def test_the_tensors_of_a_file_are_listed(client, org, iris):
    header = b'{"w":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]}}'
    safetensors = len(header).to_bytes(8, "little") + header + bytes(8)
    version = await closed(client, org, iris, {"a/model.safetensors": safetensors, "MLmodel": b"flavors: {}"})

    async def tensors(path):
        return await client.get(f"{version}/tensors", params={"path": path}, headers=org.as_("bob"))

    found = (await tensors("a/model.safetensors")).json()
    assert found == {
        "format": "safetensors",
        "tensors": [{"name": "w", "dtype": "F32", "shape": [1, 2]}],
        "isWhole": True,
    }
    assert (await tensors("MLmodel")).json() == {"format": "", "tensors": [], "isWhole": True}
    assert [refusal(await tensors(path))[:2] for path in ("nowhere", "")] == [(404, 9), (400, 6)]


async def close(client, org, draft, who="ada"):
    return await client.post(f"{draft}/close", headers=org.as_(who))


async def info(client, org, version, who="ada"):
    answer = await client.get(f"{version}/info", headers=org.as_(who))
    assert answer.status_code == 200, answer.text
    return answer.json()


async def get(client, org, url, who="ada", **headers):
    return await client.get(url, headers=org.as_(who) | headers)


def digest(data):
    return hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize("kind", KINDS)
async def test_files_come_one_by_one_and_go_out_together(client, org, kind):
    url = await versions_of(client, org, kind)

    version = await closed(client, org, url, description="all of it", metadata=[{"name": "by", "value": "ada"}])

    answer = await get(client, org, version, who="bob")
    assert (answer.status_code, unzipped(answer.content)) == (200, FILES)
    assert answer.headers["content-type"] == "application/zip"
    assert answer.headers["content-disposition"] == 'attachment; filename="1.zip"'
    assert answer.headers["content-length"] == str(len(answer.content))
    told = await info(client, org, version)
    assert [told[field] for field in ("ordinal", "state", "folder", "file_count", "size", "description")] == [
        "1", "LIVE", True, 3, 22, "all of it",
    ]  # fmt: skip
    assert told["metadata"] == [{"name": "by", "value": "ada"}]
    assert {file["path"]: file["digest"] for file in told["files"]} == {
        path: digest(data) for path, data in FILES.items()
    }


async def test_the_digest_is_that_of_what_sha256sum_prints(client, org, iris):
    version = await closed(client, org, iris)

    printed = "".join(f"{digest(FILES[path])}  {path}\n" for path in sorted(FILES))
    assert (await info(client, org, version))["digest"] == digest(printed.encode())


@pytest.mark.parametrize(("suffix", "opened"), [("zip", unzipped), ("tar", untarred)])
async def test_an_archive_is_not_sent_again_to_a_client_that_has_it(client, org, iris, suffix, opened):
    version = await closed(client, org, iris)

    first = await get(client, org, f"{version}?archive={suffix}")
    again = await get(client, org, f"{version}?archive={suffix}", **{"If-None-Match": first.headers["etag"]})
    head = await client.head(f"{version}?archive={suffix}", headers=org.as_("ada"))

    assert opened(first.content) == FILES
    assert (again.status_code, again.content) == (304, b"")
    assert (head.headers["content-length"], head.content) == (str(len(first.content)), b"")
    assert refusal(await get(client, org, f"{version}?archive=rar")) == (400, 4, "archive: zip or tar is needed")


async def test_an_archive_has_some_of_the_files_by_path(client, org, iris):
    version = await closed(client, org, iris)
    paths = sorted(FILES, key=str.encode)

    parts = [await get(client, org, f"{version}?archive=zip&skip={skip}&limit=2") for skip in (0, 2, 9)]
    refused = [
        refusal(await get(client, org, f"{version}?archive=tar&{wrong}"))
        for wrong in ("limit=0", "limit=1001", "skip=-1")
    ]

    assert [sorted(unzipped(part.content), key=str.encode) for part in parts] == [paths[:2], paths[2:], []]
    assert len({part.headers["etag"] for part in parts}) == 3
    assert [status for status, *_ in refused] == [400] * 3


async def test_a_version_of_one_file_can_be_an_archive_too(client, org, iris):
    await uploaded(client, org, iris, b"weights", "iris.onnx")

    answer = await get(client, org, f"{iris}/1?archive=zip")

    assert unzipped(answer.content) == {"iris.onnx": b"weights"}


async def test_one_file_is_fetched_in_parts_too(client, org, iris):
    version = await closed(client, org, iris)

    whole = await get(client, org, f"{version}/files/data/model.pkl.txt", who="bob")
    part = await get(client, org, f"{version}/files/data/model.pkl.txt", who="bob", Range="bytes=2-4")

    assert (whole.status_code, whole.content) == (200, b"0123456789")
    assert whole.headers["content-disposition"] == 'attachment; filename="model.pkl.txt"'
    assert whole.headers["etag"] == f'"{digest(b"0123456789")}"'
    assert (part.status_code, part.content) == (206, b"234")
    assert refusal(await get(client, org, f"{version}/files/other")) == (404, 9, "other")


async def test_the_files_are_listed_by_pages(client, org, iris):
    version = await closed(client, org, iris)

    answer = (await get(client, org, f"{version}/files?limit=2&page=2", who="bob")).json()

    assert [file["path"] for file in answer["docs"]] == ["empty"]
    assert [answer[field] for field in ("totalDocs", "totalPages", "hasPrevPage", "hasNextPage")] == [3, 2, True, False]


async def test_a_form_brings_a_file_too(client, org, iris):
    draft = await begun(client, org, iris)

    answer = await client.put(
        f"{draft}/files/a/b.csv", files={"file": ("other.csv", b"1,2", "text/csv")}, headers=org.as_("ada")
    )

    assert answer.json() | {"format": "", "verdict": ""} == {
        "path": "a/b.csv", "original": "b.csv", "size": 3, "digest": digest(b"1,2"), "mimetype": "text/csv",
        "encoding": "7bit", "format": "", "verdict": "",
    }  # fmt: skip


async def test_while_it_is_a_draft_files_are_replaced_and_removed(client, org, iris):
    draft = await filled(client, org, iris)

    assert (await put(client, org, draft, "MLmodel", b"another")).status_code == 200
    removed = await client.delete(f"{draft}/files/empty", headers=org.as_("ada"))

    assert (removed.status_code, removed.json()["path"]) == (200, "empty")
    told = await info(client, org, draft)
    assert (told["state"], told["file_count"], told["size"]) == ("DRAFT", 2, len(b"another") + 10)
    assert {file["path"]: file["digest"] for file in told["files"]} == {
        "MLmodel": digest(b"another"),
        "data/model.pkl.txt": digest(b"0123456789"),
    }
    missing = await client.delete(f"{draft}/files/empty", headers=org.as_("ada"))
    assert refusal(missing) == (404, 9, "empty")


async def test_a_closed_version_never_changes(client, org, iris):
    version = await closed(client, org, iris)

    answers = [
        await put(client, org, version, "more"),
        await put(client, org, version, "MLmodel"),
        await client.delete(f"{version}/files/MLmodel", headers=org.as_("ada")),
        await close(client, org, version),
    ]

    assert [refusal(answer) for answer in answers] == [(409, 114, "1")] * 4
    assert unzipped((await get(client, org, version)).content) == FILES


async def test_an_uploaded_version_takes_no_files(client, org, iris):
    await uploaded(client, org, iris)

    assert refusal(await put(client, org, f"{iris}/1", "more")) == (409, 114, "1")


async def test_an_empty_draft_is_not_closed(client, org, iris):
    draft = await begun(client, org, iris)

    answer = await close(client, org, draft)

    assert refusal(answer) == (400, 8, "a version without files cannot be closed")
    assert (await info(client, org, draft))["state"] == "DRAFT"


async def test_a_file_that_is_a_folder_too_is_not_closed(client, org, iris):
    draft = await filled(client, org, iris, {"a": b"1", "a/b": b"2"})

    assert refusal(await close(client, org, draft)) == (400, 8, "a is a file, and a folder with files in it")


@pytest.mark.parametrize(
    "path",
    [
        *("../a", "a/../../b", "./a", "a/.", "a\\b", "C:/a", "a\nb", "a\0b", "gnp\u202etxt"),
        *("x" * 256, "/".join(["x" * 100] * 6)),
    ],
)
async def test_a_path_that_leads_elsewhere_is_refused(client, org, iris, path):
    draft = await begun(client, org, iris)

    answer = await client.put(f"{draft}/files/{quote(path, safe='')}", content=b"x", headers=org.as_("ada"))

    assert refusal(answer)[:2] == (400, 5), answer.text
    assert (await info(client, org, draft))["files"] == []


@pytest.mark.parametrize("path", ["", "/", "/etc/passwd", "a//b", "a/", "a/\ud800"])
def test_a_path_is_refused_that_the_routes_would_let_pass(path):
    with pytest.raises(Refused) as refused:
        file_path(path)

    assert refused.value.fault is NOT_CREATED


@pytest.mark.parametrize("path", ["a", "più 🌸/β.txt", "a?b#c%d", "100%", "x" * 255, ".hidden", "..."])
async def test_any_other_path_leads_back_to_its_file(client, org, iris, path):
    version = await closed(client, org, iris, {path: b"found"})

    answer = await get(client, org, f"{version}/files/{quote(path)}")

    assert (answer.status_code, answer.content) == (200, b"found")


async def test_a_draft_is_seen_by_users_who_may_change_the_item(client, org, iris, other_org):
    draft = await filled(client, org, iris, ordinal="soon")

    for path in (draft, f"{draft}/info", f"{draft}/files", f"{draft}/files/MLmodel"):
        assert refusal(await get(client, org, path, who="bob")) == (404, 9, "soon")
        assert refusal(await get(client, other_org, path))[:2] == (404, 9)
    assert refusal(await get(client, org, draft)) == (409, 115, "soon")
    assert (await get(client, org, f"{draft}/files/MLmodel", who="admin")).content == FILES["MLmodel"]
    assert (await get(client, org, iris, who="bob")).json()["totalDocs"] == 0
    assert [doc["state"] for doc in (await get(client, org, iris)).json()["docs"]] == ["DRAFT"]
    assert await ordinals(client, org, iris) == []


async def test_a_draft_hides_no_file_of_its_name(client, org, iris):
    await uploaded(client, org, iris, b"weights", "iris.onnx")
    await begun(client, org, iris, ordinal="iris.onnx")

    assert (await get(client, org, f"{iris}/iris.onnx", who="bob")).content == b"weights"
    assert refusal(await get(client, org, f"{iris}/iris.onnx"))[:2] == (409, 115)


async def test_a_reader_changes_nothing_of_a_folder(client, org, iris):
    draft = await filled(client, org, iris)
    item = iris.split("/")[3]

    answers = [
        await client.post(iris, json={"draft": True}, headers=org.as_("bob")),
        await put(client, org, draft, "more", who="bob"),
        await client.delete(f"{draft}/files/MLmodel", headers=org.as_("bob")),
        await close(client, org, draft, who="bob"),
    ]

    assert [refusal(answer) for answer in answers] == [(403, 12, item)] * 4
    assert (await info(client, org, draft))["file_count"] == 3


async def test_an_item_shows_a_folder_as_its_archive(client, org, iris):
    version = await closed(client, org, iris, ordinal="v2")

    [version] = (await shown(client, org, iris))["versions"]

    assert [version[field] for field in ("ordinal", "original", "mimetype", "size", "file_count", "state")] == [
        "v2", "v2.zip", "application/zip", 22, 3, "LIVE",
    ]  # fmt: skip


async def test_the_name_of_a_file_inside_does_not_stand_for_the_folder(client, org, iris):
    await closed(client, org, iris)

    assert refusal(await get(client, org, f"{iris}/MLmodel")) == (404, 9, "MLmodel")


async def test_a_draft_is_given_up_by_removing_it(client, org, iris):
    draft = await filled(client, org, iris)

    assert (await client.delete(draft, headers=org.as_("ada"))).status_code == 200

    assert refusal(await put(client, org, draft, "more")) == (404, 9, "1")
    assert (await uploaded(client, org, iris))["ordinal"] == "2"


async def test_a_wish_that_is_none_is_explained(client, org, iris):
    for body in ({}, {"draft": False}, {"draft": True, "digest": "x"}, ["draft"], {"description": "a"}):
        answer = await client.post(iris, json=body, headers=org.as_("ada"))

        assert refusal(answer)[:2] == (400, 5)
        assert answer.json()["details"].startswith("Missing file: send a form")
    answer = await client.post(iris, json={"draft": True, "colour": "red"}, headers=org.as_("ada"))
    assert refusal(answer) == (400, 5, "Unknown field (colour)")


async def test_a_json_file_with_a_name_is_a_file(client, org, iris):
    answer = await client.post(f"{iris}?name=config.json", json={"draft": True}, headers=org.as_("ada"))

    [version] = answer.json()["versions"]
    assert (version["original"], version["mimetype"]) == ("config.json", "application/json")


async def test_the_bytes_of_a_folder_are_checked_as_they_come(client, org, iris):
    draft = await begun(client, org, iris)

    answer = await put(client, org, draft, "a", b"data", **{"Repr-Digest": f"sha-256={'0' * 64}"})

    assert refusal(answer)[:2] == (400, 106)
    assert (await info(client, org, draft))["files"] == []


async def test_a_zip_of_hundreds_of_files_holds_them_all(client, org, iris):
    files = {f"shards/{number:03}": bytes([number % 256]) * number for number in range(300)}
    version = await begun(client, org, iris)
    for some in ([*files.items()][::2], [*files.items()][1::2]):
        form = [("file", file) for file in some]
        (await client.post(f"{version}/files", files=form, headers=org.as_("ada"))).raise_for_status()
    (await close(client, org, version)).raise_for_status()

    answer = await get(client, org, version)

    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert len(archive.namelist()) == 300
    assert unzipped(answer.content) == files
