"""Signing in and renewing a token."""

from typing import ClassVar, cast

from litestar import Controller, post, put

from catalog.dialects.http.access import SESSIONS
from catalog.dialects.http.docs.refusals import refuses
from catalog.dialects.http.encoded import AnyJson, JsonResponse, json_response
from catalog.dialects.http.request_log import set_subject
from catalog.dialects.http.requests.client_ip import TrustedProxies
from catalog.dialects.http.requests.injection import AnyRequest, Injected
from catalog.dialects.http.sessions import Sessions
from catalog.dialects.v1.models.people.people import UserBody
from catalog.dialects.v1.models.people.users import Credentials, SignedInUser
from catalog.dialects.v1.requests.bodies import Json
from catalog.domain import naming
from catalog.domain.people import usernames
from catalog.domain.people.authentication import sign_in
from catalog.domain.people.authentication.credentials import LONGEST_PASSWORD, refuse_expired
from catalog.domain.people.authentication.devices import LIFE, Devices
from catalog.domain.people.authentication.login_throttle import LoginThrottle
from catalog.errors import AUTHENTICATION, TOO_MANY_ATTEMPTS, Refused
from catalog.store.records import UserRecord
from catalog.store.tenant import Tenant

DEVICE = "catalog_device"
"""The cookie of a known device."""


class Login(Controller):
    path = "/login"
    tags = ("Sign in",)
    opt = {"public": True}  # noqa: RUF012  Litestar's way
    words: ClassVar = {"suffix": ""}

    @post(
        status_code=200,
        operation_id="signIn{suffix}",
        response_description="The user, and a token.",
        responses=refuses(AUTHENTICATION, TOO_MANY_ATTEMPTS),
        invalid_body=AUTHENTICATION,
    )
    async def sign_in(
        self,
        data: Json[Credentials],
        request: AnyRequest,
        sessions: Injected[Sessions],
        throttle: Injected[LoginThrottle],
        proxies: Injected[TrustedProxies],
        devices: Injected[Devices],
        default_tenant: Injected[str],
        token_life: Injected[str],
    ) -> JsonResponse[SignedInUser]:
        """Sign in.

        The `token` of the answer is the value of the header `Authorization`.
        """
        name, account = data.tenant or default_tenant, naming.normalized(data.username)
        cookie = request.cookies.get(DEVICE, "")
        device = devices.identify(cookie, name, account)
        async with throttle.password_attempt(name, account, proxies.client_ip(request.scope), device):
            tenant = await sessions.tenant(name)
            set_subject(request.scope, tenant, data.username[:LONGEST_PASSWORD])
            user = await sign_in.sign_in(tenant, data.username, data.password)
        sessions.forget(name, user["_id"])  # what was cached a moment ago may refuse the new token
        session = _session(user, cast("Tenant", tenant), sessions, token_life)  # sign_in refuses without a tenant
        return set_device_cookie(session, request, devices.remember(cookie, name, account))

    @put(operation_id="renew{suffix}", response_description="The user, and a token.", access=SESSIONS)
    async def renew(
        self, request: AnyRequest, sessions: Injected[Sessions], token_life: Injected[str]
    ) -> JsonResponse[SignedInUser]:
        """Renew the token.

        Until JWT_RENEW_EXPIRATIONTIME after it was issued.
        """
        authorization = request.headers.get("authorization")
        if not authorization:
            raise Refused(AUTHENTICATION, "Missing token")
        caller = await sessions.caller(authorization, for_renewal=True)
        # A cached answer is not enough: the new token could outlive the end of the old one.
        sessions.forget(caller.tenant.name, caller.user)
        caller = await sessions.caller(authorization, for_renewal=True)
        set_subject(request.scope, caller.tenant, caller.username)
        user = await usernames.find(caller.tenant, str(caller.user))
        refuse_expired(user)
        return _session(user, caller.tenant, sessions, token_life)


class UnversionedLogin(Login):
    """The same without the prefix of the version."""

    words: ClassVar = {"suffix": "Unversioned"}


def set_device_cookie(answered: AnyJson, request: AnyRequest, cookie: str) -> AnyJson:
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


def _session(user: UserRecord, tenant: Tenant, sessions: Sessions, token_life: str) -> JsonResponse[SignedInUser]:
    token = f"JWT {sessions.issue(user['_id'], tenant)}"
    return json_response(SignedInUser(UserBody.of(user), token_life, token))
