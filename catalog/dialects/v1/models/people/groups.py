"""Groups: what clients send, and what they get."""

from collections.abc import Sequence
from typing import Annotated, Self

from msgspec import UNSET, Meta, Struct, UnsetType

from catalog.dialects.v1.models.common import Change, Id, Moment, RequestBody, ShortNonBlank, Text, moment
from catalog.dialects.v1.models.people.people import UserBody
from catalog.domain.access import Caller
from catalog.domain.items.inputs import ListChange, ReferencesChange
from catalog.domain.limits import LONGEST_DESCRIPTION
from catalog.domain.people import groups
from catalog.domain.people.groups import MOST_MEMBERS, NO_CHANGE
from catalog.store.records import GroupRecord, UserRecord

Name = Annotated[
    ShortNonBlank, Meta(description="Unlike every username and other group, in any case.", examples=["vision"])
]
Description = Annotated[Text, Meta(max_length=LONGEST_DESCRIPTION)]
Members = Annotated[list[ShortNonBlank], Meta(max_length=MOST_MEMBERS, description="Ids or usernames.")]


class NewGroupBody(RequestBody):
    """A group to create."""

    name: Name
    description: Description | None = None
    members: Annotated[Members | None, Meta(examples=[["ada", "bob"]])] = None

    def as_input(self) -> groups.NewGroup:
        return groups.NewGroup(name=self.name, description=self.description or "", members=self.members or ())


class MembersDelta(RequestBody):
    """Users who leave the group, then users who join it."""

    remove: Members | None = None
    add: Annotated[Members | None, Meta(examples=[["ada"]])] = None

    def as_input(self) -> ReferencesChange:
        remove: Sequence[str] = self.remove or ()
        return ListChange(remove, self.add or ())


class GroupChangeBody(Change):
    """Changes to a group."""

    name: Name | None = None
    description: Description | None = None
    members: MembersDelta | None = None

    def as_input(self) -> groups.GroupChange:
        members = self.members.as_input() if self.members else NO_CHANGE
        return groups.GroupChange(name=self.name, description=self.description, members=members)


class GroupBody(Struct, kw_only=True, rename={"id": "_id"}):
    """A group: users with whom an item is shared under one name."""

    id: Id
    name: str
    description: str
    timestamp: Moment
    lastmod: Moment

    @classmethod
    def of(cls, record: GroupRecord) -> Self:
        return cls(
            id=str(record["_id"]),
            name=record["name"],
            description=record["description"],
            timestamp=moment(record["timestamp"]),
            lastmod=moment(record["lastmod"]),
        )


class GroupWithMembers(GroupBody, kw_only=True):
    """A group with its members."""

    members: Annotated[
        list[UserBody] | UnsetType, Meta(description="Only members of the group and administrators see them.")
    ] = UNSET

    @classmethod
    def seen_by(cls, caller: Caller, record: GroupRecord, members: list[UserRecord] | None) -> Self:
        group = cls.of(record)
        if members is not None:
            group.members = [UserBody.seen_by(caller, member) for member in members]
        return group
