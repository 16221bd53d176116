"""Push a file under a name: all is checked, then the bytes are sent, then the version gets its tags and alias."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

from catalog.client.errors import CatalogError, Invalid, NotSignedIn, Unavailable
from catalog.client.push_pull.annotations import refuse_alias, refuse_beyond
from catalog.client.push_pull.threats import warn_of
from catalog.client.resources.base import InlineDriver
from catalog.client.resources.item_names import names_owner
from catalog.client.resources.items import ItemResource
from catalog.client.results import KINDS, Item, ServerDescription, ShortDisplay, Version, shaped
from catalog.client.session import Session, segment
from catalog.client.transfer.cache import Cache
from catalog.client.transfer.progress import Progress
from catalog.client.transfer.uploads.contents import Content
from catalog.client.transfer.uploads.folder_uploads import add_content
from catalog.client.transfer.uploads.preflight import check_push
from catalog.client.transfer.uploads.uploads import NewVersionFields, TargetItem
from catalog.client.transport.effects import Operation, in_thread


class Pushed(ShortDisplay, frozen=True, kw_only=True):
    """The result of a push."""

    item: Item
    version: Version
    name: str
    """The bare name of an item of your own, else the id or `owner/name` that was pushed to."""

    is_new: bool = False
    """Whether the push has created the item."""

    left_out: Sequence[str] = ()
    """Files and folders that were not pushed. A folder ends with a slash."""

    @property
    def reference(self) -> str:
        """The reference for `pull`: `iris@3`."""
        return f"{self.name}@{self.version.ordinal}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PushPlan:
    """What a push would do. All of it was checked."""

    name: str
    kind: str
    is_new: bool
    """Whether it creates the item."""

    files: Mapping[str, int]
    """Sizes in bytes, by path."""

    left_out: Sequence[str] = ()

    @property
    def size(self) -> int:
        return sum(self.files.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Push:
    """A push before anything is sent."""

    session: Session
    cache: Cache
    kind: str
    name: str
    what: AbstractContextManager[Content]
    details: NewVersionFields
    tags: Sequence[str] = ()
    alias: str = ""

    def run(self, progress: Progress) -> Operation[Pushed]:
        """Check everything, send the content, then add tags, metadata and alias.

        An item that was created for a version that is refused goes to the trash. Raises CatalogError.
        """
        with ExitStack() as stack:
            content, found, own = yield from self._checked(stack)
            item = found or (yield from self._items.create_to_push(own, tags=self.tags))
            try:
                to = TargetItem(self.session, self.cache, self.kind, item.id)
                version = yield from add_content(to, content, self.details, progress)
            except (CatalogError, OSError) as refused:
                if not found and not isinstance(refused, Unavailable | NotSignedIn):  # those are to be resumed
                    yield from self._remove_if_empty(item)
                raise
            item = yield from self._annotate(item, version)
            name = self.name if names_owner(item, self.name) else item.name
            warn_of(version, f"{name}@{version.ordinal}")
            return Pushed(item=item, version=version, name=name, is_new=found is None, left_out=content.left_out)

    def plan(self) -> Operation[PushPlan]:
        """Check everything and send nothing of the content. Raises CatalogError."""
        with ExitStack() as stack:
            content, found, own = yield from self._checked(stack)
            return PushPlan(
                name=found.name if found else own,
                kind=self.kind,
                is_new=found is None,
                files={path: source.size for path, source in content.files.items()},
                left_out=content.left_out,
            )

    @property
    def _items(self) -> ItemResource[InlineDriver, Item]:
        return ItemResource(self.session, InlineDriver(), self.cache, self.kind, shape_of(self.kind))

    def _checked(self, stack: ExitStack) -> Operation[tuple[Content, Item | None, str]]:
        """The content, and the item that gets it, or None and the name of a new one."""
        items = self._items
        if self.alias:
            refuse_alias(self.alias)
        try:
            content = yield from in_thread(stack.enter_context, self.what)
        except Invalid as wrong:
            if isinstance(self.name, str) and Path(self.name).is_file():
                wrong.advice = f"The name of the item comes first, then the file: {self.name} is a file."
            raise
        server = shaped((yield from self.session.request_json("GET", "/info")), ServerDescription)
        refuse_beyond(server.get("limits", {}), self.tags, self.details.metadata)
        found, own = yield from items.find_to_push(self.name)
        target = {"item": found.id} if found else {"name": own}
        known = yield from check_push(self.session, self.kind, target, self.details, self.tags, self.alias)
        if known and not found:  # the token does not name its user, and the server does
            found = yield from items.get(known)
        return content, found, own

    def _annotate(self, item: Item, version: Version) -> Operation[Item]:
        metadata = self.details.metadata
        added = {field: values for field, values in (("tags", self.tags), ("metadata", metadata)) if values}
        items = self._items
        if added:
            item = yield from items.update(item, add=added)
        if self.alias:
            yield from items.aliases(item).set(self.alias, version.ordinal)
            item = yield from items.get(item)
        return item

    def _remove_if_empty(self, item: Item) -> Operation[None]:
        with suppress(CatalogError):  # the refusal itself is raised
            if not (yield from self._items.get(item)).versions_total:
                yield from self.session.request_json("DELETE", f"/{self.kind}/{segment(item.id)}")


def shape_of(kind: str) -> type[Item]:
    """Raises Invalid."""
    if kind not in KINDS:
        raise Invalid(f"{kind!r} is not a kind of item", advice=f"It is one of {', '.join(KINDS)}.")
    return KINDS[kind]
