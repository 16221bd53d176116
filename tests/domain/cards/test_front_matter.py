"""The YAML of a card is read within bounds, and gives plain values only."""

from contextlib import suppress
from time import thread_time

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.domain.cards.fields import dataset_names, item_change
from catalog.domain.cards.front_matter import LONGEST, FrontMatterError, parse

HUB = """---
license: apache-2.0
language:
- en
- no
tags: [flowers, "1.0"]
library_name: sklearn
pipeline_tag: tabular-classification
datasets: iris
metrics: [accuracy, f1]
model-index:
- name: iris
  results: [{value: 0.97, verified: true, step: 10, note: null}]
released: 2026-05-01
---
# Iris
"""


def test_the_front_matter_of_the_hub_is_read():
    card = parse(HUB)

    assert card.body == "# Iris\n"
    assert card.front_matter == {
        "license": "apache-2.0",
        "language": ["en", "no"],
        "tags": ["flowers", "1.0"],
        "library_name": "sklearn",
        "pipeline_tag": "tabular-classification",
        "datasets": "iris",
        "metrics": ["accuracy", "f1"],
        "model-index": [{"name": "iris", "results": [{"value": 0.97, "verified": True, "step": 10, "note": None}]}],
        "released": "2026-05-01",
    }


def test_it_fills_the_fields_of_an_item():
    front_matter = parse(HUB).front_matter

    change = item_change(front_matter, ["65a1b2c3d4e5f60718293a4b"])

    assert (change.license, change.library, change.provider) == ("apache-2.0", "sklearn", None)
    assert (change.languages, change.tasks) == (["en", "no"], ["tabular-classification"])
    assert (change.tags.add, change.datasets.add) == (["flowers", "1.0"], ["65a1b2c3d4e5f60718293a4b"])
    assert dataset_names(front_matter) == ["iris"]


@pytest.mark.parametrize("text", ["# Iris\n", "", "---\nno end\n", "---\n\n---\n", "----\na: b\n----\n"])
def test_a_text_without_front_matter_is_markdown(text):
    assert parse(text).front_matter == {}


@pytest.mark.parametrize(
    ("opening", "end"), [("---\r\n", "\r\n---\r\n"), ("\ufeff---\n", "\n...\n"), ("---  \n", "\n---")]
)
def test_line_ends_and_marks_vary(opening, end):
    assert parse(f"{opening}license: mit{end}").front_matter == {"license": "mit"}


BOMBS = {
    "aliases": "a: &a [1]\nb: *a",
    "an object": "a: !!python/object/apply:os.system [ls]\nb: *x",
    "deep nesting": "a: " + "[" * 200 + "]" * 200,
    "endless nesting": "[" * 60_000,
    "many values": "a: [" + "1," * 6000 + "]",
    "many characters": "a: " + "x" * LONGEST,
    "a list": "- a",
    "a text": "just text",
    "a list as a key": "? [a, b]\n: c",
    "no YAML": "a: [",
    "a tab": "a:\n\t- b",
}


@pytest.mark.parametrize("text", BOMBS.values(), ids=BOMBS.keys())
def test_what_is_not_front_matter_is_refused_at_once(text):
    with pytest.raises(FrontMatterError):
        parse(f"---\n{text}\n---\n")


def test_a_tag_makes_no_object():
    assert parse("---\na: !!python/name:os.system x\n---\n").front_matter == {"a": "x"}


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**15), 10**15) | st.text(st.characters(codec="ascii"), max_size=9),
    lambda each: (
        st.lists(each, max_size=3) | st.dictionaries(st.from_regex("[a-z]{1,5}", fullmatch=True), each, max_size=3)
    ),
    max_leaves=8,
)


@settings(deadline=None, max_examples=50)
@given(st.dictionaries(st.from_regex("[a-z]{1,5}", fullmatch=True), VALUES, max_size=4))
def test_what_another_program_writes_is_read_as_it_was(value):
    dumped = yaml.safe_dump(value)

    read = parse(f"---\n{dumped}---\n").front_matter

    assert read == {"null" if key is None else str(key): each for key, each in value.items()}


@settings(deadline=None, max_examples=100)
@given(st.text(max_size=200))
def test_no_text_raises_anything_else(text):
    began = thread_time()

    with suppress(FrontMatterError):
        assert isinstance(parse(f"---\n{text}\n---\n").front_matter, dict)

    assert thread_time() - began < 2
