"""The aliases of one item: movable names for its versions."""

from collections.abc import Callable, Sequence
from datetime import datetime

from catalog.client.resources.base import D, Resource, operation, walk
from catalog.client.results import Alias, AliasMove, Page, shaped
from catalog.client.revisions import explain_missing
from catalog.client.session import Session, if_unchanged, segment
from catalog.client.transfer.cache import Cache
from catalog.client.transfer.uploads.uploads import TargetItem
from catalog.client.transport.answers import ListAnswer
from catalog.client.transport.effects import Operation


class AliasResource(Resource[D]):
    def __init__(self, session: Session, driver: D, cache: Cache, kind: str, key: str) -> None:
        super().__init__(session, driver, cache)
        self._item = TargetItem(session, cache, kind, key)
        self._path = f"/{kind}/{segment(key)}/aliases"

    @operation
    def list(self) -> Operation[Sequence[Alias]]:
        """All aliases, by name. Raises CatalogError: NotFound, Forbidden."""
        found = shaped((yield from self._session.request_json("GET", self._path)), ListAnswer)
        return tuple(Alias.of(each) for each in found["docs"])

    @operation
    def get(self, name: str, *, at: datetime | None = None) -> Operation[Alias]:
        """One alias, as it is or as it was `at` a moment. Raises CatalogError: NotFound, Forbidden."""
        query = {"at": at.isoformat()} if at else {}
        return Alias.of((yield from self._session.request_json("GET", self._at(name), query=query)))

    @operation
    def set(
        self, name: str, which: str | int, *, expected: str | None = None, revision: int | None = None
    ) -> Operation[Alias]:
        """Point an alias to a version; it is created if it does not exist.

        With `expected`, the alias must point to that version now (the empty text: it must not exist); with `revision`,
        it must not have moved since that revision.

        Raises CatalogError: NotFound, Forbidden, Invalid, Conflict.
        """
        body = {"version": str(which)}
        if expected is not None:
            body["expected"] = expected
        headers = if_unchanged(revision)
        request = self._session.request_json("PUT", self._at(name), body=body, headers=headers)
        return Alias.of((yield from explain_missing(self._item, {str(which)}, request)))

    @operation
    def rollback(self, name: str) -> Operation[Alias]:
        """Point an alias to the version before; a second rollback goes one step further back.

        Raises CatalogError: NotFound, Forbidden, Invalid if there is no version before.
        """
        return Alias.of((yield from self._session.request_json("POST", f"{self._at(name)}/rollback")))

    @operation
    def delete(self, name: str) -> Operation[None]:
        """Remove an alias; its history stays. Raises CatalogError: NotFound, Forbidden."""
        yield from self._session.request_json("DELETE", self._at(name))

    @walk
    def history(self, name: str = "") -> Callable[[str], Operation[Page[AliasMove]]]:
        """Iterate over the moves of one alias, or of all, newest first."""
        path = self._at(name) if name else self._path
        return self._session.page(path, AliasMove.of, {"history": "true"})

    def _at(self, name: str) -> str:
        return f"{self._path}/{segment(name)}"
