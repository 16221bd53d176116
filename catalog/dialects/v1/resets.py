"""Forgotten passwords: asking for a mail, and choosing a new one with what it brings."""

from typing import Any

from litestar import Controller, Response, post, put

from catalog.dialects.addresses import Addresses
from catalog.dialects.observed import concerns
from catalog.dialects.sessions import Sessions
from catalog.dialects.v1 import shapes
from catalog.dialects.v1.people import DEVICE, remembered
from catalog.dialects.v1.wire import AnyRequest, Given, answer, body_of
from catalog.domain import naming, resets
from catalog.domain.attempts import Attempts
from catalog.domain.devices import Devices
from catalog.domain.forms import Form, shown
from catalog.domain.resets import Resets
from catalog.domain.users import Policy
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
        password_resets: Given[Resets],
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
        await resets.ask(tenant, email, password_resets)
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
        user = await resets.confirm(tenant, body, policy)
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
