"""Bytes that are stored already become a version by their digest, for those who may read them."""

import hashlib
from collections.abc import AsyncIterator

import pytest

from tests.dialects.v1.test_folders import closed, filled
from tests.dialects.v1.test_versions import DATA, DIGEST, KINDS, ordinals, refusal, uploaded, versions_of
from tests.support.tenants import Organisation, organisation_of_a_test

SECRET = bytes(range(256)) * 300
SECRETS = hashlib.sha256(SECRET).hexdigest()
ABSENT = hashlib.sha256(b"nobody has this").hexdigest()


@pytest.fixture
async def org(client) -> AsyncIterator[Organisation]:
    async with organisation_of_a_test(client, "ada", "bob", "eve") as made:
        yield made


async def add(client, org, url, who="eve", digest=SECRETS, **said):
    body = {"digest": f"sha256:{digest}", "name": "mine.bin", **said}
    return await client.post(url, json=body, headers=org.as_(who))


@pytest.fixture
async def hidden(client, org) -> str:
    """Ada's private model, with a file."""
    url = await versions_of(client, org, "models", visibility="private")
    await uploaded(client, org, url, SECRET, "secret.bin")
    return url


@pytest.fixture
async def own(client, org) -> str:
    """Where eve's versions go."""
    answer = await client.post("/v1/models", json={"name": "eve's"}, headers=org.as_("eve"))
    return f"/v1/models/{answer.json()['_id']}/versions"


@pytest.mark.parametrize("kind", KINDS)
async def test_a_reader_need_not_upload_again(client, org, own, kind):
    url = await versions_of(client, org, kind)
    await uploaded(client, org, url, who="ada")

    answer = await add(client, org, own, digest=DIGEST, ordinal="copy", description="the same", mimetype="a/b")

    [version] = answer.json()["versions"]
    assert [version[field] for field in ("ordinal", "original", "size", "digest", "description", "mimetype")] == [
        "copy", "mine.bin", len(DATA), DIGEST, "the same", "a/b",
    ]  # fmt: skip
    assert (await client.get(f"{own}/copy", headers=org.as_("eve"))).content == DATA


async def test_head_tells_a_reader_how_long_it_is(client, org, hidden):
    for who, status in (("ada", 200), ("admin", 200), ("bob", 404)):
        answer = await client.head(f"/v1/blobs/sha256:{SECRETS}", headers=org.as_(who))
        assert (answer.status_code, answer.content) == (status, b"")
        if status == 200:
            assert answer.headers["content-length"] == str(len(SECRET))
    assert (await client.head(f"/v1/blobs/sha256:{SECRETS}")).status_code == 401


async def test_head_answers_for_what_others_have_as_for_what_nobody_has(client, org, other_org, hidden):
    told = [
        await client.head(f"/v1/blobs/{digest}", headers=who)
        for digest in (SECRETS, ABSENT)
        for who in (org.as_("eve"), other_org.as_("ada"))
    ] + [await client.head("/v1/blobs/nonsense", headers=org.as_("eve"))]

    def told_apart(answer):
        return answer.status_code, {**answer.headers, "x-request-id": "", "content-length": ""}

    assert all(told_apart(answer) == told_apart(told[0]) for answer in told)
    assert told[0].status_code == 404


async def test_files_in_a_draft_are_known_to_its_owner_alone(client, org):
    url = await versions_of(client, org, "models")
    await filled(client, org, url, {"a": SECRET})

    for who, status in (("ada", 200), ("bob", 404)):
        assert (await client.head(f"/v1/blobs/{SECRETS}", headers=org.as_(who))).status_code == status


async def test_files_of_a_folder_are_known_to_its_readers(client, org):
    url = await versions_of(client, org, "models")
    await closed(client, org, url, {"other": b"other", "a": SECRET})

    answer = await client.head(f"/v1/blobs/{SECRETS}", headers=org.as_("bob"))

    assert (answer.status_code, answer.headers["content-length"]) == (200, str(len(SECRET)))


async def shown_to_eve(client, org, own):
    return (await client.get(own, headers=org.as_("eve"))).json()["docs"]


async def test_bytes_that_nobody_has_are_refused_as_those_of_others(client, org, own, hidden):
    here, absent = [await add(client, org, own, digest=digest, size=len(SECRET)) for digest in (SECRETS, ABSENT)]

    assert refusal(here)[:2] == refusal(absent)[:2] == (403, 117)
    assert {**here.json(), "details": ""} == {**absent.json(), "details": ""}
    assert here.headers.keys() == absent.headers.keys()
    assert await shown_to_eve(client, org, own) == []


@pytest.mark.parametrize("field", ["challenge", "sample", "whole"])
async def test_there_are_no_proofs(client, org, own, hidden, field):
    assert refusal(await add(client, org, own, **{field: "a.b.c"}))[:2] == (400, 5)


async def test_a_new_version_from_a_digest_needs_what_an_upload_needs(client, org, own, hidden):
    await uploaded(client, org, own, who="eve", ordinal="taken")

    by_another = await add(client, org, own, "bob")
    unknown = await add(client, org, "/v1/models/fake/versions")
    taken = await add(client, org, own, ordinal="taken")
    nameless = await add(client, org, own, name="")
    nonsense = await add(client, org, own, digest="abc")

    assert [refusal(answer)[:2] for answer in (by_another, unknown, taken, nameless, nonsense)] == [
        (403, 12), (404, 9), (400, 5), (400, 5), (400, 5),
    ]  # fmt: skip
    assert await ordinals(client, org, hidden) == ["1"]
