"""Models, datasets, algorithms and their terms as the client returns them."""

from collections.abc import Iterable, Mapping
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


class Card(Result, frozen=True, kw_only=True):
    """The README of an item."""

    text: str
    """Markdown as it was written, with its front matter."""
    body: str = ""
    front_matter: Mapping[str, object] = {}
    revision: int | None = None
    """Of the item, for `set_card(..., revision=)`."""


class _AliasOfItem(TypedDict):
    name: str
    version: str


class _OfItem(TypedDict, total=False):
    aliases: list[_AliasOfItem]
    versions: list[Document]


class _OfTrainedItem(TypedDict, total=False):
    datasets: list[Document | str]


class Item(Result, frozen=True, kw_only=True, rename={"id": "_id", "versions_total": "versionsTotal"}):
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
    languages: tuple[str, ...] = ()
    tasks: tuple[str, ...] = ()
    library: str = ""
    provider: str = ""
    logo: str = ""
    maturity: str = ""
    external_id: str = ""
    archived: bool = False
    """Archived items are left out of lists."""
    tags: tuple[str, ...] = ()
    metadata: Mapping[str, Value] = {}
    users: tuple[User | str, ...] = ()
    """Users with read access besides the owner; after a removal, their ids only."""
    groups: tuple[Party, ...] = ()
    """Groups with read access."""
    editors: tuple[Party | str, ...] = ()
    """Users and groups that may also change the content; after a removal, their ids only."""
    aliases: Mapping[str, str] = {}
    """The ordinals of versions, by alias."""
    versions: tuple[Version, ...] = ()
    """The newest 100, oldest first. `versions(key).list()` iterates over all."""
    versions_total: int = 0
    timestamp: datetime = NEVER
    lastmod: datetime = NEVER
    revision: int | None = None
    """For `update(..., revision=)`. Set by `get` and `update`, else None."""

    @classmethod
    def _values(cls, document: Document) -> dict[str, object]:
        item = shaped(document, _OfItem)
        versions = [Version.of(version) for version in item.get("versions", ())]
        return {
            "versionsTotal": len(versions),
            **document,
            "metadata": pairs(document),
            "aliases": {alias["name"]: alias["version"] for alias in item.get("aliases", ())},
            "versions": versions,
        }


class Dataset(Item, frozen=True, kw_only=True):
    kind: str = "datasets"


class _TrainedItem(Item, frozen=True, kw_only=True):
    status: str = "training"
    datasets: tuple[Dataset | str, ...] = ()
    """What it was trained on; only the id of a dataset that you may not read."""

    @classmethod
    def _values(cls, document: Document) -> dict[str, object]:
        datasets = shaped(document, _OfTrainedItem).get("datasets", ())
        return {
            **super()._values(document),
            "datasets": [each if isinstance(each, str) else Dataset.of(each) for each in datasets],
        }


class Model(_TrainedItem, frozen=True, kw_only=True):
    kind: str = "models"


class Algorithm(_TrainedItem, frozen=True, kw_only=True):
    kind: str = "algorithms"


KINDS: Mapping[str, type[Item]] = {"models": Model, "datasets": Dataset, "algorithms": Algorithm}


class TrashedItem(Result, frozen=True, kw_only=True):
    """An item in the trash."""

    id: str
    kind: str
    name: str
    owner: str = ""
    removed_by: str = ""
    removed: datetime = NEVER
    until: datetime = NEVER


class Term(Result, frozen=True, kw_only=True):
    """A tag or a metadata name. `usage` is `default` (set by an administrator) or `folk` (coined by use)."""

    id: str
    usage: str = "folk"
    uses: int = 0
