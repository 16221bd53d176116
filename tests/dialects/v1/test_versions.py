"""Versions over HTTP, as the native dialect speaks: files, up and down."""

import hashlib
import re
import uuid
from base64 import b64encode
from pathlib import Path
from urllib.parse import quote

import pytest
from bson import ObjectId

from catalog.store.documents.tenants import RegisteredTenant
from tests.support.app import API_TOKEN, OURS, client_of_app, in_database
from tests.support.tenants import Organisation, organisation

KINDS = ["models", "datasets", "algorithms"]
DATA = b"0123456789"
DIGEST = hashlib.sha256(DATA).hexdigest()
FORM = {"content-type": "multipart/form-data; boundary=b"}


@pytest.fixture(scope="module")
async def org(client) -> Organisation:
    """One for all of these tests: each makes an item of its own."""
    return await organisation(client, "ada", "bob", "eve")


@pytest.fixture(scope="module")
async def other_org(client) -> Organisation:
    return await organisation(client, "ada")


@pytest.fixture
async def iris(client, org) -> str:
    """Where the versions of ada's model are. It is public."""
    return await versions_of(client, org, "models")


async def versions_of(client, org, kind, **fields) -> str:
    body = {"name": f"iris-{uuid.uuid4().hex}", "visibility": "public"} | fields
    answer = await client.post(f"/v1/{kind}", json=body, headers=org.as_("ada"))
    assert answer.status_code == 200, answer.text
    return f"/v1/{kind}/{answer.json()['_id']}/versions"


async def upload(client, org, url, data=DATA, name="iris.onnx", who="ada", **query):
    return await client.post(url, files={"file": (name, data)}, params=query, headers=org.as_(who))


async def uploaded(client, org, url, data=DATA, name="iris.onnx", who="ada", **query):
    """The version just made."""
    answer = await upload(client, org, url, data, name, who, **query)
    assert answer.status_code == 200, answer.text
    return answer.json()["versions"][-1]


async def shown(client, org, url):
    answer = await client.get(url.removesuffix("/versions"), headers=org.as_("ada"))
    assert answer.status_code == 200, answer.text
    return answer.json()


async def ordinals(client, org, url):
    return [version["ordinal"] for version in (await shown(client, org, url))["versions"]]


def refusal(answer):
    return answer.status_code, answer.json()["value"], answer.json().get("details")


def kept(settings, org) -> list[Path]:
    """The tenant's files on the disk."""
    return sorted(path for path in (settings.upload_path / org.name).rglob("*") if path.is_file())


async def records(app, org, url) -> int:
    """How many versions of an item the database has."""
    tenant = app.state.database.tenant(RegisteredTenant(id=org.name, database=org.database))
    return await tenant.versions.records.count_documents({"item": ObjectId(url.split("/")[3])})


async def listening(body: bytes, read: list[str]):
    read.append("a byte")
    yield body


# Up


@pytest.mark.parametrize("kind", KINDS)
async def test_an_upload_is_answered_with_the_whole_item(client, org, kind):
    url = await versions_of(client, org, kind)
    file = {"file": ("iris.onnx", DATA, "application/zip")}

    answer = await client.post(url, files=file, data={"description": "first"}, headers=org.as_("ada"))

    item = await shown(client, org, url)
    [version] = item["versions"]
    assert (answer.status_code, answer.json()) == (200, item)
    assert version.pop("key")
    assert version.pop("timestamp").endswith("Z")
    assert version == {
        "ordinal": "1",
        "original": "iris.onnx",
        "encoding": "7bit",
        "mimetype": "application/zip",
        "size": len(DATA),
        "description": "first",
        "digest": DIGEST,
        "state": "LIVE",
        "aliases": [],
    }


async def test_the_bytes_alone_are_an_upload_too(client, org, iris):
    headers = org.as_("ada") | {"content-type": "application/zip"}

    answer = await client.post(f"{iris}?name=iris.onnx&description=raw", content=DATA, headers=headers)

    [version] = answer.json()["versions"]
    assert [version[field] for field in ("original", "mimetype", "size", "description", "digest")] == [
        "iris.onnx", "application/zip", len(DATA), "raw", DIGEST,
    ]  # fmt: skip


async def test_ordinals_count_on_from_the_highest_number(client, org, iris):
    for asked, given in (
        *((None, "1"), ("41", "41"), ("7", "7"), (None, "42"), ("70", "70"), (None, "71")),
        *(("v2.0", "v2.0"), ("8", "8"), (None, "72"), (None, "73")),
    ):
        query = {"ordinal": asked} if asked else {}
        assert (await uploaded(client, org, iris, **query))["ordinal"] == given

    assert await ordinals(client, org, iris) == [
        *("1", "41", "7", "42", "70", "71", "v2.0", "8", "72", "73")
    ]  # in the order they came


async def test_the_ordinal_of_a_removed_version_is_not_given_again(client, org, iris):
    await uploaded(client, org, iris)
    await client.delete(f"{iris}/1", headers=org.as_("ada"))

    assert (await uploaded(client, org, iris))["ordinal"] == "2"


@pytest.mark.parametrize("again", ["Final", "FINAL", "final "])
async def test_an_ordinal_is_taken_once_whatever_its_case(client, org, iris, again):
    await uploaded(client, org, iris, ordinal="Final")

    answer = await upload(client, org, iris, ordinal=again)

    assert refusal(answer)[:2] == (400, 5)
    assert answer.json()["details"].startswith(f"Ordinal value duplicated: {again.strip()} , Please choose another")
    assert await ordinals(client, org, iris) == ["Final"]


@pytest.mark.parametrize("ordinal", ["x" * 251, "a/b", "a\nb", "a\0b", "gnp\u202etxt", ".", ".."])
async def test_an_ordinal_that_no_address_can_hold_is_refused(client, org, iris, ordinal):
    read = []

    answer = await client.post(
        iris, params={"ordinal": ordinal, "name": "a"}, content=listening(DATA, read), headers=org.as_("ada")
    )

    assert refusal(answer)[:2] == (400, 5)
    assert answer.json()["details"].startswith("ordinal: ")
    assert read == []


@pytest.mark.parametrize("ordinal", ["x" * 128, "1.0-beta+2", "β 🌸", "a?b#c%d", "a\\b", "007", "9" * 40])
async def test_any_other_ordinal_leads_back_to_its_version(client, org, iris, ordinal):
    assert (await uploaded(client, org, iris, ordinal=ordinal))["ordinal"] == ordinal

    answer = await client.get(f"{iris}/{quote(ordinal, safe='')}", headers=org.as_("ada"))

    assert (answer.status_code, answer.content) == (200, DATA)


async def test_an_upload_without_a_file_is_told_so(client, org, iris):
    answer = await client.post(iris, headers=org.as_("ada"))

    assert refusal(answer) == (400, 5, "Missing file")


async def test_a_file_by_another_name_is_told_the_right_one(client, org, iris):
    answer = await client.post(iris, files={"wrong": ("a.txt", DATA)}, headers=org.as_("ada"))

    assert refusal(answer) == (400, 5, 'Missing file: the form has the parts "wrong"; send it as "file"')
    assert await ordinals(client, org, iris) == []


@pytest.mark.parametrize(
    ("who", "item", "status", "value"), [("bob", None, 403, 12), ("ada", "fake", 404, 9), (None, None, 401, 3)]
)
@pytest.mark.parametrize("headers", [FORM, {}])
async def test_permission_is_refused_before_a_byte_is_read(client, org, headers, who, item, status, value):
    url = await versions_of(client, org, "models", users=["bob"])
    url = f"/v1/models/{item}/versions" if item else url
    read = []

    answer = await client.post(
        f"{url}?name=a",
        content=listening(b"--b\r\n", read),
        headers=headers | (org.as_(who) if who else {}),
    )

    assert refusal(answer)[:2] == (status, value)
    assert read == []
    assert status == 401 or answer.json()["details"] == url.split("/")[3]


async def test_an_administrator_uploads_to_what_others_own(client, org, iris):
    assert (await uploaded(client, org, iris, who="admin"))["ordinal"] == "1"


@pytest.mark.parametrize("is_form", [True, False])
async def test_bytes_that_are_not_the_announced_ones_leave_no_version(client, org, iris, is_form):
    announced = b64encode(hashlib.sha256(b"other").digest()).decode()
    headers = org.as_("ada") | {"repr-digest": f"sha-256=:{announced}:"}
    body = {"files": {"file": ("a", DATA)}} if is_form else {"content": DATA}

    answer = await client.post(f"{iris}?name=a", **body, headers=headers)

    assert refusal(answer)[:2] == (400, 106)
    assert DIGEST in answer.json()["details"]
    assert await ordinals(client, org, iris) == []
    assert (await uploaded(client, org, iris))["ordinal"] == "1"


async def test_bytes_that_are_the_announced_ones_are_kept(client, org, iris):
    assert (await uploaded(client, org, iris, sha256=DIGEST))["digest"] == DIGEST


CUT_OFF = {
    "a body shorter than announced": (DATA, {"content-length": "100"}),
    "a form without its end": (
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n0123456789',
        FORM,
    ),
    "a form that ends in a header": (b"--b\r\nContent-Disp", FORM),
}


@pytest.mark.parametrize(("body", "headers"), CUT_OFF.values(), ids=CUT_OFF)
async def test_an_upload_cut_off_leaves_no_version_and_no_file(client, org, iris, settings, body, headers):
    before = kept(settings, org)

    answer = await client.post(f"{iris}?name=a", content=listening(body, []), headers=org.as_("ada") | headers)

    assert refusal(answer)[:2] == (400, 107)
    assert await ordinals(client, org, iris) == []
    assert kept(settings, org) == before


async def test_a_file_over_the_limit_is_refused(org, iris, settings, mongo):
    limited = settings.model_copy(update={"max_upload_size": 10})
    before = kept(settings, org)

    async with client_of_app(limited, in_database(mongo, f"{OURS}-catalogue"), started=True) as client:
        for body in ({"files": {"file": ("a", DATA + b"x")}}, {"content": DATA + b"x"}):
            answer = await client.post(f"{iris}?name=a", **body, headers=org.as_("ada"))
            assert refusal(answer) == (413, 103, "at most 10 bytes")
        assert kept(settings, org) == before
        assert (await uploaded(client, org, iris))["size"] == 10


async def test_an_upload_may_be_larger_than_other_bodies(client, org, iris):
    version = await uploaded(client, org, iris, data=bytes(11 * 2**20))

    assert version["size"] == 11 * 2**20


# Down


@pytest.mark.parametrize("kind", KINDS)
async def test_a_version_comes_back_as_it_went_up(client, org, kind):
    url = await versions_of(client, org, kind)
    version = await uploaded(client, org, url)

    answer = await client.get(f"{url}/1", headers=org.as_("ada"))

    assert (answer.status_code, answer.content) == (200, DATA)
    assert answer.headers["content-type"] == version["mimetype"]
    assert answer.headers["content-disposition"] == 'attachment; filename="iris.onnx"'
    assert answer.headers["etag"] == f'"{DIGEST}"'


async def test_head_says_what_get_would(client, org, iris):
    await uploaded(client, org, iris)

    told = await client.head(f"{iris}/1", headers=org.as_("ada"))
    whole = await client.get(f"{iris}/1", headers=org.as_("ada"))

    for answer in (told, whole):
        assert answer.headers.pop("x-request-id")
    assert (told.status_code, told.content, dict(told.headers)) == (200, b"", dict(whole.headers))
    assert (await client.head(f"{iris}/2", headers=org.as_("ada"))).status_code == 404


async def test_a_range_of_a_version(client, org, iris):
    await uploaded(client, org, iris)

    part = await client.get(f"{iris}/1", headers=org.as_("ada") | {"range": "bytes=0-3"})
    beyond = await client.get(f"{iris}/1", headers=org.as_("ada") | {"range": "bytes=10-"})

    assert (part.status_code, part.content, part.headers["content-range"]) == (206, DATA[:4], "bytes 0-3/10")
    assert refusal(beyond)[:2] == (416, 108)
    assert beyond.headers["content-range"] == "bytes */10"


async def test_a_file_name_leads_to_the_newest_version_that_bears_it(client, org, iris):
    for data, name in ((b"old", "iris.onnx"), (b"new", "iris.onnx"), (b"another", "other.onnx")):
        await uploaded(client, org, iris, data, name)

    answer = await client.get(f"{iris}/iris.onnx", headers=org.as_("ada"))

    assert (answer.status_code, answer.content) == (200, b"new")


async def test_an_ordinal_goes_before_a_file_name(client, org, iris):
    await uploaded(client, org, iris, b"ordinal 1", "iris.onnx")
    await uploaded(client, org, iris, b"named 1", "1")

    assert (await client.get(f"{iris}/1", headers=org.as_("ada"))).content == b"ordinal 1"


NAMES = {
    "../../etc/passwd": "passwd",
    "..\\..\\boot.ini": "boot.ini",
    'a"b.onnx': 'a"b.onnx',
    "a\r\nX-Evil: 1": "aX-Evil: 1",
    "più 🌸.onnx": "più 🌸.onnx",
    "100%.onnx": "100%.onnx",
    "a?b#c&d=e.onnx": "a?b#c&d=e.onnx",
}


@pytest.mark.parametrize(("given", "name"), NAMES.items(), ids=NAMES.values())
async def test_a_file_is_found_again_by_its_name_made_harmless(client, org, iris, settings, given, name):
    version = await uploaded(client, org, iris, name=given)

    answer = await client.get(f"{iris}/{quote(name, safe='')}", headers=org.as_("ada"))

    assert version["original"] == name
    assert (answer.status_code, answer.content) == (200, DATA)
    assert "x-evil" not in answer.headers
    assert DIGEST in {path.name for path in kept(settings, org)}
    assert all(re.fullmatch("[0-9a-f]{64}", path.name) for path in kept(settings, org))  # no name reaches the disk


async def test_an_unknown_version_is_not_found(client, org, iris):
    await uploaded(client, org, iris)

    for method in ("GET", "DELETE"):
        for which in ("999", "other.onnx", "01"):
            answer = await client.request(method, f"{iris}/{which}", headers=org.as_("ada"))
            assert refusal(answer) == (404, 9, which)


async def test_a_reader_downloads_and_does_no_more(client, org):
    url = await versions_of(client, org, "models", visibility="private", users=["bob"])
    item = url.split("/")[3]
    await uploaded(client, org, url)

    down = await client.get(f"{url}/1", headers=org.as_("bob"))
    up = await upload(client, org, url, who="bob")
    away = await client.delete(f"{url}/1", headers=org.as_("bob"))

    assert (down.status_code, down.content) == (200, DATA)
    assert refusal(up) == refusal(away) == (403, 12, item)
    assert await ordinals(client, org, url) == ["1"]


async def test_without_access_nothing_is_given_away(client, org, other_org):
    url = await versions_of(client, org, "models", visibility="private")
    item = url.split("/")[3]
    await uploaded(client, org, url)

    eve = await client.get(f"{url}/1", headers=org.as_("eve"))
    elsewhere = await client.get(f"{url}/1", headers=other_org.as_("ada"))
    nobody = await client.get(f"{url}/1")

    assert refusal(eve) == (403, 10, item)
    assert refusal(elsewhere) == (404, 9, item)
    assert refusal(nobody)[:2] == (401, 3)


# Away


@pytest.mark.parametrize("kind", KINDS)
async def test_a_removed_version_is_gone(client, org, kind):
    url = await versions_of(client, org, kind)
    await uploaded(client, org, url)
    await uploaded(client, org, url, ordinal="70")

    removed = await client.delete(f"{url}/70", headers=org.as_("ada"))

    assert (removed.status_code, removed.json()) == (200, await shown(client, org, url))
    assert await ordinals(client, org, url) == ["1"]
    assert refusal(await client.get(f"{url}/70", headers=org.as_("ada"))) == (404, 9, "70")
    assert (await client.get(f"{url}/1", headers=org.as_("ada"))).content == DATA  # the same bytes, still needed


async def test_the_versions_of_a_removed_item_are_gone(client, org, iris, app):
    await uploaded(client, org, iris)
    await uploaded(client, org, iris)
    assert await records(app, org, iris) == 2

    await client.delete(iris.removesuffix("/versions"), headers=org.as_("ada"))
    gone = await client.get(f"{iris}/1", headers=org.as_("ada"))
    await client.delete(f"/v1/trash/{iris.split('/')[3]}", headers=org.as_("ada"))

    assert gone.status_code == 404
    assert await records(app, org, iris) == 0


async def test_a_tenant_removed_during_an_upload_keeps_nothing_of_it(client, settings):
    doomed = await organisation(client, "ada")
    url = await versions_of(client, doomed, "models")

    async def body():
        yield DATA
        headers = {"Authorization": API_TOKEN}
        (await client.delete(f"/v1/tenants/{doomed.name}", headers=headers)).raise_for_status()
        yield DATA

    answer = await client.post(f"{url}?name=a", content=body(), headers=doomed.as_("ada"))

    assert answer.status_code == 401, answer.text
    assert kept(settings, doomed) == []
    assert (await client.get(url.removesuffix("/versions"), headers=doomed.as_("ada"))).status_code == 401


# On the disk


async def test_equal_bytes_are_kept_once_for_a_tenant(client, org, iris, settings):
    data_set = await versions_of(client, org, "datasets")
    before = kept(settings, org)

    for url in (iris, iris, data_set):
        await uploaded(client, org, url, b"sent three times")

    [path] = set(kept(settings, org)) - set(before)
    assert path.read_bytes() == b"sent three times"


async def test_equal_bytes_of_two_tenants_are_kept_apart(client, org, other_org, settings):
    for tenant in (org, other_org):
        await uploaded(client, tenant, await versions_of(client, tenant, "models"))

    [ours], [theirs] = ([path for path in kept(settings, tenant) if path.name == DIGEST] for tenant in (org, other_org))
    assert not ours.samefile(theirs)


async def test_the_size_of_a_huge_file_is_a_number(app, client, org):
    ada = org.as_("ada")
    made = (await client.post("/v1/models", json={"name": "huge"}, headers=ada)).json()
    await client.post("/v1/models/huge/versions?name=huge.bin", content=b"not really", headers=ada)
    record = await app.state.database.tenants.find_one({"_id": org.name})
    size = {"$set": {"size": 2**40, "files.0.size": 2**40}}  # above 2**31 the database has a number of another kind
    await app.state.database.tenant(record).versions.records.update_one({"item": ObjectId(made["_id"])}, size)

    shown = (await client.get(f"/v1/models/{made['_id']}", headers=ada)).json()

    assert [version["size"] for version in shown["versions"]] == [2**40]
