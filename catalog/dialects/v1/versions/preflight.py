"""The check of a push before anything of it is sent."""

from litestar import Controller, post

from catalog.dialects.http import guards
from catalog.dialects.http.docs.refusals import refuses
from catalog.dialects.http.encoded import JsonResponse, json_response
from catalog.dialects.http.requests.injection import Injected
from catalog.dialects.v1.models.preflight import CheckedPush, PushToCheck
from catalog.dialects.v1.requests.bodies import Json
from catalog.domain.access import Caller
from catalog.domain.limits import Limits
from catalog.domain.versions import preflight
from catalog.errors import AMBIGUOUS, CANNOT_MODIFY, NOT_CREATED, NOT_FOUND, QUOTA_EXCEEDED, REQUIRED_FIELD


class Preflight(Controller):
    path = "/preflight"
    tags = ("Links and bytes",)
    guards = (guards.signed_in,)

    @post(
        status_code=200,
        operation_id="checkPush",
        response_description="Nothing of it would be refused now.",
        responses=refuses(NOT_CREATED, NOT_FOUND, CANNOT_MODIFY, AMBIGUOUS, QUOTA_EXCEEDED, REQUIRED_FIELD),
    )
    async def check(
        self, data: Json[PushToCheck], caller: Injected[Caller], limits: Injected[Limits]
    ) -> JsonResponse[CheckedPush]:
        """Check names, tags, metadata, ordinal, alias and inputs of a push before its bytes are sent.

        Nothing is stored. A push is several requests, and this finds what would refuse one of the later ones.
        """
        return json_response(CheckedPush.of(await preflight.check(caller, data.kind, data.as_input(), limits)))
