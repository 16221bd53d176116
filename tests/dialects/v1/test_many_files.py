"""Many small files for a draft in one request, each answered for on its own."""

import hashlib
from base64 import b64encode

import pytest

from catalog.dialects.v1.versions.transfers import LARGEST_BATCH
from catalog.domain.versions.drafts import batches
from catalog.domain.versions.files import file_pages, version_files
from tests.dialects.v1.test_folders import begun, close, info
from tests.dialects.v1.test_versions import KINDS, refusal, versions_of
from tests.support.app import API_TOKEN
from tests.support.tenants import Organisation, organisation


@pytest.fixture(scope="module")
async def org(client) -> Organisation:
    return await organisation(client, "ada", "bob", "eve")


@pytest.fixture
async def draft(client, org) -> str:
    """Where a draft of ada's public model is."""
    return await begun(client, org, await versions_of(client, org, "models"))


def parts(files, digests=()):
    """A form, as its text. `digests`: what some of the files announce."""
    lines = []
    for path, data in files:
        lines += [b"--cut", f'Content-Disposition: form-data; name="file"; filename="{path}"'.encode()]
        lines += [f"Repr-Digest: {digests[path]}".encode()] if path in digests else []
        lines += [b"", data]
    return b"\r\n".join([*lines, b"--cut--", b""])


async def send(client, org, draft, content, who="ada", **headers):
    headers = {"Content-Type": "multipart/form-data; boundary=cut", **headers}
    return await client.post(f"{draft}/files", content=content, headers=org.as_(who) | headers)


def sha256(data):
    return f"sha-256=:{b64encode(hashlib.sha256(data).digest()).decode()}:"


@pytest.mark.parametrize("kind", KINDS)
async def test_many_files_come_in_one_request(client, org, kind):
    draft = await begun(client, org, await versions_of(client, org, kind))
    files = {f"part {number % 3}/ü{number}.txt": f"{number}".encode() for number in range(250)}
    digests = {path: sha256(data) for path, data in files.items()}

    answer = await send(client, org, draft, parts(files.items(), digests))
    closed = (await close(client, org, draft)).json()

    assert (answer.status_code, answer.json()["errors"]) == (200, [])
    assert [file["path"] for file in answer.json()["files"]] == list(files)
    assert (closed["file_count"], closed["size"]) == (250, sum(map(len, files.values())))
    assert [file["path"] for file in closed["files"]] == sorted(files, key=str.encode)
    one = await client.get(f"{draft}/files/part 2/ü8.txt", headers=org.as_("bob"))
    assert one.content == b"8"


async def test_a_file_is_refused_alone_and_the_others_are_stored(client, org, draft):
    large = b"x" * (batches.LARGEST_FILE + 1)
    files = [("good", b"1"), ("../bad", b"2"), ("damaged", b"3"), ("large", large), ("odd", b"4"), ("also good", b"")]

    answer = await send(client, org, draft, parts(files, {"damaged": sha256(b"other"), "odd": "sha-256=odd"}))

    told = answer.json()
    assert answer.status_code == 202
    assert [file["path"] for file in told["files"]] == ["good", "also good"]
    assert {error["path"]: (error["status"], error["value"]) for error in told["errors"]} == {
        "../bad": (400, 5), "damaged": (400, 106), "large": (413, 103), "odd": (400, 5),
    }  # fmt: skip
    assert [file["path"] for file in (await info(client, org, draft))["files"]] == ["also good", "good"]


async def test_a_later_file_replaces_an_earlier_one_of_its_path(client, org, draft):
    await send(client, org, draft, parts([("a", b"first"), ("b", b"first")]))

    await send(client, org, draft, parts([("a", b"second"), ("a", b"third one"), ("c", b"")]))

    told = await info(client, org, draft)
    assert {file["path"]: file["size"] for file in told["files"]} == {"a": 9, "b": 5, "c": 0}
    assert (told["file_count"], told["size"]) == (3, 14)


async def test_what_is_no_such_form_is_refused(client, org, draft):
    too_many = parts([(str(number), b"") for number in range(batches.MOST_FILES + 1)])

    assert refusal(await send(client, org, draft, b"{}", **{"Content-Type": "application/json"}))[:2] == (400, 102)
    assert refusal(await send(client, org, draft, parts([("a", b"a")])[:-9]))[:2] == (400, 107)
    assert refusal(await send(client, org, draft, too_many))[:2] == (413, 103)
    assert refusal(await send(client, org, draft, b"", **{"Content-Length": str(LARGEST_BATCH + 1)}))[:2] == (413, 103)


async def test_a_closed_version_and_a_reader_get_no_file_in(client, org, draft):
    form = parts([("a", b"a")])
    reader = await send(client, org, draft, form, "bob")
    await send(client, org, draft, form)
    await close(client, org, draft)

    late = await send(client, org, draft, form)

    assert refusal(reader)[:2] == (403, 12)
    assert refusal(late)[:2] == (409, 114)


async def test_equal_files_count_once_and_the_quota_holds(client):
    org = await organisation(client, "ada")
    draft = await begun(client, org, await versions_of(client, org, "models"))
    await client.put(f"/v1/tenants/{org.name}", json={"quota_bytes": 1000}, headers={"Authorization": API_TOKEN})

    equal = await send(client, org, draft, parts([(str(number), b"x" * 300) for number in range(20)]))
    above = await send(client, org, draft, parts([("a", b"a" * 500), ("b", b"b" * 500)]))

    assert equal.status_code == 200
    assert refusal(above)[:2] == (507, 111)
    usage = (await client.get("/v1/usage", headers=org.as_("admin"))).json()
    assert usage["bytes"] == 300


async def test_a_record_shows_the_first_files_and_the_list_has_all(client, org, draft, monkeypatch):
    monkeypatch.setattr(version_files, "SHOWN", 3)
    await send(client, org, draft, parts([(f"{number}", b"") for number in range(5)]))

    async def shown():
        told = await info(client, org, draft)
        pages = []
        for number in (1, 2, 3):
            page = await client.get(f"{draft}/files?limit=2&page={number}", headers=org.as_("ada"))
            pages.append([file["path"] for file in page.json()["docs"]])
        return told["truncated"], [file["path"] for file in told["files"]], pages

    before = await shown()
    await close(client, org, draft)

    assert before == await shown() == (True, ["0", "1", "2"], [["0", "1"], ["2", "3"], ["4"]])


async def test_pages_of_a_long_list_are_ranges_of_paths(client, org, draft, monkeypatch):
    monkeypatch.setattr(file_pages, "WORTH_KNOWING", 4)
    monkeypatch.setattr(file_pages, "EVERY", 3)
    paths = sorted([*(f"part/{number}" for number in range(9)), "é", "𝄞", "\uffee"], key=str.encode)
    await send(client, org, draft, parts([(path, b"") for path in reversed(paths)]))
    await close(client, org, draft)

    pages = []
    for number in range(1, 5):
        page = await client.get(f"{draft}/files?limit=4&page={number}", headers=org.as_("ada"))
        pages += [[file["path"] for file in page.json()["docs"]]]

    assert pages == [paths[0:4], paths[4:8], paths[8:12], []]
