"""References: how a client names an item and a version of it."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from bson import ObjectId

from catalog.domain import naming
from catalog.store.ids import object_id

SPLITS = 8
"""How many slashes of a key are tried as the one between owner and name; and how many @ as the one before a version."""


@dataclass(frozen=True, slots=True)
class Reference:
    """`[owner/]name[@which]`, with the parts that an address already separates.

    A name may hold slashes, so a `key` can be read in several ways; what exists decides.
    """

    key: str  # an id, a name, or owner/name
    which: str = ""  # an ordinal, an alias, `latest` or a file name; empty: the item itself

    @property
    def identity(self) -> ObjectId | None:
        """The id that the key may be."""
        return object_id(self.key)

    @property
    def names(self) -> tuple[str, ...]:
        """The spellings of the key as a whole name, in the order of a lookup."""
        return naming.spellings(self.key)

    def splits(self) -> Iterator[tuple[str, str]]:
        """The key as owner (a username or an id) and name. New usernames hold no slash, older ones may."""
        for at in islice((at for at, sign in enumerate(self.key) if sign == "/"), SPLITS):
            yield self.key[:at], self.key[at + 1 :]

    def of_versions(self) -> "Iterator[Reference]":
        """The key as `item@which`, the longest item first: names, ordinals and file names may have an @ as well."""
        if not self.which:
            signs = (at for at in range(len(self.key) - 2, 0, -1) if self.key[at] == "@")
            for at in islice(signs, SPLITS):
                yield Reference(self.key[:at], self.key[at + 1 :])
