"""Forgotten passwords: requesting a mail, and choosing a new password with the token in it."""

from typing import Any

from litestar import Controller, Response, post, put

from catalog.dialects.http.client_ip import Addresses
from catalog.dialects.http.request_log import concerns
from catalog.dialects.http.sessions import Sessions
from catalog.dialects.v1 import shapes
from catalog.dialects.v1.http import AnyRequest, Given, answer, body_of
from catalog.dialects.v1.login import DEVICE, set_device_cookie
from catalog.dialects.v1.people_bodies import new_password
from catalog.domain import naming
from catalog.domain.body_fields import Form, shown
from catalog.domain.people import password_resets
from catalog.domain.people.devices import Devices
from catalog.domain.people.login_throttle import LoginThrottle
from catalog.domain.people.password_resets import ResetMails
from catalog.domain.people.users import Policy
from catalog.errors import MISSING_EMAIL, NOT_CHANGED, NOT_SEARCHED, Fault, Refused
from catalog.store.database import Tenant


class Self(Controller):
    path = "/self"
    opt = {"public": True}  # noqa: RUF012  Litestar's way: without a password there is no token

    @post("/reset", status_code=200)
    async def ask(
        self,
        request: AnyRequest,
        sessions: Given[Sessions],
        throttle: Given[LoginThrottle],
        addresses: Given[Addresses],
        reset_mails: Given[ResetMails],
    ) -> Response[bytes]:
        name = request.query_params.get("tenant")
        if not name:
            raise Refused(NOT_SEARCHED, "Query param `tenant` is required")
        tenant = await _tenant(sessions, name, NOT_CHANGED)
        concerns(request.scope, tenant, "")
        email = Form(await body_of(request), MISSING_EMAIL, {"email"}).text("email")
        if not email:
            raise Refused(MISSING_EMAIL)
        await throttle.count_mail(tenant.name, email, addresses.of(request.scope))
        await password_resets.request(tenant, email, reset_mails)
        return answer({"message": "request sent"})

    @put()
    async def confirm(
        self,
        request: AnyRequest,
        sessions: Given[Sessions],
        policy: Given[Policy],
        throttle: Given[LoginThrottle],
        addresses: Given[Addresses],
        devices: Given[Devices],
    ) -> Response[bytes]:
        body = await body_of(request)
        name = body.get("tenant") if isinstance(body, dict) else None
        if not name:
            raise Refused(NOT_SEARCHED, "Body param `tenant` is required")
        tenant = await _tenant(sessions, name, NOT_SEARCHED)
        user = await password_resets.confirm(tenant, new_password(body), policy)
        sessions.forget(tenant.name, user["_id"])
        concerns(request.scope, tenant, user["username"])
        # Wrong passwords that others try meanwhile must not delay the next sign-in.
        account = naming.normalized(user["username"])
        await throttle.clear(tenant.name, account, addresses.of(request.scope))
        cookie = devices.remember(request.cookies.get(DEVICE, ""), tenant.name, account)
        return set_device_cookie(answer(shapes.user(user)), request, cookie)


async def _tenant(sessions: Sessions, name: Any, fault: Fault) -> Tenant:
    tenant = await sessions.tenant(name) if isinstance(name, str) else None
    if tenant is None:
        raise Refused(fault, f"Unknown tenant ({shown(name)})")
    return tenant
