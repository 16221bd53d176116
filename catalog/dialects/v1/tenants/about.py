"""The server itself: its version, its error catalogue, and how it is set up."""

from collections.abc import Iterable
from enum import StrEnum
from time import time

from litestar import Controller, get

from catalog import __version__
from catalog.dialects.http import guards
from catalog.dialects.http.encoded import JsonResponse, json_response
from catalog.dialects.http.requests.injection import Injected
from catalog.dialects.v1.errors import CATALOGUE
from catalog.dialects.v1.models.tenants.about import (
    ErrorEntry,
    FieldValues,
    PasswordRules,
    ServerInfoBody,
    ServerVersion,
)
from catalog.domain.limits import Limits
from catalog.domain.people.authentication.credentials import PasswordPolicy
from catalog.vocabulary import ResetStatus, Role, Status, Usage, Visibility

TAG = "About the server"


class About(Controller):
    tags = (TAG,)
    opt = {"public": True}  # noqa: RUF012  Litestar's way

    @get("/version", operation_id="version", response_description="The version.")
    async def version(self) -> JsonResponse[ServerVersion]:
        """Show the version of the server."""
        return json_response(ServerVersion(__version__))

    @get("/errors", operation_id="errors", response_description="The errors, by name.")
    async def errors(self) -> JsonResponse[dict[str, ErrorEntry]]:
        """List the error catalogue."""
        return json_response({error.name: ErrorEntry(error.status, error.value, error.message) for error in CATALOGUE})

    @get("/types", operation_id="types", response_description="The words, by type.")
    async def types(self) -> JsonResponse[FieldValues]:
        """List the words that fields take."""
        values = FieldValues(
            algorithm_status_types=_words(Status),
            model_status_types=_words(Status),
            password_reset_status_types=_words(ResetStatus),
            usage_types=_words(Usage),
            user_roles=_words(Role),
            visibility_types=_words(Visibility),
        )
        return json_response(values)

    @get("/types/passwordStrength", operation_id="passwordStrength", response_description="The rules.")
    async def password_strength(self, policy: Injected[PasswordPolicy]) -> JsonResponse[PasswordRules]:
        """Show how strong a password must be, and for how many days it is valid."""
        return json_response(PasswordRules(str(policy.strength), str(policy.days)))


class Info(Controller):
    tags = (TAG,)
    guards = (guards.signed_in,)

    @get("/info", operation_id="info", response_description="The setup of the server.")
    async def info(
        self,
        token_life: Injected[str],
        demo: Injected[bool],
        log: Injected[bool],
        default_visibility: Injected[Visibility],
        limits: Injected[Limits],
    ) -> JsonResponse[ServerInfoBody]:
        """Show how the server is set up."""
        info = ServerInfoBody(
            version=__version__,
            demo=str(demo).lower(),
            token_expiration_time=token_life,
            timestamp=str(int(time() * 1000)),
            log=str(log).lower(),
            default_visibility=default_visibility,
            limits=limits._asdict(),
        )
        return json_response(info)


def _words(words: Iterable[StrEnum]) -> dict[str, str]:
    return {str(word): str(word) for word in words}
