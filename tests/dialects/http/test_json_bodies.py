"""JSON of a client: what is too much is refused before it takes memory, as a whole."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.dialects.http.requests.json_bodies import decoded
from catalog.errors import BODY_TOO_LARGE, MALFORMED_BODY, Refused

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=30,
)


@given(JSON_VALUES, st.sampled_from([None, 0]), st.booleans())
async def test_what_is_counted_is_what_is_decoded(value, indent, ascii_only):
    raw = json.dumps(value, indent=indent, ensure_ascii=ascii_only).encode()
    length = len(value) if isinstance(value, list) else 1

    assert await decoded(raw, max(1, length), most_values=len(raw) + 2) == value
    if length > 1:
        with pytest.raises(Refused, match=f"at most {length - 1} elements"):
            await decoded(raw, length - 1)


@pytest.mark.parametrize(
    "raw",
    [
        b"[" + b"1," * 2_000_000 + b"1]",
        b" \n[" + b'"",' * 2_000_000 + b'""]',
        b"[" + b"1," * 2_000_000 + b'"',
        b"\xef\xbb\xbf[" + b"{}," * 5000 + b"{}]",
    ],
    ids=["numbers", "texts", "never closed", "objects"],
)
async def test_a_long_list_is_refused_whatever_it_holds(raw):
    with pytest.raises(Refused) as refused:
        await decoded(raw, 1000)

    assert refused.value.fault is BODY_TOO_LARGE


@pytest.mark.parametrize(
    "raw",
    [b"[[" + b"[]," * 1_000_000 + b"[]]]", b'{"tags": [' + b"1," * 1_000_000 + b"1]}", b"[" * 600_000],
    ids=["lists in a list", "a long field", "deep"],
)
async def test_many_values_are_refused_wherever_they_are(raw):
    with pytest.raises(Refused) as refused:
        await decoded(raw, 1000)

    assert refused.value.fault is BODY_TOO_LARGE


@pytest.mark.parametrize("raw", [b'["' + b'\\"' * 2_000_000, b"[" * 5000, b"[" + b"," * 900 + b"]", b'{"a": "\xff"}'])
async def test_what_is_no_json_is_malformed_however_it_is_made(raw):
    with pytest.raises(Refused) as refused:
        await decoded(raw, 10_000)

    assert refused.value.fault is MALFORMED_BODY


async def test_text_full_of_commas_is_one_value():
    described = {"description": ",[{" * 500_000}

    assert await decoded(json.dumps(described).encode(), 1) == described


@pytest.mark.parametrize("route", ["models", "datasets", "algorithms", "tags", "metadata", "users"])
async def test_a_posted_list_that_is_too_long_is_refused_as_a_whole(client, org, route):
    elements = [{"_id": f"word-{number}", "name": f"item-{number}"} for number in range(1001)]
    before = (await client.get(f"/v1/{route}", headers=org.as_("admin"))).json()["totalDocs"]

    answer = await client.post(f"/v1/{route}", json=elements, headers=org.as_("admin"))

    assert (answer.status_code, answer.json()["value"]) == (413, 103)
    assert "1000 elements" in answer.json()["details"]
    assert (await client.get(f"/v1/{route}", headers=org.as_("admin"))).json()["totalDocs"] == before


async def test_what_is_said_of_an_element_is_short(client, org):
    elements = [{"name": "one", "status": "s" * 5000}, {"n" * 5000: 1}, {"name": "two", "datasets": ["d" * 255] * 9}]

    answer = await client.post("/v1/models", json=elements, headers=org.as_("admin"))

    assert answer.status_code == 202
    assert max(map(len, answer.json()["errors"])) < 400


async def test_the_answer_to_a_long_list_shows_the_ids_of_what_is_too_much(client, org):
    described = "\u00e9" * 65_000
    elements = [{"name": f"model-{number}", "description": described} for number in range(70)]

    answer = await client.post("/v1/models", json=elements, headers=org.as_("ada"))

    made = answer.json()["models"]
    assert len(answer.content) < 9 * 2**20
    assert len({model["_id"] for model in made}) == 70
    assert [model.get("truncated", False) for model in made] == [False] * 64 + [True] * 6
