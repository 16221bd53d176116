"""When two texts are the same: as names, which differ less, and for the search."""

from unicodedata import normalize


def folded(text: str) -> str:
    """Equal for names that differ only by case, width or composition (Unicode's compatibility caseless match)."""
    once = normalize("NFKD", normalize("NFD", text).casefold())
    return normalize("NFKD", once.casefold())
