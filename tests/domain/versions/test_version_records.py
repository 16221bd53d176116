"""What is said of versions: their list, one record, and how it changes."""

from base64 import b64encode

import pytest

from tests.dialects.v1.test_versions import DATA, DIGEST, KINDS, refusal, shown, uploaded, versions_of
from tests.support.app import API_TOKEN
from tests.support.tenants import Organisation, organisation


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


async def get(client, org, url, who="ada", **query):
    return await client.get(url, params=query, headers=org.as_(who))


async def put(client, org, url, who="ada", headers=(), **body):
    return await client.put(url, json=body, headers=org.as_(who) | dict(headers))


def told(answer):
    return [version["ordinal"] for version in answer.json()["docs"]]


@pytest.mark.parametrize("kind", KINDS)
async def test_versions_are_listed_newest_first(client, org, kind):
    url = await versions_of(client, org, kind)
    for ordinal in ("1", "70", "v2", "4"):
        await uploaded(client, org, url, ordinal=ordinal)

    first = (await get(client, org, url, "bob", limit=3)).json()
    second = await get(client, org, url, "bob", limit=3, page=2)

    assert [version["ordinal"] for version in first["docs"]] == ["4", "v2", "70"]
    assert (first["totalDocs"], first["hasNextPage"], told(second)) == (4, True, ["1"])
    assert {"_id", "original", "size", "digest", "state", "metadata", "owner", "inspection"} <= first["docs"][0].keys()


async def test_versions_are_walked_by_cursor(client, org, iris):
    for _ in range(5):
        await uploaded(client, org, iris)

    walked, cursor = [], ""
    while cursor is not None:
        answer = await get(client, org, iris, after=cursor, limit=2)
        walked += told(answer)
        cursor = answer.json()["nextCursor"]

    assert walked == ["5", "4", "3", "2", "1"]


async def test_versions_are_filtered_sorted_and_selected(client, org, iris):
    for data in (b"333", b"1", b"22"):
        await uploaded(client, org, iris, data)

    by_size = await get(client, org, iris, sort='{"size": "asc"}', select='["size"]')
    large = await get(client, org, iris, filter='{"size": {"$gt": 1}, "state": "LIVE"}')
    nonsense = await get(client, org, iris, filter='{"files.digest": "x"}')

    assert by_size.json()["docs"] == [
        {"_id": doc["_id"], "ordinal": doc["ordinal"], "size": size}
        for doc, size in zip(by_size.json()["docs"], (1, 2, 3), strict=True)
    ]
    assert told(large) == ["3", "1"]
    assert refusal(nonsense)[:2] == (400, 6)


async def test_a_list_is_of_one_item_and_for_its_readers(client, org, other_org, iris):
    await uploaded(client, org, iris)
    private = await versions_of(client, org, "models", visibility="private")
    await uploaded(client, org, private)

    for url in (private, f"{private}/1/info", f"{private}/1/files"):
        assert refusal(await get(client, org, url, "eve"))[:2] == (403, 10)
        assert refusal(await get(client, other_org, url))[:2] == (404, 9)
        assert (await client.get(url)).status_code == 401
    assert told(await get(client, org, iris)) == ["1"]


async def test_one_record_says_all(client, org, iris):
    await uploaded(client, org, iris, name="iris.bin", ordinal="v1")

    answer = await get(client, org, f"{iris}/v1/info", "bob")

    version = answer.json()
    assert answer.headers["etag"].startswith('"1.')
    assert version["owner"] == org.ids["ada"]
    assert version["inspection"]["verdict"] == "no known threat found"
    assert [version[field] for field in ("ordinal", "state", "folder", "file_count", "size", "digest", "metadata")] == [
        "v1", "LIVE", False, 1, len(DATA), DIGEST, [],
    ]  # fmt: skip
    assert version["files"] == [
        {"path": "iris.bin", "original": "iris.bin", "size": len(DATA), "digest": DIGEST, "encoding": "7bit"}
        | {"mimetype": version["mimetype"]}
    ]


@pytest.mark.parametrize("kind", KINDS)
async def test_what_is_said_of_a_version_changes(client, org, kind):
    url = await versions_of(client, org, kind)
    await uploaded(client, org, url)
    before = (await get(client, org, url.removesuffix("/versions"))).headers["etag"]
    pair = {"name": "accuracy", "value": 0.9}

    changed = await put(client, org, f"{url}/1", description="best", metadata={"add": [pair]}, state="ARCHIVED")

    assert changed.status_code == 200, changed.text
    assert changed.json() == (await get(client, org, f"{url}/1/info")).json()
    assert [changed.json()[field] for field in ("description", "metadata", "state")] == ["best", [pair], "ARCHIVED"]
    item = await get(client, org, url.removesuffix("/versions"))
    assert item.headers["etag"] != before
    assert [(version["description"], version["state"]) for version in item.json()["versions"]] == [("best", "ARCHIVED")]
    assert (await client.get(f"{url}/1", headers=org.as_("ada"))).content == DATA
    without = await put(client, org, f"{url}/1", metadata={"remove": ["accuracy"]}, state="LIVE")
    assert (without.json()["metadata"], without.json()["state"]) == ([], "LIVE")


WRONG = {
    "an empty body": ({}, (401, 16)),
    "no known field": ({"digest": "x"}, (401, 14)),
    "a field too many": ({"description": "x", "files": []}, (400, 8)),
    "a state that the catalog gives": ({"state": "QUARANTINED"}, (400, 8)),
    "a draft again": ({"state": "DRAFT"}, (400, 8)),
    "another state": ({"state": "gone"}, (400, 8)),
    "metadata as a list": ({"metadata": []}, (400, 8)),
    "a pair without a value": ({"metadata": {"add": [{"name": "a"}]}}, (400, 8)),
    "a description that is none": ({"description": 1}, (400, 8)),
    "a list": ([], (400, 8)),
}


@pytest.mark.parametrize(("body", "fault"), WRONG.values(), ids=WRONG)
async def test_a_change_is_checked_as_at_first(client, org, iris, body, fault):
    await uploaded(client, org, iris)

    answer = await client.put(f"{iris}/1", json=body, headers=org.as_("ada"))

    assert refusal(answer)[:2] == fault, answer.text
    assert (await get(client, org, f"{iris}/1/info")).headers["etag"].startswith('"1.')


async def test_a_change_of_what_somebody_changed_is_refused(client, org, iris):
    await uploaded(client, org, iris)
    seen = (await get(client, org, f"{iris}/1/info")).headers["etag"]

    first = await put(client, org, f"{iris}/1", headers={"If-Match": seen}, description="mine")
    second = await put(client, org, f"{iris}/1", headers={"If-Match": seen}, description="yours")

    assert (first.status_code, first.headers["etag"].partition(".")[0]) == (200, '"2')
    assert refusal(second)[:2] == (412, 109)


async def test_only_owner_and_administrator_change_a_version(client, org, other_org, iris):
    await uploaded(client, org, iris)

    assert refusal(await put(client, org, f"{iris}/1", "bob", description="x"))[:2] == (403, 12)
    assert refusal(await put(client, other_org, f"{iris}/1", description="x"))[:2] == (404, 9)
    assert refusal(await put(client, org, f"{iris}/9", description="x")) == (404, 9, "9")
    assert (await put(client, org, f"{iris}/1", "admin", description="x")).status_code == 200


# Quarantine


EVIL = b"cos\nsystem\n(S'true'\ntR."
"""A pickle that would run a program. It is never loaded."""


@pytest.fixture
async def careful(client):
    """A tenant with a policy, by its name."""

    async def made(policy):
        org = await organisation(client, "ada", "bob")
        answer = await client.put(
            f"/v1/tenants/{org.name}", json={"inspection": policy}, headers={"Authorization": API_TOKEN}
        )
        assert answer.status_code == 200, answer.text
        return org

    return made


async def test_a_file_found_dangerous_is_kept_with_a_warning(client, careful):
    org = await careful("warn")
    url = await versions_of(client, org, "models")

    version = await uploaded(client, org, url, EVIL, "model.pkl")

    told = (await get(client, org, f"{url}/1/info")).json()
    assert (version["state"], told["inspection"]["verdict"]) == ("LIVE", "threat found: imports os.system")


async def test_a_file_found_dangerous_is_refused(client, careful):
    org = await careful("reject")
    url = await versions_of(client, org, "models")

    answer = await client.post(url, files={"file": ("model.pkl", EVIL)}, headers=org.as_("ada"))

    assert refusal(answer) == (422, 112, "threat found: imports os.system")
    assert (await shown(client, org, url))["versions"] == []
    assert (await uploaded(client, org, url))["ordinal"] == "1"


async def test_what_is_in_quarantine_is_for_administrators_until_it_is_released(client, careful):
    org = await careful("quarantine")
    url = await versions_of(client, org, "models")
    version = await uploaded(client, org, url, EVIL, "model.pkl")
    assert version["state"] == "QUARANTINED"

    for who in ("ada", "bob"):
        for path in ("/1", "/1/files/model.pkl", "/1?archive=zip"):
            assert refusal(await get(client, org, f"{url}{path}", who)) == (403, 113, "1")
        assert (await client.head(f"/v1/blobs/{version['digest']}", headers=org.as_(who))).status_code == 404
    assert refusal(await client.post(f"{url}/1/link", json={}, headers=org.as_("ada"))) == (403, 113, "1")
    assert refusal(await put(client, org, f"{url}/1", state="LIVE")) == (403, 113, "1")
    assert (await get(client, org, f"{url}/1", "admin")).content == EVIL

    released = await put(client, org, f"{url}/1", "admin", state="LIVE")

    assert released.json()["state"] == "LIVE"
    assert (await get(client, org, f"{url}/1", "bob")).content == EVIL


async def test_a_folder_with_a_dangerous_file_goes_into_quarantine(client, careful):
    org = await careful("quarantine")
    url = await versions_of(client, org, "models")
    await client.post(url, json={"draft": True}, headers=org.as_("ada"))
    for path, data in (("MLmodel", b"flavors"), ("data/model.pkl", EVIL)):
        answer = await client.put(f"{url}/1/files/{path}", content=data, headers=org.as_("ada"))
        assert answer.status_code == 200, answer.text

    closed = (await client.post(f"{url}/1/close", headers=org.as_("ada"))).json()

    assert closed["state"] == "QUARANTINED"
    assert closed["inspection"]["findings"] == [
        {"kind": "held", "what": "threat found: imports os.system", "where": "data/model.pkl"}
    ]
    assert refusal(await get(client, org, f"{url}/1")) == (403, 113, "1")


# Conditions


async def test_a_download_minds_what_the_client_has_and_wants(client, org, iris):
    await uploaded(client, org, iris)
    whole = await client.get(f"{iris}/1", headers=org.as_("ada"))
    date, etag = whole.headers["last-modified"], whole.headers["etag"]
    past, other = "Sat, 01 Jan 2000 00:00:00 GMT", f'"{b64encode(b"x").decode()}"'

    for headers, status in (
        ({"If-Match": etag}, 200),
        ({"If-Match": f"{other}, {etag}"}, 200),
        ({"If-Match": "*"}, 200),
        ({"If-Match": other}, 412),
        ({"If-Unmodified-Since": date}, 200),
        ({"If-Unmodified-Since": past}, 412),
        ({"If-Unmodified-Since": "never"}, 200),
        ({"If-Match": etag, "If-Unmodified-Since": past}, 200),
        ({"If-Modified-Since": date}, 304),
        ({"If-Modified-Since": past}, 200),
        ({"If-Modified-Since": date, "If-None-Match": other}, 200),
        ({"If-None-Match": etag}, 304),
    ):
        answer = await client.get(f"{iris}/1", headers=org.as_("ada") | headers)
        assert answer.status_code == status, headers
