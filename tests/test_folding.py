"""What a search takes for the same text."""

from unicodedata import normalize

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.folding import search_key

SAME = {
    "accents": ("modele", "modèle"),
    "accents in another composition": ("modele", normalize("NFD", "modèle")),
    "sharp s": ("strasse", "straße"),
    "a dotted capital I": ("istanbul", "İstanbul"),
    "width": ("gpu", "ＧＰＵ"),  # noqa: RUF001
    "ligatures": ("file", "ﬁle"),
    "case": ("ΜΟΝΤΈΛΟ", "μοντελο"),
    "a final sigma": ("Νόμος", "ΝΟΜΟΣ"),
}


@pytest.mark.parametrize(("one", "other"), SAME.values(), ids=SAME)
def test_texts_that_differ_only_in_this_are_the_same(one, other):
    assert search_key(one) == search_key(other)


@pytest.mark.parametrize(("one", "other"), [("한", "하"), ("iris", "iriz"), ("日本", "日")])
def test_other_letters_are_other_texts(one, other):
    assert search_key(one) != search_key(other)


@given(st.text(max_size=20))
def test_the_key_of_a_key_is_itself(text):
    assert search_key(search_key(text)) == search_key(text)
