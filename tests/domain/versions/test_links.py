"""Links: each serves one file for a while, without a token."""

from datetime import timedelta

import jwt
import pytest
from bson import ObjectId

from catalog.domain.versions.files.links import Links, LinkTarget, derived_key
from catalog.errors import LINK_INVALID, Refused
from catalog.store.clock import now
from tests.dialects.http.test_archives import unzipped
from tests.dialects.v1.test_folders import FILES, closed, filled
from tests.dialects.v1.test_versions import DATA, KINDS, refusal, uploaded, versions_of
from tests.support.app import API_TOKEN
from tests.support.tenants import Organisation, organisation

INVALID = (403, 116, None)


@pytest.fixture(scope="module")
async def org(client) -> Organisation:
    return await organisation(client, "ada", "bob", "eve")


@pytest.fixture
async def iris(client, org) -> str:
    return await versions_of(client, org, "models", visibility="private", users=["bob"])


async def ask(client, org, version, who="ada", **body):
    return await client.post(f"{version}/link", json=body, headers=org.as_(who))


async def link(client, org, version, who="ada", **body) -> str:
    answer = await ask(client, org, version, who, **body)
    assert answer.status_code == 200, answer.text
    return answer.json()["url"]


@pytest.mark.parametrize("kind", KINDS)
async def test_a_link_opens_its_file_without_a_token(client, org, kind):
    url = await versions_of(client, org, kind, visibility="private")
    await uploaded(client, org, url)

    address = await link(client, org, f"{url}/1")

    whole, part, told = (
        await client.get(address),
        await client.get(address, headers={"range": "bytes=2-4"}),
        await client.head(address),
    )
    assert (whole.status_code, whole.content) == (200, DATA)
    assert whole.headers["content-disposition"] == 'attachment; filename="iris.onnx"'
    assert (part.status_code, part.content) == (206, b"234")
    assert (told.status_code, told.content, told.headers["content-length"]) == (200, b"", "10")


async def test_a_link_to_a_folder_opens_one_file_or_all(client, org, iris):
    version = await closed(client, org, iris)

    one = await client.get(await link(client, org, version, path="MLmodel"))
    everything = await client.get(await link(client, org, version))

    assert one.content == FILES["MLmodel"]
    assert unzipped(everything.content) == FILES
    assert refusal(await ask(client, org, version, path="other")) == (404, 9, "other")


async def test_a_name_may_follow_a_link_and_tells_the_archive_of_a_folder(client, org, iris):
    folder = await link(client, org, await closed(client, org, iris))
    await uploaded(client, org, iris)
    file = await link(client, org, f"{iris}/latest")

    types = [
        (await client.get(f"{folder}/{name}")).headers["content-type"] for name in ("iris.zip", "iris.tar", "iris")
    ]
    named = await client.get(f"{file}/weights.zip")

    assert types == ["application/zip", "application/x-tar", "application/zip"]
    assert named.content == DATA


@pytest.mark.parametrize("seconds", [0, -1, 86_401, "300", 1.5, True, None])
async def test_a_link_lives_for_a_day_at_most(client, org, iris, seconds):
    await uploaded(client, org, iris)

    assert refusal(await ask(client, org, f"{iris}/1", expires_in=seconds)) == (
        400, 5, "expires_in: 1 to 86400 seconds are possible",
    )  # fmt: skip


async def test_a_reader_makes_links_and_nobody_else(client, org, iris):
    await uploaded(client, org, iris)

    assert (await client.get(await link(client, org, f"{iris}/1", "bob"))).content == DATA
    assert refusal(await ask(client, org, f"{iris}/1", "eve"))[:2] == (403, 10)
    assert (await client.post(f"{iris}/1/link")).status_code == 401


async def test_a_draft_has_no_links(client, org, iris):
    draft = await filled(client, org, iris)

    assert refusal(await ask(client, org, draft, path="MLmodel")) == (409, 115, "1")


async def remove_version(client, org, iris):
    await client.delete(f"{iris}/1", headers=org.as_("ada"))


async def remove_item(client, org, iris):
    await client.delete(iris.removesuffix("/versions"), headers=org.as_("ada"))


async def take_the_right_to_read(client, org, iris):
    body = {"users": {"remove": [org.ids["bob"]]}}
    answer = await client.put(iris.removesuffix("/versions"), json=body, headers=org.as_("ada"))
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("end", [remove_version, remove_item, take_the_right_to_read])
async def test_a_link_dies_with(client, org, iris, end):
    await uploaded(client, org, iris)
    address = await link(client, org, f"{iris}/1", "bob")

    await end(client, org, iris)

    assert refusal(await client.get(address)) == INVALID


async def test_a_link_dies_with_its_tenant(client):
    doomed = await organisation(client, "ada")
    url = await versions_of(client, doomed, "models")
    await uploaded(client, doomed, url)
    address = await link(client, doomed, f"{url}/1")
    assert (await client.get(address)).status_code == 200

    await client.delete(f"/v1/tenants/{doomed.name}", headers={"Authorization": API_TOKEN})

    assert refusal(await client.get(address)) == INVALID


async def test_a_link_that_is_changed_or_made_up_opens_nothing(client, org, iris, settings):
    await uploaded(client, org, iris)
    address = await link(client, org, f"{iris}/1")
    token = address.rpartition("/")[2]
    head, _, signature = token.rpartition(".")
    foreign = jwt.encode(jwt.decode(token, options={"verify_signature": False}), "x" * 32, algorithm="HS256")
    session = org.tokens["ada"].removeprefix("JWT ")

    for other in (f"{head}.{signature[::-1]}", f"{token[:-1]}", foreign, session, "x", "a.b.c"):
        assert refusal(await client.get(f"/v1/links/{other}")) == INVALID
    assert (await client.get("/v1/models", headers={"Authorization": token})).status_code == 401


def test_a_link_ends_when_it_said():
    links, aim = Links("a secret"), LinkTarget("tenant", ObjectId(), ObjectId(), "a/b")

    assert links.read(links.sign(aim, now() + timedelta(minutes=1))) == aim
    with pytest.raises(Refused) as refused:
        links.read(links.sign(aim, now() - timedelta(seconds=1)))
    assert (refused.value.fault, refused.value.details) == (LINK_INVALID, "")


def test_each_purpose_has_a_key_of_its_own():
    assert len({derived_key("a secret", purpose) for purpose in ("links", "devices")} | {b"a secret"}) == 3


async def test_the_journal_does_not_hold_the_link(client, org, iris, app):
    await uploaded(client, org, iris)
    address = await link(client, org, f"{iris}/1")

    for name, path in (("", "/v1/links/***"), ("/iris.zip", "/v1/links/***/iris.zip")):
        request = (await client.get(address + name)).headers["x-request-id"]
        await app.state.journal.flush()
        entry = await app.state.database.operator.log.records.find_one({"request_id": request})
        assert (entry["path"], entry.get("item"), entry["result"]) == (path, None, 200)


async def test_the_log_does_not_hold_the_link_when_something_breaks(client, org, iris, settings, caplog):
    await uploaded(client, org, iris)
    address = await link(client, org, f"{iris}/1")
    for file in (settings.upload_path / org.name).rglob("*"):
        if file.is_file():
            file.unlink()

    answer = await client.get(address)

    assert refusal(answer)[:2] == (500, 2)
    ours = [record.getMessage() for record in caplog.records if not record.name.startswith("httpx")]
    assert address.rpartition("/")[2] not in "\n".join(ours)
