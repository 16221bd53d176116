"""Signing in, and the users of a tenant."""

from collections.abc import Sequence
from typing import Any, cast

from litestar import Controller, Response, delete, get, post, put
from litestar.params import FromPath

from catalog.dialects.http import guards
from catalog.dialects.http.client_ip import Addresses
from catalog.dialects.http.request_log import concerns
from catalog.dialects.http.sessions import Sessions
from catalog.dialects.v1 import passed_over, shapes
from catalog.dialects.v1.http import AnyRequest, Given, answer, body_of, made
from catalog.dialects.v1.lists import listed, selected
from catalog.domain import naming
from catalog.domain.access import Caller
from catalog.domain.body_fields import Form
from catalog.domain.limits import Limits
from catalog.domain.people import users
from catalog.domain.people.credentials import LONGEST_PASSWORD
from catalog.domain.people.devices import LIFE, Devices
from catalog.domain.people.login_throttle import Attempts
from catalog.domain.people.users import Policy
from catalog.errors import AUTHENTICATION, Refused
from catalog.store.database import Tenant
from catalog.store.query import fields
from catalog.store.tenant_documents import Raw

DEVICE = "catalog_device"
"""The cookie with the mark of a known device."""


class Login(Controller):
    opt = {"public": True}  # noqa: RUF012  Litestar's way

    @post(status_code=200)
    async def sign_in(
        self,
        request: AnyRequest,
        sessions: Given[Sessions],
        attempts: Given[Attempts],
        addresses: Given[Addresses],
        devices: Given[Devices],
        default_tenant: Given[str],
        token_life: Given[str],
    ) -> Response[bytes]:
        form = Form(await body_of(request), AUTHENTICATION, {"username", "password", "tenant"})
        username = form.required("username", "a username is needed")
        password = form.required("password", "a password is needed", LONGEST_PASSWORD)
        name = form.text("tenant") or default_tenant
        account = naming.normalized(username)
        mark = request.cookies.get(DEVICE, "")
        device = devices.known(mark, name, account)
        async with attempts.at_password(name, account, addresses.of(request.scope), device):
            tenant = await sessions.tenant(name)
            concerns(request.scope, tenant, username[:LONGEST_PASSWORD])
            user = await users.signed_in(tenant, username, password)
        sessions.forget(name, user["_id"])  # what was learnt of him a moment ago may refuse the new token
        session = _session(user, cast("Tenant", tenant), sessions, token_life)  # without one nobody was signed in
        return remembered(session, request, devices.mark(mark, name, account))

    @put()
    async def renew(self, request: AnyRequest, sessions: Given[Sessions], token_life: Given[str]) -> Response[bytes]:
        authorization = request.headers.get("authorization")
        if not authorization:
            raise Refused(AUTHENTICATION, "Missing token")
        caller = await sessions.caller(authorization, for_renewal=True)
        # What was learnt seconds ago will not do: the new token would outlive the end of the old one.
        sessions.forget(caller.tenant.name, caller.user)
        caller = await sessions.caller(authorization, for_renewal=True)
        concerns(request.scope, caller.tenant, caller.username)
        user = await users.find(caller.tenant, str(caller.user))
        users.refuse_expired(user)
        return _session(user, caller.tenant, sessions, token_life)


def remembered(answered: Response[bytes], request: AnyRequest, mark: str) -> Response[bytes]:
    """An answer that a browser keeps the mark of a known device from."""
    answered.set_cookie(
        key=DEVICE,
        value=mark,
        max_age=int(LIFE.total_seconds()),
        secure=request.scope["scheme"] == "https",
        httponly=True,
        samesite="strict",
    )
    return answered


def _session(user: Raw, tenant: Tenant, sessions: Sessions, token_life: str) -> Response[bytes]:
    token = f"JWT {sessions.issue(user['_id'], tenant)}"
    return answer({"user": shapes.user(user), "token_expiration_time": token_life, "token": token})


class Users(Controller):
    path = "/users"

    @post(status_code=200, guards=[guards.administrators_only])
    async def create(
        self, request: AnyRequest, caller: Given[Caller], policy: Given[Policy], limits: Given[Limits]
    ) -> Response[bytes]:
        async def make(body: Any) -> shapes.Shape:
            user = await users.create(caller.tenant, body, caller, policy)
            return shapes.dated(shapes.user(user), user)

        return await made(request, "users", make, limits.elements, passed_over.USERS)

    @get(guards=[guards.signed_in])
    async def list_(self, request: AnyRequest, caller: Given[Caller]) -> Response[bytes]:
        async def shown(found: Sequence[Raw]) -> list[shapes.Shape]:
            return [shapes.person(user, caller) for user in found]

        declared = fields.USERS if caller.is_admin else fields.COLLEAGUES
        return await listed(request, caller.tenant.users.raw, declared, shown)

    @get("/{key:str}", guards=[guards.signed_in])
    async def show(self, key: FromPath[str], request: AnyRequest, caller: Given[Caller]) -> Response[bytes]:
        shape = shapes.person(await users.find(caller.tenant, key), caller)
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
        changed = await users.change(caller.tenant, key, await body_of(request), caller, policy)
        sessions.forget(caller.tenant.name, changed["_id"])
        return answer(shapes.user(changed))

    @delete("/{key:str}", status_code=200, guards=[guards.administrators_only])
    async def remove(
        self, key: FromPath[str], request: AnyRequest, caller: Given[Caller], sessions: Given[Sessions]
    ) -> Response[bytes]:
        removed = await users.remove(caller.tenant, key, request.query_params.get("transfer", ""), caller)
        sessions.forget(caller.tenant.name, removed["_id"])
        return answer(shapes.dated(shapes.user(removed), removed))
