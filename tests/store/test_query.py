"""What a client may ask of a list, and that nothing else reaches the database."""

import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import bson
import mongomock
import pymongo
import pytest
from bson import ObjectId
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from catalog.errors import INVALID_QUERY, Refused
from catalog.store.query.declarations import Fields
from catalog.store.query.fields import COLLEAGUES, MODELS, TAGS, TENANTS, USERS
from catalog.store.query.filters import filter as query_filter
from catalog.store.query.filters.filter import filter_of, within
from catalog.store.query.filters.matching import matcher
from catalog.store.query.filters.patterns import Rich, escaped, prefix_range
from catalog.store.query.params import PageRequest, page_of, select_of, short_forms, sort_of
from tests.support.app import OURS

EVERYWHERE = settings(max_examples=300, deadline=None)
ASKED = settings(max_examples=150, deadline=None)

ADA, BOB, EVE = (ObjectId(f"{digit * 24}") for digit in "abe")
DATES = ["2024-01-01", "2024-06-01T12:00:00Z", "2024-06-01T14:00:00.123456+02:00", "2025-03-04T05:06:07.890Z"]
NAMES = ["iris", "irises", "Iris", "rose", "a+b", "a.b", "é", "\U0001d49cpple", "\ue000x", "", "iris\nrose", "10"]
TAGS_USED = ["iris", "irises", "a+b", "\U0001d49c", "folk"]
NUMBERS = [0, 1, 0.5, 0.9, 10, -3]
SCALARS = [*NUMBERS, True, False, *NAMES]


def kept(date: str) -> datetime:
    """As the database keeps it."""
    read = datetime.fromisoformat(date)
    read = read if read.tzinfo else read.replace(tzinfo=UTC)
    return read.astimezone(UTC).replace(microsecond=read.microsecond // 1000 * 1000)


def _documents() -> Iterator[dict[str, Any]]:
    for number in range(36):
        document = {
            "_id": ObjectId(f"{number:024x}"),
            "serial": number,
            "name": NAMES[number % len(NAMES)],
            "owner": (ADA, BOB, EVE)[number % 3],
            "users": [ADA, BOB][: number % 4],
            "readers": [(ADA, BOB, EVE)[number % 3], *["public"] * (number % 2)],
            "visibility": ("private", "public")[number % 2],
            "tags": TAGS_USED[number % 5 : number % 5 + number % 3],
            "metadata": [
                {"name": ("accuracy", "loss", "10")[(number + each) % 3], "value": SCALARS[(number * 5 + each) % 18]}
                for each in range(number % 4)
            ],
            "timestamp": kept(DATES[number % 4]),
            "datasets": [],
        }
        if number % 5:
            document["description"] = NAMES[number % 7]
        yield document


DOCUMENTS = list(_documents())


# The grammar of filters, drawn from words that are likely to be found.

PATTERNS = [
    "iris",
    "^ir",
    "^iris$",
    "ses$",
    "^",
    "",
    r"a\+b",
    r"^a\.",
    "i.is",
    "^(iris|rose)",
    "[a-z]{4}$",
    "a+b",
    "^\U0001d49c",
    "b$|^r",
]


def literals(field: str) -> st.SearchStrategy[Any]:
    return st.sampled_from(
        {
            "owner": [*map(str, (ADA, BOB, EVE)), "nobody"],
            "users": [*map(str, (ADA, BOB, EVE)), "nobody"],
            "timestamp": DATES,
            "serial": NUMBERS,
            "tags": TAGS_USED,
            "metadata.name": ["accuracy", "loss", "10", "other"],
            "metadata.value": SCALARS,
        }.get(field, NAMES)
    )


def conditions(field: str, *, one: bool = False) -> st.SearchStrategy[dict[str, Any]]:
    """Of a field, or of one element of it: an object of one to three operators."""
    value = literals(field)
    equal = value | st.none()
    if field in {"tags", "users"} and not one:
        equal |= st.lists(value, max_size=2)
    operators = {
        **dict.fromkeys(["$gt", "$gte", "$lt", "$lte"], value),
        **dict.fromkeys(["$eq", "$ne"], equal),
        **dict.fromkeys(["$in", "$nin"], st.lists(value | st.none(), max_size=3)),
    }
    if field not in {"owner", "users", "timestamp", "serial"}:
        operators["$regex"] = st.sampled_from(PATTERNS)
    if not one:
        operators["$exists"] = st.booleans()
    if field in {"tags", "users"} and not one:
        operators["$size"] = st.integers(0, 3)
        operators["$all"] = st.lists(value, min_size=1, max_size=2)
        operators["$elemMatch"] = st.deferred(lambda: conditions(field, one=True))
    if field == "metadata.name":
        operators["$all"] = st.lists(value, min_size=1, max_size=2)
    if not one:
        operators["$not"] = st.deferred(lambda: conditions(field, one=True))
    return _objects(operators)


def _objects(operators: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[dict[str, Any]]:
    chosen = st.lists(st.sampled_from(sorted(operators)), min_size=1, max_size=3, unique=True)
    return chosen.flatmap(lambda names: st.fixed_dictionaries({name: operators[name] for name in names})).flatmap(
        lambda made: (
            st.sampled_from([made, {**made, "$options": "i"}, {**made, "$options": "m"}])
            if "$regex" in made
            else st.just(made)
        )
    )


def pairs() -> st.SearchStrategy[dict[str, Any]]:
    """What `$elemMatch` asks of one pair of the metadata."""
    return st.fixed_dictionaries(
        {},
        optional={
            "name": literals("metadata.name") | conditions("metadata.name"),
            "value": literals("metadata.value") | conditions("metadata.value"),
        },
    ).filter(bool)


def metadata() -> st.SearchStrategy[dict[str, Any]]:
    found = st.fixed_dictionaries({"$elemMatch": pairs()})
    return st.one_of(
        found,
        st.fixed_dictionaries({"$not": found}),
        st.fixed_dictionaries({"$all": st.lists(found, min_size=1, max_size=2)}),
        st.fixed_dictionaries({"$size": st.integers(0, 3)}),
    )


PLAIN_FIELDS = [
    "name",
    "owner",
    "users",
    "tags",
    "serial",
    "timestamp",
    "description",
    "metadata.name",
    "metadata.value",
]


def clauses() -> st.SearchStrategy[dict[str, Any]]:
    by_field = {name: literals(name) | conditions(name) for name in PLAIN_FIELDS} | {"metadata": metadata()}
    for name in ("name", "tags", "description", "metadata.name", "metadata.value"):
        by_field[name] |= st.fixed_dictionaries({"$regex": st.sampled_from(PATTERNS)})
    chosen = st.lists(st.sampled_from(sorted(by_field)), min_size=1, max_size=2, unique=True)
    return chosen.flatmap(lambda names: st.fixed_dictionaries({name: by_field[name] for name in names}))


def filters() -> st.SearchStrategy[dict[str, Any]]:
    def joints(inner: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
        several = st.lists(inner, min_size=1, max_size=3)
        return st.one_of(*(st.fixed_dictionaries({joint: several}) for joint in ("$and", "$or", "$nor")))

    return st.recursive(clauses(), joints, max_leaves=4)


ACCESS = st.sampled_from(
    [
        {},
        {"readers": {"$elemMatch": {"$in": [ADA, "public"]}}},
        {"owner": BOB},
        {"name": {"$gte": "i"}},
        {"$or": [{"owner": ADA}, {"visibility": "public"}]},
        {"$and": [{"owner": ADA}, {"visibility": "private"}]},
    ]
)

KEPT = {str(each): each for each in (ADA, BOB, EVE)} | {each: kept(each) for each in DATES}


def as_kept(asked: Any) -> Any:
    """A filter with its ids and dates as the database keeps them, and all else as the client wrote it."""
    if isinstance(asked, dict):
        return {key: as_kept(value) for key, value in asked.items()}
    if isinstance(asked, list):
        return [as_kept(each) for each in asked]
    return KEPT.get(asked, asked) if isinstance(asked, str) else asked


def compiled(asked: Any) -> query_filter.Filter:
    try:
        return filter_of(MODELS, json.dumps(asked))
    except Refused as refused:
        assume("levels" not in refused.details)
        raise


@pytest.fixture(scope="module")
def wire(mongo: str) -> Iterator[Any]:
    client = pymongo.MongoClient(mongo, tz_aware=True)
    database = client[f"{OURS}-query"]
    database.things.insert_many(DOCUMENTS)
    yield database.things
    client.drop_database(database)
    client.close()


@pytest.fixture(scope="module")
def mock() -> Any:
    things = mongomock.MongoClient(tz_aware=True).database.things
    things.insert_many(DOCUMENTS)
    return things


def answered(collection: Any, access: dict[str, Any], asked: query_filter.Filter) -> list[int]:
    matches = asked.matches or (lambda _: True)
    return sorted(found["serial"] for found in collection.find(within(access, asked)) if matches(found))


def expected(*queries: dict[str, Any]) -> list[int]:
    tests = [matcher(each) for each in queries]
    return [document["serial"] for document in DOCUMENTS if all(test(document) for test in tests)]


@ASKED
@given(asked=filters(), access=ACCESS)
def test_the_database_and_the_server_together_answer_what_was_asked(wire, asked, access):
    assert answered(wire, access, compiled(asked)) == expected(access, as_kept(asked))


def is_misread_by_the_mock(asked: Any) -> bool:
    """To mongomock True is 1, of a list `$not` and whatever stands beside `$ne` ask every element, and `$not` has no
    `$options`.
    """
    if isinstance(asked, list):
        return any(is_misread_by_the_mock(each) for each in asked)
    if not isinstance(asked, dict):
        return isinstance(asked, int) and asked in {0, 1}
    several = any("." in key and isinstance(value, dict) and len(value) > 1 for key, value in asked.items())
    inner = [value for key, value in asked.items() if key not in {"$exists", "$size"}]
    return several or "$not" in asked or any(is_misread_by_the_mock(value) for value in inner)


@ASKED
@given(asked=filters(), access=ACCESS)
def test_the_mock_answers_the_same(mock, asked, access):
    filtered = compiled(asked)
    assume(not is_misread_by_the_mock(filtered.query))

    assert answered(mock, access, filtered) == expected(access, as_kept(asked))


@EVERYWHERE
@given(asked=filters(), access=ACCESS)
def test_within_is_both_and_never_more(asked, access):
    both = compiled(asked)

    together = matcher(within(access, both))

    for document in DOCUMENTS:
        assert together(document) == (matcher(access)(document) and matcher(both.query)(document))


def test_within_keeps_side_by_side_what_does_not_collide():
    access = {"readers": {"$elemMatch": {"$in": [ADA, "public"]}}}

    assert within(access, filter_of(MODELS, '{"tags":"iris"}')) == {**access, "tags": "iris"}
    assert within(access, filter_of(MODELS, "")) == access
    assert within({"name": "iris"}, filter_of(MODELS, '{"name":"rose"}')) == {
        "name": "iris",
        "$and": [{"name": "rose"}],
    }


COLLIDING = [
    {"name": {"$gte": "a"}},
    {"name": {"$gte": "a", "$lt": "z"}},
    {"name": "rose"},
    {"name": {"$ne": None}},
    {"$and": [{"name": {"$gte": "a"}}, {"name": {"$gte": "b"}}]},
    {"$or": [{"owner": str(EVE)}, {"name": "iris"}]},
    {"$and": [{"$or": [{"owner": str(EVE)}]}, {"$or": [{"name": "iris"}]}], "name": {"$gte": "a"}},
]
STRICT = [
    {"name": {"$gte": "j"}},
    {"name": "iris"},
    {"$or": [{"owner": ADA}, {"name": "rose"}]},
    {"$and": [{"owner": ADA}, {"name": {"$gte": "j"}}], "name": {"$gte": "k"}},
]


@pytest.mark.parametrize("access", STRICT)
@pytest.mark.parametrize("asked", COLLIDING)
def test_what_collides_with_the_access_does_not_take_its_place(access, asked):
    found = matcher(within(access, compiled(asked)))

    seen = [document["serial"] for document in DOCUMENTS if found(document)]
    assert seen == expected(access, as_kept(asked))


# Whatever a client sends.

FORBIDDEN = ["$where", "$expr", "$function", "$text", "$jsonSchema", "$comment", "$type", "$mod", "__proto__", "$"]
COMPARING = ["$eq", "$ne", "$gt", "$gte", "$lt", "$lte", "$in", "$nin", "$exists", "$regex", "$options"]
OPERATORS = [*COMPARING, "$and", "$or", "$nor", "$not", "$all", "$elemMatch", "$size"]
WORDS = st.sampled_from([*OPERATORS, *FORBIDDEN, *MODELS, "name", "value", "password", "readers", "metadata.", ""])
ANY_TEXT = st.text(st.characters(), max_size=8)  # with halves of surrogate pairs and NUL
PATTERN_TEXT = st.text(st.sampled_from("^$ab.*+?()[]{}|\\\0é\n"), max_size=8)
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.sampled_from([10**30, -(2**63), 2**63, 10**4200]),
    ANY_TEXT,
    PATTERN_TEXT,
    st.sampled_from([str(ADA), *DATES, "9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+14:00"]),
)
ANYTHING = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS | ANY_TEXT, inner, max_size=3)
)
LITERAL_PATTERN = re.compile(r"\^?(\\[!-/:-@\[-`{-~]|[^.^$*+?()\[\]{}|\\])*\$?", re.DOTALL)


def unless_refused(read: Callable[..., Any], *arguments: Any) -> Any:
    """What is read, or None when it is refused, as it should be: for one reason, in words that can be sent."""
    try:
        return read(*arguments)
    except Refused as refused:
        assert_is_one_refusal(refused)
        return None


def assert_is_one_refusal(refused: Refused) -> None:
    assert refused.fault is INVALID_QUERY
    assert refused.details.encode()


def assert_safe(asked: Any, names: set[str]) -> None:
    """Only allowed operators, only declared fields, no pattern that is more than text."""
    if isinstance(asked, list):
        for each in asked:
            assert_safe(each, names)
    elif isinstance(asked, dict):
        assert asked.keys() <= set(OPERATORS) | names
        if "$regex" in asked:
            assert LITERAL_PATTERN.fullmatch(asked["$regex"])
        for each in asked.values():
            assert_safe(each, names)
    else:
        assert not isinstance(asked, Rich)


@EVERYWHERE
@given(st.dictionaries(WORDS, ANYTHING, max_size=3) | ANYTHING | filters())
@example({"name": "\ud800"})
@example({"_id": "\0" * 24})
@example({"name": {"$regex": "\0"}})
@example({"serial": float("nan")})
@example({"serial": 2**63})
@example({"metadata.value": {"$lt": -(2**63) - 1}})
@example({"timestamp": {"$gt": "0001-01-01T00:00:00+14:00"}})
def test_whatever_is_sent_is_a_safe_query_or_one_refusal(sent):
    filtered = unless_refused(filter_of, MODELS, json.dumps(sent))

    if filtered is None:
        return
    assert_safe(filtered.query, {*MODELS, "name", "value"})
    assert bson.decode(bson.encode(filtered.query)).keys() == filtered.query.keys()
    for document in DOCUMENTS:
        assert (filtered.matches is None) or filtered.matches(document) in {True, False}


@EVERYWHERE
@given(ANY_TEXT | PATTERN_TEXT)
@example("[" * 60_000)
@example('{"$nor":[' * 6_000)
@example('{"metadata":{"$not":' * 3_000 + "1" + "}" * 6_000)
@example('{"serial":' + "9" * 5_000 + "}")
@example('{"serial":NaN}')
@example("null")
@example("[]")
def test_text_of_any_kind_is_read_or_refused(text):
    for read in (filter_of, sort_of, select_of):
        unless_refused(read, MODELS, text)


@EVERYWHERE
@given(st.lists(st.tuples(WORDS | ANY_TEXT | st.just("metadata.accuracy"), ANY_TEXT | PATTERN_TEXT), max_size=4))
def test_short_forms_of_any_kind_are_read_or_refused(params):
    filtered = unless_refused(lambda: filter_of(MODELS, None, short_forms(MODELS, params)))

    if filtered is not None:
        assert_safe(filtered.query, {*MODELS, "name", "value"})


def whole_text() -> st.SearchStrategy[str]:
    edges = st.sampled_from("az\x7f\ud7ff\ue000\uffff\U00010000\U0010ffff")
    return st.text(st.characters(codec="utf-8") | edges, max_size=4)


@EVERYWHERE
@given(prefix=whole_text(), other=whole_text())
@example(prefix="\ud7ff", other="\ue000")
@example(prefix="a\U0010ffff", other="b")
def test_the_range_of_a_prefix_is_what_starts_with_it(prefix, other):
    within_bounds = matcher({"name": prefix_range(prefix)})

    assert bson.encode(prefix_range(prefix))  # no bound is half of a surrogate pair
    for text in (other, prefix + other, prefix[:-1] + other):
        assert within_bounds({"name": text}) == text.startswith(prefix)


@EVERYWHERE
@given(whole_text())
def test_an_escaped_text_is_asked_for_as_itself(text):
    asked = json.dumps({"name": {"$regex": f"^{escaped(text)}$"}})

    assert ("\0" in text) or filter_of(MODELS, asked).query == {"name": text}


def test_the_database_orders_texts_as_the_range_of_a_prefix_needs(wire):
    for prefix in ("\U0001d49c", "é", "\ue000", "i", ""):
        asked = filter_of(MODELS, json.dumps({"name": {"$regex": f"^{prefix}"}}))

        assert answered(wire, {}, asked) == [each["serial"] for each in DOCUMENTS if each["name"].startswith(prefix)]


# What is refused, and in which words.


def refusal(asked: Any, fields: Fields = MODELS) -> str:
    with pytest.raises(Refused) as caught:
        filter_of(fields, asked if isinstance(asked, str) else json.dumps(asked))
    assert caught.value.fault is INVALID_QUERY
    return caught.value.details


@pytest.mark.parametrize("word", FORBIDDEN)
def test_a_forbidden_word_is_named_in_its_refusal_wherever_it_stands(word):
    for asked in (
        {word: "sleep(1000)"},
        {"$or": [{word: 1}]},
        [{"name": "iris"}, {word: 1}],
        {"metadata": {"$elemMatch": {word: 1}}},
        {"name": {"$gt": "a", word: 1}},
        {"name": {"$not": {word: 1, "$eq": 1}}},
    ):
        assert word in refusal(asked)


@pytest.mark.parametrize("secret", ["password", "readers", "revision", "__v", "files.digest", "name.x", "metadata.x"])
def test_what_is_not_declared_cannot_be_asked_for_sorted_or_selected(secret):
    for fields in (MODELS, USERS, COLLEAGUES, TAGS, TENANTS):
        assert secret in refusal({secret: {"$gt": ""}}, fields)
        with pytest.raises(Refused, match=re.escape(secret)):
            sort_of(fields, json.dumps({secret: 1}))
        assert select_of(fields, json.dumps([secret])) == fields.always


def test_a_regular_user_asks_nothing_of_a_colleague_but_the_name():
    for field in ("email", "role", "createdPassword"):
        assert field in refusal({field: "x"}, COLLEAGUES)


@pytest.mark.parametrize(
    ("asked", "named"),
    [
        ({"name": {"$gte": 1}}, "name: 1 is not text"),
        ({"serial": "1"}, 'serial: "1" is not a number'),
        ({"timestamp": {"$lt": "yesterday"}}, 'timestamp: "yesterday" is not a date'),
        ({"owner": {"$in": [1]}}, "owner: 1 is not an id"),
        ({"tags": {"$in": "iris"}}, "$in takes a list"),
        ({"$or": []}, "$or takes a list of 1"),
        ({"$and": {}}, "$and takes a list"),
        ({"name": {"$exists": "yes"}}, "$exists takes true or false"),
        ({"tags": {"$size": -1}}, "$size takes a number"),
        ({"name": {"$size": 1}}, "$size is for a field that is a list"),
        ({"name": {"$elemMatch": {"$eq": "a"}}}, "$elemMatch is for a field that is a list"),
        ({"tags": {"$elemMatch": {}}}, "$elemMatch is empty"),
        ({"tags": {"$all": []}}, "$all takes a list"),
        ({"name": {"$not": "iris"}}, "$not is an object"),
        ({"name": {"$options": "i"}}, "$options stands beside $regex"),
        ({"name": {"$regex": "a", "$options": "x"}}, "$options takes"),
        ({"name": {"$regex": 1}}, "$regex takes text"),
        ({"timestamp": {"$regex": "^2024"}}, "timestamp is a date"),
        ({"name": {"$regex": "("}}, "$regex: "),
        ({"name": {"$regex": "(?=a)"}}, "$regex: "),
        ({"name": {"$regex": "((a{100}){100}){100}"}}, "$regex: "),
        ({"name": {}}, "is empty"),
        ("{bad", "filter is not JSON"),
        ("12", "a filter is an object"),
        ('{"serial":NaN}', "NaN is not a number"),
    ],
)
def test_a_refusal_says_what_is_wrong(asked, named):
    assert named in refusal(asked)


def test_a_filter_has_five_levels_and_no_more():
    five = {"$or": [{"$nor": [{"$and": [{"tags": {"$not": {"$eq": "a"}}}]}]}]}

    assert filter_of(MODELS, json.dumps(five))
    assert "$eq is more than 5 levels deep" in refusal({"$or": [five]})


def test_a_filter_has_64_nodes_and_no_more():
    assert filter_of(MODELS, json.dumps([{"name": "a"}] * 63))  # an array is an $or
    assert "at most 64" in refusal([{"name": "a"}] * 64)
    assert "at most 64" in refusal({"$and": [{"name": {"$ne": "a"}}] * 32})


def test_a_pattern_has_256_characters_and_no_more():
    assert filter_of(MODELS, json.dumps({"name": {"$regex": "a" * 256}}))
    assert "256" in refusal({"name": {"$regex": "a" * 257}})


def test_a_filter_has_64_kib_and_no_more():
    longest = json.dumps({"name": "a" * (64 * 1024 - len('{"name": ""}'))})

    assert filter_of(MODELS, longest)
    assert "longer than 65536" in refusal(longest + " ")


# What is asked.


@pytest.mark.parametrize("nothing", [None, "", "  ", "{}"])
def test_no_filter_asks_for_everything(nothing):
    assert filter_of(MODELS, nothing) == query_filter.Filter({}, None)


def test_a_catastrophic_pattern_is_just_answered():
    filtered = filter_of(MODELS, '{"name":{"$regex":"(a+)+$"},"status":"test"}')

    assert filtered.query == {"status": "test"}
    assert filtered.matches is not None
    assert not filtered.matches({"name": "a" * 100_000 + "!"})
    assert filtered.matches({"name": "!" + "a" * 100_000})


def test_a_pattern_within_an_or_takes_the_whole_or_to_the_server():
    filtered = filter_of(MODELS, '{"$or":[{"name":{"$regex":"i.is"}},{"tags":"a"}],"status":"test"}')

    assert filtered.query == {"status": "test"}
    assert filtered.matches is not None
    assert filtered.matches({"name": "iris"})
    assert filtered.matches({"name": "rose", "tags": ["a"]})
    assert not filtered.matches({"name": "rose", "tags": ["b"]})


@pytest.mark.parametrize(
    ("asked", "sent"),
    [
        ({"name": {"$regex": "^iris"}}, {"name": {"$gte": "iris", "$lt": "irit"}}),
        ({"name": {"$regex": "^iris$"}}, {"name": "iris"}),
        ({"name": {"$regex": "a\\.b"}}, {"name": {"$regex": "a\\.b"}}),
        ({"name": {"$regex": "^a", "$options": "i"}}, {"name": {"$regex": "^a", "$options": "i"}}),
        ({"tags": {"$regex": "^a"}}, {"tags": {"$elemMatch": {"$gte": "a", "$lt": "b"}}}),
        ({"metadata.name": {"$regex": "^a"}}, {"metadata.name": {"$regex": "^a"}}),
        ({"metadata": {"$elemMatch": {"name": "accuracy", "value": {"$gte": 0.9}}}},) * 2,
        (
            {"metadata": {"name": "accuracy", "value": {"$gte": 0.9}}},
            {"metadata": {"$elemMatch": {"name": "accuracy", "value": {"$gte": 0.9}}}},
        ),
        ({"$and": [{"tags": "a"}, {"tags": "b"}]}, {"tags": {"$all": ["a", "b"]}}),
        ({"name": {"$not": {"$regex": "^b", "$gte": "c"}}},) * 2,
        ({"owner": str(ADA)}, {"owner": ADA}),
        ({"users": {"$in": [str(ADA), "x"]}}, {"users": {"$in": [ADA, "x"]}}),
        ({"_id": {"$gt": str(ADA)}}, {"_id": {"$gt": ADA}}),
        (
            {"timestamp": {"$gte": DATES[2]}},
            {"timestamp": {"$gte": datetime(2024, 6, 1, 12, 0, 0, 123000, tzinfo=UTC)}},
        ),
        ([{"name": "a"}, {"name": "b"}], {"$or": [{"name": "a"}, {"name": "b"}]}),
    ],
)
def test_what_the_database_is_asked(asked, sent):
    assert filter_of(MODELS, json.dumps(asked)) == query_filter.Filter(sent, None)


def test_words_of_the_folksonomy_are_asked_for_by_their_uses():
    asked = '{"_id":{"$regex":"^Fol"},"uses":{"$gt":2}}'

    assert filter_of(TAGS, asked).query == {"_id": {"$gte": "Fol", "$lt": "Fom"}, "uses": {"$gt": 2}}


# Short forms.


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("0.9", 0.9),
        ("1e3", 1000.0),
        ("true", True),
        ("True", "True"),
        ("null", "null"),
        ("[1]", "[1]"),
        ("NaN", "NaN"),
        ('"0.9"', "0.9"),
        ("http://x", "http://x"),
        ("eq:5", 5),
        ("eq:in:house", "in:house"),
        ("ne:onnx", {"$ne": "onnx"}),
        ("gt:-1", {"$gt": -1}),
        ("gte:0.9", {"$gte": 0.9}),
        ("lt:2024-01-01", {"$lt": "2024-01-01"}),
        ("lte:false", {"$lte": False}),
        ('in:onnx,1,"1"', {"$in": ["onnx", 1, "1"]}),
        ("prefix:1.5", {"$gte": "1.5", "$lt": "1.6"}),
        ("", ""),
    ],
)
def test_a_short_form_asks_for_one_pair_of_the_metadata(given, wanted):
    filtered = filter_of(MODELS, None, short_forms(MODELS, [("metadata.a.b", given), ("limit", "1")]))

    assert filtered == query_filter.Filter({"metadata": {"$elemMatch": {"name": "a.b", "value": wanted}}}, None)


def test_a_short_form_asks_whether_a_name_is_there():
    there = filter_of(MODELS, None, short_forms(MODELS, [("metadata.loss", "exists:true")]))
    absent = filter_of(MODELS, None, short_forms(MODELS, [("metadata.loss", "exists:false")]))

    assert (there.query, absent.query) == ({"metadata.name": "loss"}, {"metadata.name": {"$ne": "loss"}})
    with pytest.raises(Refused, match="loss: exists takes true or false"):
        short_forms(MODELS, [("metadata.loss", "exists:maybe")])


def test_short_forms_and_the_filter_must_all_hold():
    params = [("metadata.accuracy", "gte:0.9"), ("metadata.accuracy", "lt:0.95"), ("filter", "ignored here")]

    filtered = filter_of(MODELS, '{"tags":"iris"}', short_forms(MODELS, params))

    several = [{"$elemMatch": {"name": "accuracy", "value": value}} for value in ({"$gte": 0.9}, {"$lt": 0.95})]
    assert filtered.query == {"tags": "iris", "metadata": {"$all": several}}


def test_a_short_form_is_refused_where_there_is_no_metadata():
    with pytest.raises(Refused, match="metadata is not a field"):
        filter_of(USERS, None, short_forms(USERS, [("metadata.accuracy", "1")]))


# Order, selection, pages.


def test_a_sort_is_asc_or_desc():
    text = '{"name":"asc","owner":"desc","status":"ascending","_id":"descending","timestamp":1,"lastmod":-1}'

    order = [("name", 1), ("owner", -1), ("status", 1), ("_id", -1), ("timestamp", 1), ("lastmod", -1)]
    assert sort_of(MODELS, text) == order
    assert sort_of(MODELS, None) == sort_of(MODELS, "") == sort_of(MODELS, "{}") == []


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("bad", "sort is not JSON"),
        ('["name"]', "sort is an object"),
        ('{"tags":1}', "tags"),
        ('{"nothing":1}', "nothing"),
        ('{"name":true}', "name goes asc or desc"),
        ('{"name":2}', "name goes asc or desc"),
        ('{"name":{"$meta":"textScore"}}', "name goes asc or desc"),
    ],
)
def test_a_sort_that_cannot_be_is_refused_by_name(text, named):
    with pytest.raises(Refused, match=named) as caught:
        sort_of(MODELS, text)
    assert caught.value.fault is INVALID_QUERY


def test_a_selection_brings_what_always_comes_along():
    shown_with_it = {"_id", "users", "groups", "editors", "datasets"}
    assert select_of(MODELS, '["name","visibility"]') == {"name", "visibility"} | shown_with_it
    assert select_of(USERS, "[]") == {"_id"}


@pytest.mark.parametrize("ignored", [None, "", "name", "{bad", "[" * 60_000])
def test_a_selection_that_is_not_json_is_ignored(ignored):
    assert select_of(MODELS, ignored) is None


@pytest.mark.parametrize("text", ["[1]", '{"name":1}', '[["name"]]'])
def test_a_selection_that_cannot_be_is_refused(text):
    with pytest.raises(Refused) as caught:
        select_of(MODELS, text)
    assert caught.value.fault is INVALID_QUERY
    caught.value.details.encode()


@pytest.mark.parametrize(
    ("page", "limit", "asked"),
    [
        (None, None, (1, 10)),
        ("", "", (1, 10)),
        ("3", "20", (3, 20)),
        ("2", "0", (2, 0)),
        ("1", "1001", (1, 1000)),
        ("10000", "1000", (10_000, 1000)),
    ],
)
def test_pages_are_read_as_recorded(page, limit, asked):
    assert page_of(page, limit) == PageRequest(*asked)


@pytest.mark.parametrize("text", ["-1", "-7", "+5", "two", "1_0", "1.5", "٣", " ", "9" * 5000, "\ud800"])
@pytest.mark.parametrize("name", ["page", "limit"])
def test_what_is_no_number_is_refused_by_its_name(name, text):
    with pytest.raises(Refused, match=f"{name}: a whole number") as caught:
        page_of(**{"page": None, "limit": None, name: text})
    assert caught.value.fault is INVALID_QUERY
    caught.value.details.encode()


def test_there_is_no_page_before_the_first():
    with pytest.raises(Refused, match="page: a whole number from 1 on"):
        page_of("0", None)


@pytest.mark.parametrize(("page", "limit"), [("10001", "1000"), ("9" * 3000, "0"), ("10000001", "1")])
def test_a_page_too_far_is_refused(page, limit):
    with pytest.raises(Refused, match="up to its document 10000000") as caught:
        page_of(page, limit)
    assert caught.value.fault is INVALID_QUERY
