"""When two texts are the same: as names, which differ less, and for the search."""

from functools import lru_cache
from unicodedata import combining, normalize


def folded(text: str) -> str:
    """Equal for names that differ only by case, width or composition (Unicode's compatibility caseless match)."""
    once = normalize("NFKD", normalize("NFD", text).casefold())
    return normalize("NFKD", once.casefold())


def search_key(text: str) -> str:
    """What a search compares: also without accents, so that `modele` finds `modèle`, and `strasse` finds `straße`.

    The key of a text without any letter, such as a lone accent, is empty.
    """
    return text.lower() if text.isascii() else _search_key(text)


@lru_cache(4096)
def _search_key(text: str) -> str:
    bare = "".join(sign for sign in folded(text) if not combining(sign))
    return normalize("NFC", bare)  # Hangul: a syllable is one letter again
