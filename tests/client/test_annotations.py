"""Tags, metadata and aliases are checked before anything is sent."""

import math

import numpy as np
import pytest

from catalog.client.errors import Invalid
from catalog.client.push_pull.annotations import metadata_values, refuse_alias, refuse_beyond, selection_of, texts
from catalog.commands.terminal.values import pairs


class OneValue:
    """A scalar as PyTorch and others have it."""

    def item(self):
        return 0.5


def test_scalars_of_libraries_of_arrays_are_numbers():
    found = metadata_values(
        {"a": np.float32(0.5), "b": np.int64(3), "c": np.bool_(1), "d": OneValue(), "e": np.array([2])}
    )

    assert found == {"a": 0.5, "b": 3, "c": True, "d": 0.5, "e": 2}
    assert [type(value) for value in found.values()] == [float, int, bool, float, int]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, np.float64("nan")])
def test_what_is_no_finite_number_is_refused_or_kept_as_a_text(value):
    with pytest.raises(Invalid, match=r"^loss is (NaN|-?Infinity)"):
        metadata_values({"loss": value})

    assert metadata_values({"loss": value}, allow_nan="text")["loss"] in {"NaN", "Infinity", "-Infinity"}


@pytest.mark.parametrize("value", [[1, 2], None, {"a": 1}, np.array([1, 2]), object(), b"text", 1j])
def test_a_value_that_is_no_scalar_is_refused_by_its_name(value):
    with pytest.raises(Invalid, match=r"^history is "):
        metadata_values({"history": value})


@pytest.mark.parametrize("metadata", [["accuracy"], "accuracy", {3: 1}, {"": 1}, {" ": 1}])
def test_metadata_is_a_mapping_of_names(metadata):
    with pytest.raises(Invalid):
        metadata_values(metadata)


def test_a_text_is_a_list_of_one_wherever_a_list_is_meant():
    assert texts("tags", "flowers") == texts("inputs", ["flowers"]) == ["flowers"]
    assert texts("tags", iter(["a", "b"])) == ["a", "b"]
    assert texts("users", None) == []
    assert selection_of("*.json", "logs/") == selection_of(["*.json"], ("logs/",))
    for wrong in (["a", 7], 7, [""], b"a"):
        with pytest.raises(Invalid, match=r'Write users as \["ada", "bob"\]'):
            texts("users", wrong)


def test_what_is_longer_than_the_server_takes_is_named():
    limits = {"tag": 5, "metadata_name": 5, "metadata_value": 5}

    refuse_beyond(limits, ["abcde"], {"abcde": "abcde", "b": 10**9})
    for tags, metadata in ((["abcdef"], {}), ([], {"abcdef": 1}), ([], {"a": "abcdef"})):
        with pytest.raises(Invalid, match="6 characters, and the server takes 5"):
            refuse_beyond(limits, tags, metadata)


@pytest.mark.parametrize("alias", ["3", "v3", "V12", "latest", "LATEST", "", "a b", "a/b", "x" * 256])
def test_what_cannot_be_an_alias_is_refused(alias):
    with pytest.raises(Invalid):
        refuse_alias(alias)


@pytest.mark.parametrize("alias", ["champion", "v3-candidate", "3rd", "ä"])
def test_an_alias_has_letters_digits_and_dashes(alias):
    refuse_alias(alias)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("accuracy=0.95", 0.95),
        ("layers=12", 12),
        ("tuned=true", True),
        ("version=1.10", "1.10"),
        ("id=12345e6", "12345e6"),
        ("id=7e12345", "7e12345"),
        ("code=007", "007"),
        ("note=a=b", "a=b"),
        ("loss=NaN", "NaN"),
        ("rate:=1e-3", 0.001),
        ('seed:="7"', "7"),
    ],
)
def test_a_number_of_the_command_line_loses_no_digit(text, expected):
    [found] = pairs([text]).values()

    assert (found, type(found)) == (expected, type(expected))


@pytest.mark.parametrize("text", ["accuracy", "=1", ":=1", "a:=[1]", "a:=null", "a:=x", "a:=NaN"])
def test_what_is_no_pair_is_a_sentence(text):
    with pytest.raises(Invalid):
        pairs([text])
