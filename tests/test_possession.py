"""Bytes that are here already: for their readers, and for whoever shows that he has them."""

import hashlib
import hmac
import io
import os
import re
from pathlib import Path
from time import perf_counter

import pytest

from catalog.domain.files import possession
from tests.conftest import Organisation, organisation
from tests.test_folders import closed, filled
from tests.test_v1_versions import DATA, DIGEST, KINDS, ordinals, refusal, uploaded, versions_of

ROOT = Path(__file__).parent.parent
SECRET = bytes(range(256)) * 300  # larger than a range of a sample
SECRETS = hashlib.sha256(SECRET).hexdigest()
ABSENT = hashlib.sha256(b"nobody has this").hexdigest()


@pytest.fixture
async def org(client) -> Organisation:
    return await organisation(client, "ada", "bob", "eve")


async def add(client, org, url, who="eve", digest=SECRETS, **said):
    body = {"digest": f"sha256:{digest}", "name": "mine.bin", **said}
    return await client.post(url, json=body, headers=org.as_(who))


def told_by_the_documents():
    """The function that docs/api.md gives to clients."""
    [code] = re.findall(r"```python\n(def proofs.*?)```", (ROOT / "docs" / "api.md").read_text(), re.DOTALL)
    names = {"hmac": hmac, "os": os}
    exec(code, names)
    return names["proofs"]


PROOFS = told_by_the_documents()


def answered(refused, data: bytes) -> dict[str, str]:
    """What a client makes of a challenge."""
    headers = refused.headers
    return PROOFS(io.BytesIO(data), headers["possession-challenge"], headers["possession-ranges"])


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


async def test_whoever_has_the_bytes_too_proves_it(client, org, own, hidden):
    refused = await add(client, org, own, size=len(SECRET))
    assert refusal(refused)[:2] == (403, 117)

    answer = await add(client, org, own, size=len(SECRET), **answered(refused, SECRET))

    assert [version["digest"] for version in answer.json()["versions"]] == [SECRETS]
    assert (await client.get(f"{own}/1", headers=org.as_("eve"))).content == SECRET


async def test_a_file_of_no_bytes_is_proven_too(client, org, own):
    empty = hashlib.sha256(b"").hexdigest()
    await uploaded(client, org, await versions_of(client, org, "models", visibility="private"), b"")

    refused = await add(client, org, own, digest=empty, size=0)
    answer = await add(client, org, own, digest=empty, size=0, **answered(refused, b""))

    assert answer.status_code == 200, answer.text


WRONG = {
    "nothing": lambda right: {},
    "no sample": lambda right: right | {"sample": ""},
    "no whole": lambda right: right | {"whole": ""},
    "the sample for the whole": lambda right: right | {"whole": right["sample"]},
    "a challenge made up": lambda right: right | {"challenge": "a.b.c"},
    "a challenge not in ASCII": lambda right: right | {"challenge": "è"},
    "proofs not in ASCII": lambda right: right | {"sample": "è"},
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
async def test_a_wrong_proof_gets_a_new_challenge(client, org, own, hidden, wrong):
    refused = await add(client, org, own, size=len(SECRET))

    again = await add(client, org, own, size=len(SECRET), **wrong(answered(refused, SECRET)))

    assert refusal(again)[:2] == (403, 117)
    assert again.headers["possession-challenge"] != refused.headers["possession-challenge"]
    assert await shown_to_eve(client, org, own) == []


async def shown_to_eve(client, org, own):
    return (await client.get(own, headers=org.as_("eve"))).json()["docs"]


async def test_whoever_has_all_but_a_byte_gets_nothing(client, org, own, hidden):
    almost = bytearray(SECRET)
    almost[-1] ^= 1
    tried = set()

    while "the sample alone" not in tried:  # its last range is at the end now and then
        refused = await add(client, org, own, size=len(SECRET))
        right, wrong = answered(refused, SECRET), answered(refused, bytes(almost))
        tried.add("the sample alone" if right["sample"] == wrong["sample"] else "nothing")
        assert refusal(await add(client, org, own, size=len(SECRET), **wrong))[:2] == (403, 117)

    assert await shown_to_eve(client, org, own) == []


async def test_a_challenge_serves_its_user_its_bytes_and_its_tenant(client, org, other_org, own, hidden):
    refused = await add(client, org, own, size=len(SECRET))
    right = answered(refused, SECRET)
    bobs = (await client.post("/v1/models", json={"name": "bob's"}, headers=org.as_("bob"))).json()["_id"]

    by_bob = await add(client, org, f"/v1/models/{bobs}/versions", "bob", size=len(SECRET), **right)
    other_size = await add(client, org, own, size=len(SECRET) - 1, **right)

    assert [refusal(answer)[:2] for answer in (by_bob, other_size)] == [(403, 117)] * 2


async def test_what_nobody_has_is_refused_as_what_others_have(client, org, own, hidden):
    asked = [await add(client, org, own, digest=digest, size=len(SECRET)) for digest in (SECRETS, ABSENT)]
    guessed = [
        await add(client, org, own, digest=digest, size=len(SECRET), **answered(refused, bytes(len(SECRET))))
        for digest, refused in zip((SECRETS, ABSENT), asked, strict=True)
    ]

    for here, absent in (asked, guessed):
        assert here.json() == absent.json()
        assert here.headers.keys() == absent.headers.keys()
        assert here.status_code == absent.status_code == 403


async def test_a_wrong_sample_is_refused_after_the_same_time(client, org, own, hidden):
    took = []
    for digest in (SECRETS, ABSENT):
        refused = await add(client, org, own, digest=digest, size=len(SECRET))
        proofs = answered(refused, bytes(len(SECRET)))
        began = perf_counter()
        await add(client, org, own, digest=digest, size=len(SECRET), **proofs)
        took.append(perf_counter() - began)

    assert min(took) >= possession.PATIENCE


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
