"""Push a file under a name, and pull it again."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from catalog.client.annotations import refuse_alias, refuse_beyond, tag_list
from catalog.client.errors import Invalid
from catalog.client.resources.base import InlineDriver
from catalog.client.resources.items import ItemResource, names_owner
from catalog.client.results import KINDS, Item, Shown, Version
from catalog.client.revisions import parse_reference
from catalog.client.session import Session
from catalog.client.transfer.cache import Cache
from catalog.client.transfer.downloads import download_to, download_to_cache, find_version
from catalog.client.transfer.progress import Progress
from catalog.client.transfer.sources import Uploadable, check_uploadable
from catalog.client.transfer.uploads import TargetItem, VersionDetails
from catalog.client.transport.effects import Operation, in_thread


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Pushed(Shown):
    """The result of a push."""

    item: Item
    version: Version
    name: str
    """The bare name of an item of your own, else the id or `owner/name` that was pushed to."""

    @property
    def reference(self) -> str:
        """The reference for `pull`: `iris@3`."""
        return f"{self.name}@{self.version.ordinal}"


def push(
    session: Session,
    cache: Cache,
    kind: str,
    name: str,
    what: Uploadable,
    details: VersionDetails,
    tags: Iterable[str] | str,
    alias: str,
    progress: Progress,
) -> Operation[Pushed]:
    """Upload `what` as a new version of the caller's own item, which is created if it does not exist, or of the item
    that `owner/name` or an id names. Tags and metadata are added to the item's, then `alias` is pointed to the version.
    All of them are checked before anything is sent.
    """
    items: ItemResource[InlineDriver, Any] = ItemResource(session, InlineDriver(), cache, kind, _shape(kind))
    yield from in_thread(check_uploadable, what)
    tags = tag_list(tags)
    if alias:
        refuse_alias(alias)
    limits = (yield from session.request_json("GET", "/info")).get("limits", {})
    refuse_beyond(limits, tags, details.metadata)
    item = yield from items.ensure(name, tags=tags)
    version = yield from items.versions(item).add(
        what,
        description=details.description,
        metadata=details.metadata,
        ordinal=details.ordinal,
        inputs=details.inputs,
        progress=progress,
    )
    added = {field: values for field, values in (("tags", tags), ("metadata", details.metadata)) if values}
    if added:
        item = yield from items.update(item, add=added)
    if alias:
        yield from items.aliases(item).set(alias, version.ordinal)
        item = yield from items.get(item)
    return Pushed(item=item, version=version, name=name if names_owner(item, name) else item.name)


def pull(
    session: Session, cache: Cache, kind: str, name: str, to: str | Path | None, progress: Progress
) -> Operation[Path]:
    """Download the version that a reference names, into the cache or to the path `to`.

    Raises CatalogError: NotFound, Offline if it is not in the cache.
    """
    _shape(kind)
    named = parse_reference(name)
    item = TargetItem(session, cache, kind, named.name)
    version = yield from find_version(item, named.revision)
    if to is None:
        return (yield from download_to_cache(item, version, progress))
    return (yield from download_to(item, version, Path(to), progress))


def _shape(kind: str) -> type[Item]:
    """Raises Invalid."""
    if kind not in KINDS:
        raise Invalid(f"{kind!r} is not a kind of item", advice=f"It is one of {', '.join(KINDS)}.")
    return KINDS[kind]
