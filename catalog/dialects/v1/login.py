"""Signing in and renewing a token."""

from typing import cast

from litestar import Controller, Response, post, put

from catalog.dialects.http.client_ip import Addresses
from catalog.dialects.http.request_log import concerns
from catalog.dialects.http.sessions import Sessions
from catalog.dialects.v1 import shapes
from catalog.dialects.v1.http import AnyRequest, Given, answer, body_of
from catalog.domain import naming
from catalog.domain.body_fields import Form
from catalog.domain.people import users
from catalog.domain.people.credentials import LONGEST_PASSWORD
from catalog.domain.people.devices import LIFE, Devices
from catalog.domain.people.login_throttle import LoginThrottle
from catalog.errors import AUTHENTICATION, Refused
from catalog.store.database import Tenant
from catalog.store.records import UserRecord

DEVICE = "catalog_device"
"""The cookie of a known device."""


class Login(Controller):
    opt = {"public": True}  # noqa: RUF012  Litestar's way

    @post(status_code=200)
    async def sign_in(
        self,
        request: AnyRequest,
        sessions: Given[Sessions],
        throttle: Given[LoginThrottle],
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
        cookie = request.cookies.get(DEVICE, "")
        device = devices.identify(cookie, name, account)
        async with throttle.password_attempt(name, account, addresses.of(request.scope), device):
            tenant = await sessions.tenant(name)
            concerns(request.scope, tenant, username[:LONGEST_PASSWORD])
            user = await users.sign_in(tenant, username, password)
        sessions.forget(name, user["_id"])  # what was cached a moment ago may refuse the new token
        session = _session(user, cast("Tenant", tenant), sessions, token_life)  # sign_in refuses without a tenant
        return set_device_cookie(session, request, devices.remember(cookie, name, account))

    @put()
    async def renew(self, request: AnyRequest, sessions: Given[Sessions], token_life: Given[str]) -> Response[bytes]:
        authorization = request.headers.get("authorization")
        if not authorization:
            raise Refused(AUTHENTICATION, "Missing token")
        caller = await sessions.caller(authorization, for_renewal=True)
        # A cached answer is not enough: the new token could outlive the end of the old one.
        sessions.forget(caller.tenant.name, caller.user)
        caller = await sessions.caller(authorization, for_renewal=True)
        concerns(request.scope, caller.tenant, caller.username)
        user = await users.find(caller.tenant, str(caller.user))
        users.refuse_expired(user)
        return _session(user, caller.tenant, sessions, token_life)


def set_device_cookie(answered: Response[bytes], request: AnyRequest, cookie: str) -> Response[bytes]:
    """The answer, with the cookie of a known device."""
    answered.set_cookie(
        key=DEVICE,
        value=cookie,
        max_age=int(LIFE.total_seconds()),
        secure=request.scope["scheme"] == "https",
        httponly=True,
        samesite="strict",
    )
    return answered


def _session(user: UserRecord, tenant: Tenant, sessions: Sessions, token_life: str) -> Response[bytes]:
    token = f"JWT {sessions.issue(user['_id'], tenant)}"
    return answer({"user": shapes.user(user), "token_expiration_time": token_life, "token": token})
