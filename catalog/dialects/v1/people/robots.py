"""Robots: accounts for scripts that belong to no person."""

from collections.abc import Iterable, Sequence
from functools import partial

from litestar import Controller, delete, get, post, put
from msgspec import structs

from catalog.dialects.http import guards
from catalog.dialects.http.docs.parameters import query
from catalog.dialects.http.docs.refusals import refuses
from catalog.dialects.http.encoded import JsonResponse, json_response
from catalog.dialects.http.requests.injection import AnyRequest, Injected
from catalog.dialects.http.sessions import Sessions
from catalog.dialects.v1.models.lists import Listed, ListedResource, Selected, listing, selecting
from catalog.dialects.v1.models.people.robots import (
    NewRobotBody,
    NewRobotToken,
    RobotBody,
    RobotChangeBody,
    RobotWithToken,
)
from catalog.dialects.v1.requests.bodies import Json
from catalog.dialects.v1.requests.lists import listed, selected
from catalog.dialects.v1.requests.parameters import RobotKey
from catalog.domain.access import Caller
from catalog.domain.people import robots
from catalog.domain.people.robots import RobotToken
from catalog.errors import (
    AMBIGUOUS,
    BUSY,
    CANNOT_CREATE,
    CANNOT_DELETE,
    CANNOT_MODIFY,
    IN_USE,
    INVALID_TRANSFER,
    LIMIT_REACHED,
    NAME_TAKEN,
    NOT_FOUND,
)
from catalog.store.query import fields
from catalog.store.records import UserRecord

ROBOTS = ListedResource("Robot", fields.ROBOTS)
TRANSFER = query("transfer", "The id or username of a user who becomes the owner of all that the robot owns.")


class Robots(Controller):
    path = "/robots"
    tags = ("Robots",)
    guards = (guards.administrators_only,)

    @post(
        status_code=200,
        operation_id="createRobot",
        response_description="The robot with its token, which is shown only once.",
        responses=refuses(CANNOT_CREATE, NAME_TAKEN, LIMIT_REACHED, AMBIGUOUS),
    )
    async def create(self, data: Json[NewRobotBody], caller: Injected[Caller]) -> JsonResponse[RobotWithToken]:
        """Create a robot: an account for scripts that belongs to no person.

        It reads and changes items under the same rules as a regular user, limited to the given items and tags. What it
        creates belongs to it.
        """
        return json_response(await _with_token(caller, await robots.create(caller, data.as_input())))

    @get(operation_id="listRobots", response_description="A page of robots.", **listing(ROBOTS))
    async def list_(self, request: AnyRequest, caller: Injected[Caller]) -> JsonResponse[Listed[RobotBody]]:
        """List the robots of the tenant."""
        shown = partial(_shown, caller)
        return await listed(request, caller.tenant.users.records, ROBOTS.fields, shown, access=robots.ROBOTS)

    @get(
        "/{robot:str}",
        operation_id="showRobot",
        response_description="The robot.",
        responses=refuses(NOT_FOUND),
        **selecting(ROBOTS),
    )
    async def show(
        self, robot: RobotKey, request: AnyRequest, caller: Injected[Caller]
    ) -> JsonResponse[RobotBody | Selected[RobotBody]]:
        """Show a robot."""
        found = await robots.read(caller, robot)
        return json_response(selected(request, ROBOTS.fields, await _shown_alone(caller, found)))

    @put(
        "/{robot:str}",
        operation_id="changeRobot",
        response_description="The robot.",
        responses=refuses(NOT_FOUND, CANNOT_MODIFY, AMBIGUOUS),
    )
    async def change(
        self, robot: RobotKey, data: Json[RobotChangeBody], caller: Injected[Caller], sessions: Injected[Sessions]
    ) -> JsonResponse[RobotBody]:
        """Change what a robot may do. Its token stays."""
        changed = await robots.change(caller, robot, data.as_input())
        _forget(sessions, caller, changed.robot, changed.ended)
        return json_response(await _shown_alone(caller, changed.robot))

    @delete(
        "/{robot:str}",
        status_code=200,
        operation_id="removeRobot",
        response_description="The robot, as it was.",
        responses=refuses(NOT_FOUND, CANNOT_DELETE, IN_USE, INVALID_TRANSFER, BUSY),
        parameters=[TRANSFER],
    )
    async def remove(
        self, robot: RobotKey, request: AnyRequest, caller: Injected[Caller], sessions: Injected[Sessions]
    ) -> JsonResponse[RobotBody]:
        """Remove a robot.

        Refused while the robot owns items, unless they are transferred to a user.
        """
        removed = await robots.remove(caller, robot, request.query_params.get("transfer", ""))
        _forget(sessions, caller, removed)
        return json_response(await _shown_alone(caller, removed))

    @post(
        "/{robot:str}/token",
        status_code=200,
        operation_id="rotateRobotToken",
        response_description="The robot with its new token, which is shown only once.",
        responses=refuses(NOT_FOUND, CANNOT_MODIFY),
    )
    async def rotate(
        self, robot: RobotKey, data: Json[NewRobotToken], caller: Injected[Caller], sessions: Injected[Sessions]
    ) -> JsonResponse[RobotWithToken]:
        """Give a robot a new token. The old one ends, at once or after `overlap`."""
        expires, life, overlap = data.as_arguments()
        made = await robots.rotate(caller, robot, life=life, expires=expires, overlap=overlap)
        _forget(sessions, caller, made.robot, made.ended)
        return json_response(await _with_token(caller, made))

    @delete(
        "/{robot:str}/token",
        status_code=200,
        operation_id="revokeRobotTokens",
        response_description="The robot, without a token.",
        responses=refuses(NOT_FOUND, CANNOT_DELETE),
    )
    async def revoke(
        self, robot: RobotKey, caller: Injected[Caller], sessions: Injected[Sessions]
    ) -> JsonResponse[RobotBody]:
        """End all tokens of a robot. The robot stays, with what it owns."""
        changed = await robots.revoke(caller, robot)
        _forget(sessions, caller, changed.robot, changed.ended)
        return json_response(await _shown_alone(caller, changed.robot))


def _forget(sessions: Sessions, caller: Caller, robot: UserRecord, ended: Iterable[str] = ()) -> None:
    sessions.forget(caller.tenant.name, robot["_id"])
    for digest in ended:
        sessions.forget_access_token(caller.tenant.name, digest)


async def _shown(caller: Caller, found: Sequence[UserRecord]) -> list[RobotBody]:
    names, used = await robots.owners_and_names(caller, found), await robots.last_uses(caller.tenant, found)
    return [RobotBody.of(record, names, used) for record in found]


async def _shown_alone(caller: Caller, robot: UserRecord) -> RobotBody:
    [shown] = await _shown(caller, [robot])
    return shown


async def _with_token(caller: Caller, made: RobotToken) -> RobotWithToken:
    return RobotWithToken(**structs.asdict(await _shown_alone(caller, made.robot)), token=made.token)
