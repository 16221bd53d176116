"""The users of a tenant."""

from functools import partial

from litestar import Controller, delete, get, post, put

from catalog.dialects.http import guards
from catalog.dialects.http.docs.parameters import query
from catalog.dialects.http.docs.refusals import answers, refuses
from catalog.dialects.http.encoded import JsonResponse, json_response
from catalog.dialects.http.requests.injection import AnyRequest, Injected
from catalog.dialects.http.sessions import Sessions
from catalog.dialects.v1.models.lists import VERBOSE, Created, Listed, ListedResource, Selected, listing, selecting
from catalog.dialects.v1.models.people.people import UserBody
from catalog.dialects.v1.models.people.users import DatedUser, UserToCreate, UserUpdate
from catalog.dialects.v1.requests.bodies import Json, OneOrMany
from catalog.dialects.v1.requests.http import create_each
from catalog.dialects.v1.requests.lists import listed, one_by_one, selected
from catalog.dialects.v1.requests.parameters import UserKey
from catalog.domain.access import Caller
from catalog.domain.people import robots, users
from catalog.domain.people.authentication.credentials import PasswordPolicy
from catalog.errors import (
    BUSY,
    CANNOT_CREATE,
    CANNOT_DELETE,
    CANNOT_MODIFY,
    IN_USE,
    INVALID_TRANSFER,
    LAST_ADMIN,
    NAME_TAKEN,
    NOT_FOUND,
    OTHER_USER,
)
from catalog.store.query import fields

USERS = ListedResource("User", fields.USERS)
TRANSFER = query("transfer", "The id or username of a user who becomes the owner of all that the user owns.")


class Users(Controller):
    path = "/users"
    tags = ("Users",)
    plural = "users"

    @post(
        status_code=200,
        guards=[guards.administrators_only],
        operation_id="createUsers",
        response_description="The user; of a list, what was created.",
        responses=refuses(CANNOT_CREATE, NAME_TAKEN)
        | answers(202, Created[DatedUser], "Some elements of a list were refused."),
        parameters=[VERBOSE],
    )
    async def create(
        self,
        data: Json[OneOrMany[UserToCreate]],
        request: AnyRequest,
        caller: Injected[Caller],
        policy: Injected[PasswordPolicy],
    ) -> JsonResponse[DatedUser | Created[DatedUser]]:
        """Create a user, or several."""

        async def create(new: UserToCreate) -> DatedUser:
            return DatedUser.with_dates(await users.create(caller, new.as_input(), policy))

        return await create_each(request, data, create, self.plural)

    @get(
        guards=[guards.signed_in],
        operation_id="listUsers",
        response_description="A page of users.",
        **listing(USERS),
    )
    async def list_(self, request: AnyRequest, caller: Injected[Caller]) -> JsonResponse[Listed[UserBody]]:
        """List the users. Only administrators see more than their names. Robots have a list of their own."""
        declared = fields.USERS if caller.is_admin else fields.COLLEAGUES
        shown = one_by_one(partial(UserBody.seen_by, caller))
        return await listed(request, caller.tenant.users.records, declared, shown, access=robots.PERSONS)

    @get(
        "/{user:str}",
        guards=[guards.signed_in],
        operation_id="showUser",
        response_description="The user.",
        responses=refuses(NOT_FOUND),
        **selecting(USERS),
    )
    async def show(
        self, user: UserKey, request: AnyRequest, caller: Injected[Caller]
    ) -> JsonResponse[UserBody | Selected[UserBody]]:
        """Show a user. Only administrators and the user see more than the name."""
        found = await users.read(caller, user)
        return json_response(selected(request, USERS.fields, UserBody.seen_by(caller, found)))

    @put(
        "/{user:str}",
        guards=[guards.signed_in],
        operation_id="changeUser",
        response_description="The user.",
        responses=refuses(NOT_FOUND, OTHER_USER, CANNOT_MODIFY, NAME_TAKEN, LAST_ADMIN, BUSY),
    )
    async def change(
        self,
        user: UserKey,
        data: Json[UserUpdate],
        caller: Injected[Caller],
        policy: Injected[PasswordPolicy],
        sessions: Injected[Sessions],
    ) -> JsonResponse[UserBody]:
        """Change yourself; administrators change any user."""
        changed = await users.change(caller, user, data.as_input(), policy)
        sessions.forget(caller.tenant.name, changed["_id"])
        return json_response(UserBody.of(changed))

    @post(
        "/{user:str}/signout",
        status_code=200,
        guards=[guards.signed_in],
        operation_id="signOutUser",
        response_description="The user.",
        responses=refuses(NOT_FOUND, OTHER_USER, CANNOT_MODIFY),
    )
    async def sign_out(
        self, user: UserKey, caller: Injected[Caller], sessions: Injected[Sessions]
    ) -> JsonResponse[UserBody]:
        """Sign out everywhere; administrators sign out any user.

        All sessions, personal access tokens and reset links of the user end, also the token of this request.
        """
        changed = await users.end_credentials(caller, user)
        sessions.forget(caller.tenant.name, changed["_id"])
        return json_response(UserBody.of(changed))

    @delete(
        "/{user:str}",
        status_code=200,
        guards=[guards.administrators_only],
        operation_id="removeUser",
        response_description="The user, as it was.",
        responses=refuses(NOT_FOUND, CANNOT_DELETE, IN_USE, INVALID_TRANSFER, LAST_ADMIN, BUSY),
        parameters=[TRANSFER],
    )
    async def remove(
        self, user: UserKey, request: AnyRequest, caller: Injected[Caller], sessions: Injected[Sessions]
    ) -> JsonResponse[DatedUser]:
        """Remove a user.

        Refused while the user owns items, unless they are transferred to another user.
        """
        removed = await users.remove(caller, user, request.query_params.get("transfer", ""))
        sessions.forget(caller.tenant.name, removed["_id"])
        return json_response(DatedUser.with_dates(removed))
