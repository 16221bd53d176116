"""Words that complete what has been typed, and patterns that find them through their pieces."""

import json
import random
import re
import string

import pytest
from bson import ObjectId
from hypothesis import given
from hypothesis import strategies as st

from catalog.domain.access import Caller
from catalog.domain.terms.item_terms import NO_TERMS, ItemTerms, count_uses
from catalog.domain.terms.suggest import LONGEST, suggest
from catalog.domain.terms.terms import NewTerm, Vocabulary, create
from catalog.domain.terms.visibility import is_visible, visible_to
from catalog.errors import Refused
from catalog.store.query.fields import TAGS
from catalog.store.query.filters.filter import filter_of
from catalog.store.query.filters.patterns import piece_of
from catalog.store.query.ngrams import key_of, spelling
from catalog.vocabulary import Role
from tests.support.tenants import somebody


def best(words, typed):
    """The plain rule, over all words."""
    key = key_of(typed)

    def rank(word):
        spelt = key_of(word["_id"])
        matched = 0 if spelt == key else 1 if spelt.startswith(key) else 2
        return word["usage"] != "default", matched, -word["uses"], spelt, word["_id"]

    return [word["_id"] for word in sorted(words, key=rank) if key in key_of(word["_id"])]


async def keep(tenant, words):
    if words:
        await tenant.tags.records.insert_many([word | spelling(word["_id"]) for word in words])


def seen_by(tenant, role=Role.ADMIN):
    return Caller(tenant, ObjectId(), "root", role)


async def suggested(tenant, typed, limit=100, caller=None):
    return [word["_id"] for word in await suggest(caller or seen_by(tenant), Vocabulary.TAGS, typed, limit)]


def vocabulary(seed):
    """Words of few letters, so that many share their pieces, and of few uses, so that many tie."""
    chance = random.Random(seed)
    drawn = {"".join(chance.choices("aAb^~\u00df", k=chance.randrange(1, 14))) for _ in range(300)}
    usages = {word: "default" if chance.random() < 0.2 else "folk" for word in drawn}
    return [{"_id": word, "usage": usages[word], "uses": chance.randrange(3)} for word in sorted(drawn)]


@pytest.mark.parametrize(("database", "seed"), [("mock", 0), ("wire", 1)], indirect=["database"])
async def test_the_plain_rule_says_the_same(tenant, seed):
    words, chance = vocabulary(seed), random.Random(seed)
    await keep(tenant, words)
    asked = ["", "a", "A", "^", "~", "ss", "\u1e9e", "z", *(chance.choice(words)["_id"] for _ in range(8))]
    asked += [word[start : start + length] for word in asked[8:] for start, length in ((0, 3), (1, 5), (2, 2), (0, 9))]

    for typed in asked:
        ranked = best(words, typed)
        assert await suggested(tenant, typed, 10) == ranked[:10], typed
        assert await suggested(tenant, typed, 100) == ranked[:100], typed


@pytest.mark.parametrize(("database", "seed"), [("mock", 0), ("wire", 1)], indirect=["database"])
async def test_the_plain_rule_says_the_same_of_what_shows_to_a_user(tenant, seed):
    words, chance, bob = vocabulary(seed), random.Random(seed), seen_by(tenant, Role.REGULAR)
    for word in words:
        word["seen"] = {chance.choice(["public", str(bob.user), "5f" * 12]): chance.randrange(2)}
    showing = [word for word in words if is_visible(bob, word)]
    await keep(tenant, words)
    asked = ["", "a", "A", "^", "ss", "z", *(chance.choice(words)["_id"] for _ in range(10))]

    for typed in asked:
        assert await suggested(tenant, typed, 10, bob) == best(showing, typed)[:10], typed
    assert 50 < len(showing) < len(words)
    found = tenant.tags.records.find(visible_to(bob), {"_id": 1})
    assert {word["_id"] async for word in found} == {word["_id"] for word in showing}


async def test_no_word_is_lost_between_two_windows(tenant):
    words = [{"_id": f"w{number:04}", "usage": "folk", "uses": number // 400} for number in range(1000)]
    await keep(tenant, words)

    assert await suggested(tenant, "w") == best(words, "w")[:100]
    assert await suggested(tenant, "0") == best(words, "0")[:100]
    assert await suggested(tenant, "w0999") == ["w0999"]


async def test_only_so_many_candidates_are_looked_at(tenant, monkeypatch):
    monkeypatch.setattr("catalog.domain.terms.suggest.MOST_LOOKED_AT", 50)
    common = [{"_id": f"abcdx-bcdex{number}", "usage": "folk", "uses": 2} for number in range(200)]
    await keep(tenant, [*common, {"_id": "xabcde", "usage": "folk", "uses": 1}])

    assert await suggested(tenant, "abcde") == []
    assert await suggested(tenant, "xabc") == ["xabcde"]


async def test_a_word_can_be_suggested_however_it_was_made(tenant):
    ada = await somebody(tenant)
    await count_uses(tenant, NO_TERMS, ItemTerms(frozenset({"Folk_one"}), frozenset({"Folk_two"})), ada.user)
    await create(ada, Vocabulary.TAGS, NewTerm("My folk"))

    assert await suggested(tenant, "FOL") == ["My folk", "Folk_one"]
    assert [word["_id"] for word in await suggest(seen_by(tenant), Vocabulary.METADATA, "fol", 10)] == ["Folk_two"]

    await count_uses(tenant, NO_TERMS, ItemTerms(frozenset({"Folk_three"}), frozenset()), ada.user)
    await count_uses(tenant, NO_TERMS, ItemTerms(frozenset({"Folk_three"}), frozenset()), ada.user)
    assert await suggested(tenant, "folk") == ["My folk", "Folk_three", "Folk_one"]

    await create(ada, Vocabulary.TAGS, NewTerm("Folk_one"))
    assert await suggested(tenant, "folk") == ["Folk_one", "My folk", "Folk_three"]


async def test_a_longer_question_is_refused(tenant):
    assert await suggested(tenant, "x" * LONGEST) == []
    with pytest.raises(Refused):
        await suggested(tenant, "x" * (LONGEST + 1))


@given(st.text("aAbBk\u212as\u017f\u00df\u1e9e\u0130i\u03c3\u03c2", max_size=12), st.data())
def test_a_word_that_a_pattern_matches_has_the_piece_it_is_narrowed_by(word, data):
    start = data.draw(st.integers(0, len(word)))
    part = word[start : data.draw(st.integers(start, len(word)))]
    part = data.draw(st.sampled_from([part, part.swapcase(), part.upper()]))
    pattern, options = data.draw(st.sampled_from(["", "^"])) + part, data.draw(st.sampled_from(["", "i", "im"]))

    if re.search(pattern, word, re.IGNORECASE if "i" in options else 0):
        piece = piece_of(pattern, options)
        assert piece is None or piece in spelling(word)["pieces"]


def test_a_long_word_has_no_more_pieces_than_its_first_letters():
    short, long = (len(spelling(string.printable[:length].lower())["pieces"]) for length in (32, 100))

    assert long == short + 1


async def test_a_pattern_finds_what_stands_far_behind_in_a_long_word(tenant):
    long = "x" * 40 + "needle" + "y" * 40
    await keep(tenant, [{"_id": word} for word in (long, "a needle", "other", "z" * 50)])
    query = filter_of(TAGS, json.dumps({"_id": {"$regex": "needle"}})).query

    found = {word["_id"] async for word in tenant.tags.records.find(query)}

    assert found == {long, "a needle"}


async def test_a_long_word_is_suggested_by_its_beginning_and_by_all_of_it(tenant):
    long = "the quick brown fox jumps over the lazy dog and goes home"
    await keep(tenant, [{"_id": word, "usage": "folk", "uses": 1} for word in (long, long[:45], "brown")])

    assert await suggested(tenant, "quick brown") == [long[:45], long]
    assert await suggested(tenant, long[:50]) == [long]
    assert await suggested(tenant, long) == [long]


@pytest.mark.parametrize(
    ("pattern", "options", "narrowed"),
    [
        ("Fol", "", {"$in": ["*fol", "+"]}),
        ("Fol", "i", {"$in": ["*fol", "+"]}),
        ("folk_z", "", {"$in": ["*lk_z", "+"]}),
        ("^Folk", "i", "^folk"),
        ("^Folk", "im", {"$in": ["*folk", "+"]}),
        ("^Folk$", "i", "^folk"),
        ("^Folk", "", None),
        ("Fo", "", None),
        ("^", "", None),
        ("F.lk", "", None),
    ],
)
def test_a_pattern_of_plain_text_is_narrowed_by_a_piece(pattern, options, narrowed):
    asked = filter_of(TAGS, json.dumps({"_id": {"$regex": pattern, "$options": options}}))

    assert asked.query.get("pieces") == narrowed


async def test_a_pattern_finds_words_through_their_pieces(tenant):
    await keep(tenant, [{"_id": word} for word in ("My_Folk", "folk", "Follow", "other")])

    async def found(pattern, options=""):
        query = filter_of(TAGS, json.dumps({"_id": {"$regex": pattern, "$options": options}})).query
        return {word["_id"] async for word in tenant.tags.records.find(query)}

    assert await found("Fol") == {"My_Folk", "Follow"}
    assert await found("Fol", "i") == {"My_Folk", "folk", "Follow"}
    assert await found("^Fol", "i") == {"folk", "Follow"}
    assert await found("FOLK$", "i") == {"My_Folk", "folk"}


async def suggestions(client, org, resource, **query):
    answer = await client.get(f"/v1/{resource}/suggest", params=query, headers=org.as_("ada"))
    assert answer.status_code == 200, answer.text
    return answer.json()["docs"]


@pytest.mark.parametrize("resource", ["tags", "metadata"])
async def test_each_tenant_is_suggested_its_own_words(client, org, other_org, resource):
    for tenant, word in ((org, "Folk_ours"), (other_org, "Folk_theirs")):
        made = await client.post(f"/v1/{resource}", json={"_id": word}, headers=tenant.as_("admin"))
        assert made.status_code == 200

    ours = await suggestions(client, org, resource, q="folk")
    theirs = await suggestions(client, other_org, resource, q="folk")

    assert ours == [{"usage": "default", "_id": "Folk_ours", "uses": 0}]
    assert theirs == [{"usage": "default", "_id": "Folk_theirs", "uses": 0}]


async def test_a_ui_asks_for_as_many_as_it_shows(client, org):
    body = [{"_id": f"word{number}"} for number in range(101)]
    await client.post("/v1/tags", json=body, headers=org.as_("admin"))

    asked = [{}, {"q": "WORD"}, {"q": "word", "limit": 3}, {"limit": 0}, {"limit": 1000}]
    counted = [len(await suggestions(client, org, "tags", **query)) for query in asked]

    assert counted == [10, 10, 3, 0, 100]


async def test_only_who_is_signed_in_and_short_is_answered(client, org):
    unknown = await client.get("/v1/tags/suggest", params={"q": "a"})
    long = await client.get("/v1/tags/suggest", params={"q": "a" * 129}, headers=org.as_("ada"))

    assert (unknown.status_code, unknown.json()["value"]) == (401, 3)
    assert (long.status_code, long.json()["value"]) == (400, 6)


async def test_a_word_of_the_same_name_can_still_be_removed(client, org):
    await client.post("/v1/tags", json={"_id": "suggest"}, headers=org.as_("admin"))

    removed = await client.delete("/v1/tags/suggest", headers=org.as_("admin"))

    assert (removed.status_code, removed.json()["_id"]) == (200, "suggest")
