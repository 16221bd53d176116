"""The inputs of a dialect to create or change an item. Limits and names are checked by the functions that take it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from bson import ObjectId

from catalog.domain.limits import LONGEST_DESCRIPTION, LONGEST_LINK, LONGEST_NAME
from catalog.store.records import Value
from catalog.vocabulary import Status, Visibility

TEXTS = {
    "description": LONGEST_DESCRIPTION,
    "license": LONGEST_NAME,
    "license_link": LONGEST_LINK,
    "library": LONGEST_NAME,
    "provider": LONGEST_NAME,
    "logo": LONGEST_DESCRIPTION,  # an address, or an image in a `data:` address
    "maturity": LONGEST_NAME,
}
"""The fields of an item that are plain text, and how many characters they may have."""

LISTS = ("languages", "tasks")
"""The fields of an item that are lists of short texts. A change replaces the whole list."""

Removed = TypeVar("Removed")
Added = TypeVar("Added")


@dataclass(frozen=True, slots=True)
class MetadataPair:
    name: str
    value: Value


@dataclass(frozen=True, slots=True)
class PairToRemove:
    """The pair of this name; with a `value`, only if it has that value."""

    name: str
    value: Value | None = None


@dataclass(frozen=True, slots=True)
class ListChange(Generic[Removed, Added]):
    """Elements to remove from a list, then elements to add: an element in both stays."""

    remove: Sequence[Removed] = ()
    add: Sequence[Added] = ()


TagsChange = ListChange[str, str]
MetadataChange = ListChange[PairToRemove, MetadataPair]
ReferencesChange = ListChange[str, str]
"""Of `users` and `editors` (ids or names of users and groups) and of `datasets` (ids, names or owner/name)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewItem:
    """A model, a dataset or an algorithm to create."""

    name: str
    description: str = ""
    license: str = ""
    license_link: str = ""
    languages: Sequence[str] = ()
    tasks: Sequence[str] = ()
    library: str = ""
    provider: str = ""
    logo: str = ""
    maturity: str = ""
    visibility: Visibility = Visibility.PRIVATE
    tags: Sequence[str] = ()
    metadata: Sequence[MetadataPair] = ()  # a later pair replaces an earlier one of its name
    users: Sequence[str] = ()  # who may read it: ids or names of users and groups
    editors: Sequence[str] = ()  # who may edit it, too: likewise
    status: Status | None = None  # of models and algorithms; None: `training`
    datasets: Sequence[str] = ()  # of models and algorithms: ids, names or owner/name
    external_id: str = ""  # unique among the items of a kind
    archived: bool = False
    identity: ObjectId | None = None  # its id, if the server has chosen one; never a client's


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemChange:
    """Changes to an item. What is None stays as it is."""

    owner: str | None = None  # an id or a username
    visibility: Visibility | None = None
    status: Status | None = None
    description: str | None = None
    license: str | None = None
    license_link: str | None = None
    languages: Sequence[str] | None = None  # all of them; they replace the earlier ones
    tasks: Sequence[str] | None = None  # likewise
    library: str | None = None
    provider: str | None = None
    logo: str | None = None
    maturity: str | None = None
    external_id: str | None = None  # empty: none any more
    archived: bool | None = None
    tags: TagsChange | None = None
    metadata: MetadataChange | None = None
    users: ReferencesChange | None = None
    editors: ReferencesChange | None = None
    datasets: ReferencesChange | None = None
