"""Models, datasets, algorithms and their terms as the client returns them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypedDict

from catalog.client.results.people import Party, User
from catalog.client.results.result import NEVER, Result, Value, pairs
from catalog.client.results.shapes import Document, shaped
from catalog.client.results.versions import Version


class CardFields(TypedDict, total=False):
    """The fields of an item that the front matter of its card fills, too."""

    license: str
    license_link: str
    languages: Iterable[str]
    tasks: Iterable[str]
    library: str
    provider: str
    logo: str
    maturity: str


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Card(Result):
    """The README of an item."""

    text: str
    """Markdown as it was written, with its front matter."""
    body: str = ""
    front_matter: Mapping[str, object] = field(default_factory=dict, hash=False)
    revision: int | None = None
    """Of the item, for `set_card(..., revision=)`."""


class _AliasOfItem(TypedDict):
    name: str
    version: str


class _OfItem(TypedDict, total=False):
    aliases: list[_AliasOfItem]
    versions: list[Document]


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Item(Result):
    """What models, datasets and algorithms have in common."""

    id: str
    name: str
    kind: str = ""
    """`models`, `datasets` or `algorithms`."""
    reference: str = ""
    """`owner/name`, which names it for every user. Set by searches."""
    owner: str = ""
    visibility: str = "private"
    description: str = ""
    license: str = ""
    license_link: str = ""
    languages: Sequence[str] = ()
    tasks: Sequence[str] = ()
    library: str = ""
    provider: str = ""
    logo: str = ""
    maturity: str = ""
    external_id: str = ""
    archived: bool = False
    """Archived items are left out of lists."""
    tags: Sequence[str] = ()
    metadata: Mapping[str, Value] = field(default_factory=dict, hash=False)
    users: Sequence[User | str] = ()
    """Users with read access besides the owner; after a removal, their ids only."""
    groups: Sequence[Party] = ()
    """Groups with read access."""
    editors: Sequence[Party | str] = ()
    """Users and groups that may also change the content; after a removal, their ids only."""
    aliases: Mapping[str, str] = field(default_factory=dict, hash=False)
    """The ordinals of versions, by alias."""
    versions: Sequence[Version] = ()
    """The newest 100, oldest first. `versions(key).list()` iterates over all."""
    versions_total: int = 0
    timestamp: datetime = NEVER
    lastmod: datetime = NEVER
    revision: int | None = None
    """For `update(..., revision=)`. Set by `get` and `update`, else None."""

    @classmethod
    def _values(cls, document: Document) -> dict[str, object]:
        item = shaped(document, _OfItem)
        return {
            **super(Item, cls)._values(document),
            "metadata": pairs(document),
            "aliases": {alias["name"]: alias["version"] for alias in item.get("aliases", ())},
            "versions_total": document.get("versionsTotal", len(item.get("versions", ()))),
        }


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Dataset(Item):
    kind: str = "datasets"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class _TrainedItem(Item):
    status: str = "training"
    datasets: Sequence[Dataset | str] = ()
    """What it was trained on; only the id of a dataset that you may not read."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Model(_TrainedItem):
    kind: str = "models"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Algorithm(_TrainedItem):
    kind: str = "algorithms"


KINDS: Mapping[str, type[Item]] = {"models": Model, "datasets": Dataset, "algorithms": Algorithm}


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class TrashedItem(Result):
    """An item in the trash."""

    id: str
    kind: str
    name: str
    owner: str = ""
    removed_by: str = ""
    removed: datetime = NEVER
    until: datetime = NEVER


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Term(Result):
    """A tag or a metadata name. `usage` is `default` (set by an administrator) or `folk` (coined by use)."""

    id: str
    usage: str = "folk"
    uses: int = 0
