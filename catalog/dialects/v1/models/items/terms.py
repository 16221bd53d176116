"""Tags and metadata names."""

from typing import Annotated, Self

from bson import ObjectId
from msgspec import Meta, Struct

from catalog.dialects.http.docs.schemas import at_most
from catalog.dialects.v1.models.common import Id, Moment, NonBlank, RequestBody, moment
from catalog.dialects.v1.models.lists import Count
from catalog.dialects.v1.models.people.people import UserBody
from catalog.domain.limits import LONGEST_NAME
from catalog.domain.terms.terms import NewTerm
from catalog.store.records import TermRecord
from catalog.vocabulary import Usage

NAME = {"name": "_id"}
DEFAULT = "Default: `default`."

TermUsage = Annotated[
    str,
    Meta(
        description="`default`: chosen by an administrator; `folk`: coined by use.",
        extra_json_schema={"enum": [str(usage) for usage in Usage]},
    ),
]
TermName = Annotated[str, Meta(description="The term itself.")]


class TagToCreate(RequestBody, rename=NAME):
    """A tag that is suggested first."""

    name: Annotated[NonBlank, at_most("tag", description="The tag itself.", examples=["flowers"])]
    usage: Annotated[Usage | None, Meta(description=DEFAULT)] = None

    def as_input(self) -> NewTerm:
        return NewTerm(self.name, self.usage or Usage.DEFAULT)


class MetadataNameToCreate(RequestBody, rename=NAME):
    """A metadata name that is suggested first."""

    name: Annotated[NonBlank, at_most("metadata_name", description="The name itself.", examples=["accuracy"])]
    usage: Annotated[Usage | None, Meta(description=DEFAULT)] = None

    def as_input(self) -> NewTerm:
        return NewTerm(self.name, self.usage or Usage.DEFAULT)


class TermMerge(RequestBody):
    """The term that takes the place of another one."""

    into: Annotated[NonBlank, Meta(max_length=LONGEST_NAME, description="Another term.", examples=["flowers"])]


class MergedTerm(Struct):
    """What one request has changed."""

    changed: Annotated[Count, Meta(description="How many items.")]
    complete: Annotated[
        bool, Meta(description="False: more items use the term. Repeat the request until this is true.")
    ]


class ListedTerm(Struct, kw_only=True, rename=NAME):
    """A tag or a metadata name."""

    usage: TermUsage
    name: TermName
    owner: Annotated[UserBody | Id | None, Meta(description="The user who used or added it first.")]
    uses: Annotated[Count, Meta(description="How many items that the caller may read use it.")]

    @classmethod
    def of(cls, record: TermRecord, owner: UserBody | ObjectId | None, uses: int) -> Self:
        shown = str(owner) if isinstance(owner, ObjectId) else owner
        return cls(usage=record["usage"], name=record["_id"], owner=shown, uses=uses)


class DatedTerm(ListedTerm, kw_only=True):
    """A term that was just added or removed."""

    timestamp: Moment

    @classmethod
    def with_date(cls, record: TermRecord, owner: UserBody | ObjectId | None, uses: int) -> Self:
        term, timestamp = ListedTerm.of(record, owner, uses), moment(record["timestamp"])
        return cls(usage=term.usage, name=term.name, owner=term.owner, uses=term.uses, timestamp=timestamp)


class SuggestedTerm(Struct, rename=NAME):
    """A term that completes what was typed."""

    usage: TermUsage
    name: TermName
    uses: Count


class Suggestions(Struct):
    """The terms that complete what was typed, best first."""

    docs: list[SuggestedTerm]
