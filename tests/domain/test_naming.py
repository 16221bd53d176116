"""What a name may be: rules for what is new, while what exists stays reachable as it is spelled."""

from unicodedata import category, is_normalized, normalize

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from catalog.domain.naming import NameInvalidError, item_name, spelling_in, spellings, term, username
from catalog.folding import folded

TEXTS = st.text(st.characters(), max_size=40) | st.text("aA/. ｡ａé\u0301\u200b\u202eß", max_size=12)
RULES = (item_name, username, term)

GOOD = ("iris", "facebook/opt-125m", "a b", "модель", "🌸", "❤️", "a+b?c#d;e%2F", "v1.0", "...", "x" * 300)
BAD = {
    "": "empty",
    " iris": "space",
    "iris\u00a0": "space",
    "iris\n": "space",
    "a\x07b": "U+0007",
    "a\u200bb": "U+200B",
    "a\u200db": "U+200D",
    "a\u202eb": "U+202E",
    "a\u2066b": "U+2066",
    "a\ufeffb": "U+FEFF",
    "a\u2028b": "U+2028",
    "a\u3164b": "U+3164",
    "a\ud800b": "U+D800",
    ".": "are not names",
    "..": "are not names",
}


def accepted(rule, text):
    try:
        return rule(text)
    except NameInvalidError:
        return None


@pytest.mark.parametrize("name", GOOD)
def test_a_sensible_name_stays_as_it_is(name):
    assert item_name(name) == term(name) == name


@pytest.mark.parametrize(("name", "reason"), BAD.items(), ids=map(ascii, BAD))
@pytest.mark.parametrize("rule", RULES)
def test_a_name_that_deceives_is_refused_with_the_reason(rule, name, reason):
    with pytest.raises(NameInvalidError, match=reason.replace("+", r"\+")):
        rule(name)


@pytest.mark.parametrize("name", ["/", "/a", "a/", "a//b", "a/../b", "./a"])
def test_an_item_has_no_empty_part_around_a_slash_and_no_dots_for_one(name):
    with pytest.raises(NameInvalidError):
        item_name(name)
    assert term(name) == name


def test_a_username_has_no_slash():
    with pytest.raises(NameInvalidError, match="slash"):
        username("a/b")


@given(TEXTS, st.sampled_from(RULES))
def test_what_is_accepted_is_normalized_visible_and_accepted_again(text, rule):
    name = accepted(rule, text)
    assume(name is not None)

    assert is_normalized("NFC", name)
    assert name == name.strip() != ""
    assert not any(category(sign) in {"Cc", "Cf", "Cs", "Zl", "Zp"} for sign in name)
    assert rule(name) == name


@given(TEXTS, st.sampled_from(RULES))
def test_the_two_compositions_of_a_name_are_one(text, rule):
    assert accepted(rule, normalize("NFD", text)) == accepted(rule, normalize("NFC", text)) == accepted(rule, text)


@given(TEXTS)
def test_folding_twice_changes_nothing_and_hides_case_and_composition(text):
    assert folded(folded(text)) == folded(text)
    assert folded(normalize("NFD", text)) == folded(normalize("NFC", text)) == folded(text.casefold())


@pytest.mark.parametrize("other", ["ADMIN", "Admin", "ａｄｍｉｎ", "ＡDMIN"])  # noqa: RUF001
def test_names_that_look_alike_are_the_same_name(other):
    assert folded(other) == folded("admin")


@given(TEXTS, st.sets(TEXTS))
def test_a_lookup_tries_the_spelling_itself_first(text, known):
    assert spellings(text)[0] == text
    assert normalize("NFC", text) in spellings(text)
    assert spelling_in({*known, text}, text) == text
    assert spelling_in(known - {text}, text) == normalize("NFC", text)
