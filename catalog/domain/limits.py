"""What an item may hold: limits that the operator sets, and those of the database."""

from typing import NamedTuple

LONGEST_INTEGER = 2**63  # what BSON holds
LONGEST_NAME = 255  # characters
LONGEST_LINK = 4096  # characters, also of a `uri`
LONGEST_DESCRIPTION = 65536  # characters


LARGEST_METADATA = 8 * 2**20
"""Bytes of the values of all pairs of an item or a version: its record must stay under the 16 MB of the database."""


class Limits(NamedTuple):
    """What an item may hold, as the operator sets it."""

    name: int = LONGEST_NAME  # characters, as in the next three
    tag: int = 128
    metadata_name: int = 128
    metadata_value: int = 4096
    tags: int = 500
    metadata: int = 1000
    users: int = 1000
    new_terms: int = 200  # tags and metadata names that one request may add to those of the tenant
    terms: int = 1_000_000  # different ones, of a tenant
    uploads: int = 100  # unfinished, of a user
    elements: int = 1000  # of a POSTed list

    def most(self, field: str) -> int:
        """How many elements a list of an item may have."""
        return {"tags": self.tags, "metadata": self.metadata}.get(field, self.users)


LIMITS = Limits()
