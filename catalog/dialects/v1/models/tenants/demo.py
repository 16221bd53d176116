"""The demo of the demo tenant."""

from typing import Annotated, Self

from msgspec import Meta, Struct

from catalog.dialects.v1.models.items.shown_items import DatasetBody
from catalog.dialects.v1.models.items.terms import ListedTerm
from catalog.dialects.v1.models.lists import Count
from catalog.dialects.v1.models.people.people import UserBody
from catalog.domain.demo.filling import Filled
from catalog.domain.demo.removal import Emptied


class DemoContent(Struct):
    """What the demo tenant has, newest first: at most 1000 of each."""

    users: list[UserBody]
    tags: list[ListedTerm]
    metadata: list[ListedTerm]
    datasets: list[DatasetBody]
    models: list[DatasetBody]


class DemoMade(Struct):
    """What one request made. What was there already does not count."""

    ok: bool
    people: Count
    items: Count
    versions: Count
    skipped: Annotated[list[str], Meta(description="Items that their owner has another one of this name of.")]

    @classmethod
    def of(cls, filled: Filled) -> Self:
        return cls(ok=True, people=filled.people, items=filled.items, versions=filled.versions, skipped=filled.skipped)


class DemoRemoved(Struct):
    """What one request removed."""

    ok: bool
    people: Count
    items: Count
    kept: Annotated[list[str], Meta(description="What others use and so stays, with the reason.")]

    @classmethod
    def of(cls, emptied: Emptied) -> Self:
        return cls(ok=True, people=emptied.people, items=emptied.items, kept=emptied.kept)
