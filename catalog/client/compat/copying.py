"""What copies from other registries share: counters, and lists in pages."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, Protocol

from catalog.client.errors import CatalogError, Forbidden, NotSignedIn
from catalog.client.transport.effects import BodySink

Json = dict[str, Any]

MOST_EMPTY = 200
"""How many empty pages in a row are accepted."""

LONGEST_NAME = 2000
"""The most characters of a name that can be sent in a request."""


class SourceRegistry(Protocol):
    """The other registry, which is only read."""

    url: str

    def get(self, path: str, query: Mapping[str, str]) -> Any:
        """Raises CatalogError: NotFound for a 404."""

    def download(self, path: str, content: BodySink) -> None:
        """Raises CatalogError."""


class TargetCatalog(Protocol):
    """The catalog, for the user who is signed in."""

    def __call__(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        """Raises CatalogError: NotFound for a 404."""


@dataclass
class Copied:
    """What a copy did: how many things are new, how many were there, and sentences about what was left out."""

    new: dict[str, int] = field(default_factory=dict)
    there: dict[str, int] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def count(self, kind: str, *, is_new: bool) -> None:
        counts = self.new if is_new else self.there
        counts[kind] = counts.get(kind, 0) + 1

    def leave_out(self, what: str, refused: CatalogError) -> None:
        """Record that something was refused. An error that every later request would meet is raised again."""
        is_of_all = isinstance(refused, NotSignedIn | Forbidden)
        if is_of_all or refused.status is None or refused.status >= 500:  # noqa: PLR2004  where failures of servers begin
            raise refused
        self.problems.append(f"{what}: {refused}")

    def leave_out_once(self, problem: str) -> None:
        if problem not in self.problems:
            self.problems.append(problem)


def pages(get: Callable[[str], Json], elements: str, token: str) -> Iterator[Json]:
    """The elements of all pages. `get` is called with the token of the page before, first with an empty one.

    Raises CatalogError for a list that does not end, and for what is no list of objects.
    """
    after, known, empty = "", set[bytes](), 0
    while True:
        page = get(after)
        found = page.get(elements) or []
        if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
            raise CatalogError(f"An answer of the registry has another shape than expected: {elements}")
        yield from found
        empty = 0 if found else empty + 1
        known.add(_digest(after))
        after = page.get(token) or ""
        if not after:
            return
        if not isinstance(after, str):
            raise CatalogError(f"An answer of the registry has another shape than expected: {token}")
        if empty > MOST_EMPTY:
            raise CatalogError("A list of the registry does not end: its pages are empty")
        if _digest(after) in known:
            raise CatalogError("A list of the registry does not end: the token of a page is that of an earlier one")


def _digest(token: str) -> bytes:
    return blake2b(token.encode(errors="replace"), digest_size=16).digest()


def name_of(thing: Json) -> str:
    """The name of something in the other registry. Raises CatalogError for one that cannot be sent in a request."""
    name = thing.get("name")
    if not isinstance(name, str) or not 0 < len(name) <= LONGEST_NAME:
        shown = str(name)[:40]
        raise CatalogError(f"{shown!r} is not the name of anything: 1 to {LONGEST_NAME} characters", status=400)
    return name


@contextmanager
def understood(what: str) -> Iterator[None]:
    """Turn errors in reading `what` into CatalogError: the other registry describes it in an unexpected way."""
    try:
        yield
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError) as error:
        problem = f"{type(error).__name__}: {error}"[:200]
        raise CatalogError(f"{what} has another shape than expected ({problem})", status=400) from None
