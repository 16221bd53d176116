"""The short way: a file up under a name, and down again."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from catalog.client.cache import Cache
from catalog.client.downloads import found, into_cache, to_place
from catalog.client.effects import Operation, work
from catalog.client.errors import Invalid
from catalog.client.items import Items, says_whose
from catalog.client.progress import Progress
from catalog.client.resources import Planned
from catalog.client.results import KINDS, Item, Version
from catalog.client.revisions import reference
from catalog.client.sessions import Session
from catalog.client.sources import What, examine
from catalog.client.uploads import Said, Target


@dataclass(frozen=True, slots=True, kw_only=True)
class Pushed:
    """What a push made."""

    item: Item
    version: Version
    name: str
    """Of the item: alone when it is one's own, else the id or `owner/name` that it was pushed to."""

    @property
    def reference(self) -> str:
        """What brings it back: `iris@3`."""
        return f"{self.name}@{self.version.ordinal}"


def push(
    session: Session, cache: Cache, kind: str, name: str, what: What, said: Said, tags: Sequence[str], tell: Progress
) -> Operation[Pushed]:
    """A version of `what`, of the caller's own item, which is made if there is none, or of the one that `owner/name`
    or an id names; tags and metadata are added to what it has.
    """
    items: Items[Planned, Any] = Items(session, Planned(), cache, kind, _shape(kind))
    yield from work(examine, what)
    item = yield from items.ensure(name)
    version = yield from items.versions(item).add(
        what, description=said.description, metadata=said.metadata, ordinal=said.ordinal, progress=tell
    )
    added = {word: values for word, values in (("tags", tags), ("metadata", said.metadata)) if values}
    if added:
        item = yield from items.update(item, add=added)
    return Pushed(item=item, version=version, name=name if says_whose(item, name) else item.name)


def pull(
    session: Session, cache: Cache, kind: str, name: str, to: str | Path | None, tell: Progress
) -> Operation[Path]:
    """Bring the version here that a reference names: into the cache, or `to` a place.

    Raises CatalogError: NotFound, Offline when it is not in the cache.
    """
    _shape(kind)
    named = reference(name)
    item = Target(session, cache, kind, named.name)
    version = yield from found(item, named.revision)
    if to is None:
        return (yield from into_cache(item, version, tell))
    return (yield from to_place(item, version, Path(to), tell))


def _shape(kind: str) -> type[Item]:
    """Raises Invalid."""
    if kind not in KINDS:
        raise Invalid(f"{kind!r} is no kind of item", advice=f"It is one of {', '.join(KINDS)}.")
    return KINDS[kind]
