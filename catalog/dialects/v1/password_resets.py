"""Forgotten passwords: asking for a mail, and choosing a new one with what it brings."""

from typing import Any

from litestar import Controller, Response, post, put

from catalog.dialects.http.client_ip import Addresses
from catalog.dialects.http.request_log import concerns
from catalog.dialects.http.sessions import Sessions
from catalog.dialects.v1 import shapes
from catalog.dialects.v1.http import AnyRequest, Given, answer, body_of
from catalog.dialects.v1.people import DEVICE, remembered
from catalog.domain import naming
from catalog.domain.body_fields import Form, shown
from catalog.domain.people import password_resets
from catalog.domain.people.devices import Devices
from catalog.domain.people.login_throttle import Attempts
from catalog.domain.people.password_resets import Resets
from catalog.domain.people.users import Policy
from catalog.errors import MISSING_EMAIL, NOT_CHANGED, NOT_SEARCHED, Fault, Refused
from catalog.store.database import Tenant


class Self(Controller):
    path = "/self"
    opt = {"public": True}  # noqa: RUF012  Litestar's way: who has forgotten a password has no token

    @post("/reset", status_code=200)
    async def ask(
        self,
        request: AnyRequest,
        sessions: Given[Sessions],
        attempts: Given[Attempts],
        addresses: Given[Addresses],
        reset_mails: Given[Resets],
    ) -> Response[bytes]:
        name = request.query_params.get("tenant")
        if not name:
            raise Refused(NOT_SEARCHED, "Query param `tenant` is required")
        tenant = await _tenant(sessions, name, NOT_CHANGED)
        concerns(request.scope, tenant, "")
        email = Form(await body_of(request), MISSING_EMAIL, {"email"}).text("email")
        if not email:
            raise Refused(MISSING_EMAIL)
        await attempts.at_reset(tenant.name, email, addresses.of(request.scope))
        await password_resets.ask(tenant, email, reset_mails)
        return answer({"message": "request sent"})

    @put()
    async def confirm(
        self,
        request: AnyRequest,
        sessions: Given[Sessions],
        policy: Given[Policy],
        attempts: Given[Attempts],
        addresses: Given[Addresses],
        devices: Given[Devices],
    ) -> Response[bytes]:
        body = await body_of(request)
        name = body.get("tenant") if isinstance(body, dict) else None
        if not name:
            raise Refused(NOT_SEARCHED, "Body param `tenant` is required")
        tenant = await _tenant(sessions, name, NOT_SEARCHED)
        user = await password_resets.confirm(tenant, body, policy)
        sessions.forget(tenant.name, user["_id"])
        concerns(request.scope, tenant, user["username"])
        # Whoever guesses meanwhile does not keep the new password from serving.
        account = naming.normalized(user["username"])
        await attempts.welcome(tenant.name, account, addresses.of(request.scope))
        mark = devices.mark(request.cookies.get(DEVICE, ""), tenant.name, account)
        return remembered(answer(shapes.user(user)), request, mark)


async def _tenant(sessions: Sessions, name: Any, fault: Fault) -> Tenant:
    tenant = await sessions.tenant(name) if isinstance(name, str) else None
    if tenant is None:
        raise Refused(fault, f"Unknown tenant ({shown(name)})")
    return tenant
