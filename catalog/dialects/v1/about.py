"""What the server says of itself."""

from time import time

from litestar import Controller, Response, get

from catalog import __version__
from catalog.dialects.http import guards
from catalog.dialects.v1.errors import CATALOGUE
from catalog.dialects.v1.http import Given, answer
from catalog.domain.limits import Limits
from catalog.domain.people.users import Policy
from catalog.vocabulary import ResetStatus, Role, Status, Usage, Visibility

STATUSES = {status: status for status in Status}


class About(Controller):
    opt = {"public": True}  # noqa: RUF012  Litestar's way

    @get("/version")
    async def version(self) -> Response[bytes]:
        return answer({"version": __version__})

    @get("/errors")
    async def errors(self) -> Response[bytes]:
        """List the catalogue of errors, by name."""
        return answer(
            {
                error.name: {"status": error.status, "value": error.value, "message": error.message}
                for error in CATALOGUE
            }
        )

    @get("/types")
    async def types(self) -> Response[bytes]:
        return answer(
            {
                "AlgorithmStatusTypes": STATUSES,
                "ModelStatusTypes": STATUSES,
                "PasswordResetStatusTypes": {status: status for status in ResetStatus},
                "UsageTypes": {usage: usage for usage in Usage},
                "UserRoles": {role: role for role in Role},
                "VisibilityTypes": {visibility: visibility for visibility in Visibility},
            }
        )

    @get("/types/passwordStrength")
    async def password_strength(self, policy: Given[Policy]) -> Response[bytes]:
        return answer({"passwordStrength": str(policy.strength), "ValidityPasswordDays": str(policy.days)})


class Info(Controller):
    guards = (guards.signed_in,)

    @get("/info")
    async def info(
        self, token_life: Given[str], demo: Given[bool], log: Given[bool], limits: Given[Limits]
    ) -> Response[bytes]:
        """Tell how the server is set up and what an item may hold; not where its database is."""
        return answer(
            {
                "version": __version__,
                "demo": str(demo).lower(),
                "token_expiration_time": token_life,
                "timestamp": str(int(time() * 1000)),
                "log": str(log).lower(),
                "limits": limits._asdict(),
            }
        )
