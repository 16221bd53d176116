"""Forgotten passwords: requesting a mail, and choosing a new password with the token in it."""

from litestar import Controller, post, put

from catalog.dialects.http.docs.parameters import query
from catalog.dialects.http.docs.refusals import refuses
from catalog.dialects.http.encoded import JsonResponse, json_response
from catalog.dialects.http.request_log import set_subject
from catalog.dialects.http.requests.client_ip import TrustedProxies
from catalog.dialects.http.requests.injection import AnyRequest, Injected
from catalog.dialects.http.sessions import Sessions
from catalog.dialects.v1.models.people.people import UserBody
from catalog.dialects.v1.models.people.users import Message, PasswordChoice, ResetRequest
from catalog.dialects.v1.people.login import DEVICE, set_device_cookie
from catalog.dialects.v1.requests.bodies import Json
from catalog.dialects.v1.requests.sentences import shown
from catalog.domain import naming
from catalog.domain.people.authentication import password_resets
from catalog.domain.people.authentication.credentials import PasswordPolicy
from catalog.domain.people.authentication.devices import Devices
from catalog.domain.people.authentication.login_throttle import LoginThrottle
from catalog.domain.people.authentication.password_resets import NewPassword, ResetMails
from catalog.errors import (
    EMPTY_BODY,
    MAIL_AWAY,
    MISSING_EMAIL,
    NOT_CHANGED,
    NOT_FOUND,
    NOT_SEARCHED,
    RESET_INVALID,
    TOO_MANY_ATTEMPTS,
    Fault,
    Refused,
)
from catalog.store.tenant import Tenant

TENANT = query("tenant", "The name of the tenant.", required=True)


class Self(Controller):
    path = "/self"
    tags = ("Forgotten passwords",)
    opt = {"public": True}  # noqa: RUF012  Litestar's way: without a password there is no token

    @post(
        "/reset",
        status_code=200,
        operation_id="askForPassword",
        response_description="If a user has the email, a mail is on its way.",
        responses=refuses(NOT_SEARCHED, NOT_CHANGED, MISSING_EMAIL, TOO_MANY_ATTEMPTS, MAIL_AWAY),
        parameters=[TENANT],
        invalid_body=MISSING_EMAIL,
    )
    async def request_reset(
        self,
        data: Json[ResetRequest],
        request: AnyRequest,
        sessions: Injected[Sessions],
        throttle: Injected[LoginThrottle],
        proxies: Injected[TrustedProxies],
        reset_mails: Injected[ResetMails],
    ) -> JsonResponse[Message]:
        """Request a mail with a link to choose a new password.

        The answer does not show whether a user has the email.
        """
        name = request.query_params.get("tenant")
        if not name:
            raise Refused(NOT_SEARCHED, "Query param `tenant` is required")
        tenant = await _tenant(sessions, name, NOT_CHANGED)
        set_subject(request.scope, tenant, "")
        if not data.email:
            raise Refused(MISSING_EMAIL)
        await throttle.count_mail(tenant.name, data.email, proxies.client_ip(request.scope))
        await password_resets.request(tenant, data.email, reset_mails)
        return json_response(Message("request sent"))

    @put(
        operation_id="choosePassword",
        response_description="The user.",
        responses=refuses(NOT_SEARCHED, EMPTY_BODY, NOT_FOUND, RESET_INVALID),
    )
    async def confirm(
        self,
        data: Json[PasswordChoice],
        request: AnyRequest,
        sessions: Injected[Sessions],
        policy: Injected[PasswordPolicy],
        throttle: Injected[LoginThrottle],
        proxies: Injected[TrustedProxies],
        devices: Injected[Devices],
    ) -> JsonResponse[UserBody]:
        """Choose a new password, with the token of the mail."""
        if not data.tenant:
            raise Refused(NOT_SEARCHED, "Body param `tenant` is required")
        tenant = await _tenant(sessions, data.tenant, NOT_SEARCHED)
        user = await password_resets.confirm(tenant, _new_password(data), policy)
        sessions.forget(tenant.name, user["_id"])
        set_subject(request.scope, tenant, user["username"])
        # Wrong passwords that others try meanwhile must not delay the next sign-in.
        account = naming.normalized(user["username"])
        await throttle.clear(tenant.name, account, proxies.client_ip(request.scope))
        cookie = devices.remember(request.cookies.get(DEVICE, ""), tenant.name, account)
        return set_device_cookie(json_response(UserBody.of(user)), request, cookie)


def _new_password(data: PasswordChoice) -> NewPassword:
    if not data.password or not data.reset:
        raise Refused(EMPTY_BODY, f"Body param `{'reset' if data.password else 'password'}` is required")
    return NewPassword(token=data.reset, password=data.password)


async def _tenant(sessions: Sessions, name: object, fault: Fault) -> Tenant:
    tenant = await sessions.tenant(name) if isinstance(name, str) else None
    if tenant is None:
        raise Refused(fault, f"Unknown tenant ({shown(name)})")
    return tenant
