"""Groups of users."""

from litestar import Controller, delete, get, post, put

from catalog.dialects.http import guards
from catalog.dialects.http.docs.refusals import answers, refuses
from catalog.dialects.http.encoded import JsonResponse, json_response
from catalog.dialects.http.requests.injection import AnyRequest, Injected
from catalog.dialects.http.sessions import Sessions
from catalog.dialects.v1.models.lists import VERBOSE, Created, Listed, ListedResource, Selected, listing, selecting
from catalog.dialects.v1.models.people.groups import GroupBody, GroupChangeBody, GroupWithMembers, NewGroupBody
from catalog.dialects.v1.requests.bodies import Json, OneOrMany
from catalog.dialects.v1.requests.http import create_each
from catalog.dialects.v1.requests.lists import listed, one_by_one, selected
from catalog.dialects.v1.requests.parameters import GroupKey
from catalog.domain.access import Caller
from catalog.domain.people import groups
from catalog.domain.people.groups import ChangedGroup
from catalog.errors import CANNOT_CREATE, CANNOT_DELETE, CANNOT_MODIFY, LIMIT_REACHED, NAME_TAKEN, NOT_FOUND
from catalog.store.query import fields
from catalog.store.records import GroupRecord

GROUPS = ListedResource("GroupWithMembers", fields.GROUPS)


class Groups(Controller):
    path = "/groups"
    tags = ("Groups",)
    plural = "groups"

    @post(
        status_code=200,
        guards=[guards.administrators_only],
        operation_id="createGroups",
        response_description="The group; of a list, what was created.",
        responses=refuses(CANNOT_CREATE, NAME_TAKEN, LIMIT_REACHED)
        | answers(202, Created[GroupWithMembers], "Some elements of a list were refused."),
        parameters=[VERBOSE],
    )
    async def create(
        self,
        data: Json[OneOrMany[NewGroupBody]],
        request: AnyRequest,
        caller: Injected[Caller],
        sessions: Injected[Sessions],
    ) -> JsonResponse[GroupWithMembers | Created[GroupWithMembers]]:
        """Create a group, or several."""

        async def create(new: NewGroupBody) -> GroupWithMembers:
            return await _after(await groups.create(caller, new.as_input()), caller, sessions)

        return await create_each(request, data, create, self.plural)

    @get(
        guards=[guards.signed_in],
        operation_id="listGroups",
        response_description="A page of groups.",
        **listing(ListedResource("Group", fields.GROUPS)),
    )
    async def list_(self, request: AnyRequest, caller: Injected[Caller]) -> JsonResponse[Listed[GroupBody]]:
        """List the groups."""
        return await listed(request, caller.tenant.groups.records, fields.GROUPS, one_by_one(GroupBody.of))

    @get(
        "/{group:str}",
        guards=[guards.signed_in],
        operation_id="showGroup",
        response_description="The group.",
        responses=refuses(NOT_FOUND),
        **selecting(GROUPS),
    )
    async def show(
        self, group: GroupKey, request: AnyRequest, caller: Injected[Caller]
    ) -> JsonResponse[GroupWithMembers | Selected[GroupWithMembers]]:
        """Show a group. Its members and administrators see who is in it."""
        found = await groups.read(caller, group)
        return json_response(selected(request, fields.GROUPS, await _shown(found, caller)))

    @put(
        "/{group:str}",
        guards=[guards.administrators_only],
        operation_id="changeGroup",
        response_description="The group.",
        responses=refuses(NOT_FOUND, CANNOT_MODIFY, NAME_TAKEN, LIMIT_REACHED),
    )
    async def change(
        self, group: GroupKey, data: Json[GroupChangeBody], caller: Injected[Caller], sessions: Injected[Sessions]
    ) -> JsonResponse[GroupWithMembers]:
        """Change a group, and who is in it."""
        return json_response(await _after(await groups.change(caller, group, data.as_input()), caller, sessions))

    @delete(
        "/{group:str}",
        status_code=200,
        guards=[guards.administrators_only],
        operation_id="removeGroup",
        response_description="The group, as it was.",
        responses=refuses(NOT_FOUND, CANNOT_DELETE),
    )
    async def remove(
        self, group: GroupKey, caller: Injected[Caller], sessions: Injected[Sessions]
    ) -> JsonResponse[GroupBody]:
        """Remove a group.

        What was shared with the group no longer is. Its members stay.
        """
        removed = await groups.remove(caller, group)
        _forget(removed, caller, sessions)
        return json_response(GroupBody.of(removed.group))


async def _after(changed: ChangedGroup, caller: Caller, sessions: Sessions) -> GroupWithMembers:
    _forget(changed, caller, sessions)
    return await _shown(changed.group, caller)


def _forget(changed: ChangedGroup, caller: Caller, sessions: Sessions) -> None:
    for user in changed.moved:
        sessions.forget(caller.tenant.name, user)


async def _shown(group: GroupRecord, caller: Caller) -> GroupWithMembers:
    is_open = groups.may_see_members(caller, group)
    members = await groups.members_of(caller.tenant, group["_id"]) if is_open else None
    return GroupWithMembers.seen_by(caller, group, members)
