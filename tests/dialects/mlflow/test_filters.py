"""The filter language and `order_by` of MLflow's searches, read without a server."""

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.dialects.mlflow.search.filters import LONGEST, MODEL_ATTRIBUTES, VERSION_ATTRIBUTES, Condition, parse
from catalog.dialects.mlflow.search.ordering import MODEL_KEYS, VERSION_KEYS, order_of
from catalog.dialects.mlflow.search.queries import native_values, shown_value
from catalog.errors import INVALID_QUERY, Refused
from catalog.store.query.filters.patterns import like


@pytest.mark.parametrize(
    ("text", "condition"),
    [
        ("name = 'iris'", Condition("name", "=", "iris")),
        ("name='iris'", Condition("name", "=", "iris")),
        ('attribute.name != "iris\'s"', Condition("name", "!=", "iris's")),
        ("name = 'it''s'", Condition("name", "=", "it's")),
        (r"name = 'it\'s'", Condition("name", "=", "it's")),
        ("name LIKE 'i%'", Condition("name", "LIKE", "i%")),
        ("name ilike 'I_is'", Condition("name", "ILIKE", "I_is")),
        ("name IN ('a', 'b')", Condition("name", "IN", ("a", "b"))),
        ("name not  in ('a')", Condition("name", "NOT IN", ("a",))),
        ("version_number >= 2", Condition("version_number", ">=", 2)),
        ("version_number = '2'", Condition("version_number", "=", 2)),
        ("run_id = 'abc'", Condition("run_id", "=", "abc")),
        ("source_path LIKE 's3://%'", Condition("source_path", "LIKE", "s3://%")),
        ("stage = 'Production'", Condition("stage", "=", "Production")),
        ("alias IN ('a')", Condition("alias", "IN", ("a",))),
        ("creation_timestamp > 1700000000000", Condition("creation_timestamp", ">", 1700000000000)),
        ("tags.team = 'vision'", Condition("team", "=", "vision", is_tag=True)),
        ("tag.mlflow.source.name = 'x'", Condition("mlflow.source.name", "=", "x", is_tag=True)),
        ("tags.`a key` != ''", Condition("a key", "!=", "", is_tag=True)),
        ('tags."a-key" ILIKE "%x%"', Condition("a-key", "ILIKE", "%x%", is_tag=True)),
    ],
)
def test_a_condition_is_read(text, condition):
    assert parse(text, VERSION_ATTRIBUTES) == [condition]


def test_conditions_are_joined_by_and_in_any_case_and_one_may_be_left_over():
    found = parse("name = 'a' AND tags.k = 'v' and\nversion_number < 3 AND ", VERSION_ATTRIBUTES)

    assert [each.key for each in found] == ["name", "k", "version_number"]
    assert parse("  ", MODEL_ATTRIBUTES) == []


@pytest.mark.parametrize(
    "text",
    [
        "name = 'a' OR name = 'b'",
        "NOT name = 'a'",
        "(name = 'a')",
        "name = 'a'; name = 'b'",
        "name = 'a' name = 'b'",
        "AND name = 'a'",
        "name",
        "name =",
        "name = a",
        "name = 'a",
        "name LIKE 5",
        "name IS NULL",
        "tags.k IS NULL",
        "run_id IS NULL",
        "NAME = 'a'",
        "Name = 'a'",
        "unknown = 'a'",
        "params.k = 'a'",
        "tags.k = 5",
        "tags.k IN ('a')",
        "tags.k > 'a'",
        "version_number = 1.5",
        "version_number = 'x'",
        "version_number LIKE '1'",
        "version_number = 99999999999999999999",
        "run_id IN ()",
        "run_id IN ('a',)",
        "run_id IN ('a' 'b')",
        "source_path IN ('a')",
        "alias != 'a'",
        "creation_timestamp = 'soon'",
        "\0",
        "name = '\\",
        "tags.`k = 'a'",
    ],
)
def test_what_is_no_filter_is_refused_with_a_sentence(text):
    with pytest.raises(Refused) as refused:
        parse(text, VERSION_ATTRIBUTES)

    assert refused.value.fault is INVALID_QUERY
    assert refused.value.details.split()[0] in {"Invalid", "Expected"}


@pytest.mark.parametrize(
    "text",
    [
        "name = '" + "\\'" * 9000,
        "name = '" + "''" * 9000,
        "x" * (LONGEST + 1),
        "name = 'a' AND " * 51,
        "name IN (" + "'a'," * 4000 + "'a')",
    ],
)
def test_long_filters_are_refused_at_once(text):
    with pytest.raises(Refused):
        parse(text, MODEL_ATTRIBUTES)


@settings(max_examples=200)
@given(st.text(alphabet="name=tgs.`'\"\\()<>!ANDOR LIKEin,12;%_", max_size=60))
def test_any_text_is_read_or_refused(text):
    with suppress(Refused):
        parse(text, VERSION_ATTRIBUTES)


@given(st.text(max_size=40).filter(lambda text: "'" not in text and "\\" not in text))
def test_any_quoted_value_is_read_as_it_stands(value):
    assert parse(f"tags.k = '{value}'", MODEL_ATTRIBUTES) == [Condition("k", "=", value, is_tag=True)]


@pytest.mark.parametrize(
    ("clauses", "order"),
    [
        ([], [("name", 1)]),
        (["name DESC"], [("name", -1)]),
        (["  name\t desc "], [("name", -1)]),
        (["`name` ASC"], [("name", 1)]),
        (["last_updated_timestamp desc", "name"], [("lastmod", -1), ("name", 1)]),
        (["timestamp"], [("lastmod", 1)]),
        (["attribute.creation_timestamp DESC"], [("serial", -1)]),
    ],
)
def test_an_order_is_read(clauses, order):
    assert order_of(clauses, MODEL_KEYS, [("name", 1)]) == order


@pytest.mark.parametrize(
    "clauses",
    [["version"], ["name up"], ["name asc desc"], [""], ["name,"], ["name", "name DESC"], ["Name"], ["name"] * 11],
)
def test_what_is_no_order_is_refused(clauses):
    with pytest.raises(Refused) as refused:
        order_of(clauses, VERSION_KEYS, [])

    assert refused.value.details.startswith("Invalid order")


@pytest.mark.parametrize(
    ("pattern", "regex"),
    [
        ("iris", "^iris$"),
        ("iris%", "^iris"),
        ("%iris", "iris$"),
        ("%iris%", "iris"),
        ("i%s", "^i.*s$"),
        ("i_s", "^i.s$"),
        ("%", ""),
        ("", "^$"),
        ("a.b*", r"^a\.b\*$"),
    ],
)
def test_like_becomes_a_pattern(pattern, regex):
    assert like(pattern, ignores_case=False) == {"$regex": regex, "$options": "s"}
    assert like(pattern, ignores_case=True)["$options"] == "is"


@pytest.mark.parametrize(("text", "values"), [("0.9", [0.9]), ("3", [3]), ("true", [True]), ("03", []), ("x", [])])
def test_a_native_number_or_boolean_is_found_by_the_text_that_shows_it(text, values):
    assert native_values(text) == values
    assert [shown_value(value) for value in values] == [text] * len(values)
