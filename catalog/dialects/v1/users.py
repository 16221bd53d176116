"""The users of a tenant."""

from collections.abc import Sequence
from typing import Any

from litestar import Controller, Response, delete, get, post, put
from litestar.params import FromPath

from catalog.dialects.http import guards
from catalog.dialects.http.sessions import Sessions
from catalog.dialects.v1 import passed_over, shapes
from catalog.dialects.v1.http import AnyRequest, Given, answer, body_of, made
from catalog.dialects.v1.lists import listed, selected
from catalog.dialects.v1.people_bodies import new_user, user_change
from catalog.domain.access import Caller
from catalog.domain.limits import Limits
from catalog.domain.people import users
from catalog.domain.people.users import Policy
from catalog.store.query import fields
from catalog.store.records import UserRecord


class Users(Controller):
    path = "/users"

    @post(status_code=200, guards=[guards.administrators_only])
    async def create(
        self, request: AnyRequest, caller: Given[Caller], policy: Given[Policy], limits: Given[Limits]
    ) -> Response[bytes]:
        async def make(body: Any) -> shapes.Shape:
            user = await users.create(caller, new_user(body), policy)
            return shapes.dated(shapes.user(user), user)

        return await made(request, "users", make, limits.elements, passed_over.USERS)

    @get(guards=[guards.signed_in])
    async def list_(self, request: AnyRequest, caller: Given[Caller]) -> Response[bytes]:
        async def shown(found: Sequence[UserRecord]) -> list[shapes.Shape]:
            return [shapes.person(user, caller) for user in found]

        declared = fields.USERS if caller.is_admin else fields.COLLEAGUES
        return await listed(request, caller.tenant.users.raw, declared, shown)

    @get("/{key:str}", guards=[guards.signed_in])
    async def show(self, key: FromPath[str], request: AnyRequest, caller: Given[Caller]) -> Response[bytes]:
        shape = shapes.person(await users.read(caller, key), caller)
        return answer(selected(request, fields.USERS, shape))

    @put("/{key:str}", guards=[guards.signed_in])
    async def change(
        self,
        key: FromPath[str],
        request: AnyRequest,
        caller: Given[Caller],
        policy: Given[Policy],
        sessions: Given[Sessions],
    ) -> Response[bytes]:
        changed = await users.change(caller, key, user_change(await body_of(request)), policy)
        sessions.forget(caller.tenant.name, changed["_id"])
        return answer(shapes.user(changed))

    @delete("/{key:str}", status_code=200, guards=[guards.administrators_only])
    async def remove(
        self, key: FromPath[str], request: AnyRequest, caller: Given[Caller], sessions: Given[Sessions]
    ) -> Response[bytes]:
        removed = await users.remove(caller, key, request.query_params.get("transfer", ""))
        sessions.forget(caller.tenant.name, removed["_id"])
        return answer(shapes.dated(shapes.user(removed), removed))
