"""What the copies of other registries share: what they count, and lists that come in pages."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from catalog.client.errors import CatalogError, Forbidden, NotSignedIn
from catalog.client.transport.effects import BodySink

Json = dict[str, Any]


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
        """Note that something was refused. What no later request can mend is raised again."""
        is_of_all = isinstance(refused, NotSignedIn | Forbidden)
        if is_of_all or refused.status is None or refused.status >= 500:  # noqa: PLR2004  where failures of servers begin
            raise refused
        self.problems.append(f"{what}: {refused}")


def pages(get: Callable[[str], Json], elements: str, token: str) -> Iterator[Json]:
    """The elements of all pages. `get` is called with the token of the page before, first with an empty one.

    Raises CatalogError for a list that does not end.
    """
    after, previous = "", None
    while after != previous:
        page = get(after)
        yield from page.get(elements) or ()
        previous, after = after, page.get(token) or ""
        if not after:
            return
    raise CatalogError("A list of the registry does not end: the token of a page is that of the page before")
