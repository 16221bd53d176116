"""Personal access tokens."""

from litestar import Controller, delete, get, post

from catalog.dialects.http import guards
from catalog.dialects.http.docs.refusals import refuses
from catalog.dialects.http.encoded import JsonResponse, json_response
from catalog.dialects.http.requests.injection import AnyRequest, Injected
from catalog.dialects.http.sessions import Sessions
from catalog.dialects.v1.models.lists import Listed, ListedResource, listing
from catalog.dialects.v1.models.people.tokens import AccessTokenBody, NewAccessToken, NewToken
from catalog.dialects.v1.requests.bodies import Json
from catalog.dialects.v1.requests.lists import listed, one_by_one
from catalog.dialects.v1.requests.parameters import TokenId
from catalog.domain.access import Caller
from catalog.domain.people.authentication import access_tokens
from catalog.errors import CANNOT_CREATE, CANNOT_DELETE, NOT_FOUND
from catalog.store.query import fields

TOKENS = ListedResource("AccessToken", fields.ACCESS_TOKENS)


class Tokens(Controller):
    path = "/tokens"
    tags = ("Personal access tokens",)
    guards = (guards.signed_in,)

    @post(
        status_code=200,
        operation_id="createToken",
        response_description="The token, which is shown only once.",
        responses=refuses(CANNOT_CREATE),
    )
    async def create(self, data: Json[NewToken], caller: Injected[Caller]) -> JsonResponse[NewAccessToken]:
        """Create a token for scripts.

        A personal access token cannot create another one.
        """
        made = await access_tokens.create(caller, data.as_input())
        return json_response(NewAccessToken.of(made.record.model_dump(by_alias=True), token=made.token))

    @get(operation_id="listTokens", response_description="A page of tokens.", **listing(TOKENS))
    async def list_(self, request: AnyRequest, caller: Injected[Caller]) -> JsonResponse[Listed[AccessTokenBody]]:
        """List your tokens; administrators see those of all users."""
        collection, access = caller.tenant.access_tokens.records, access_tokens.visible_to(caller)
        return await listed(request, collection, TOKENS.fields, one_by_one(AccessTokenBody.of), access=access)

    @delete(
        "/{token_id:str}",
        status_code=200,
        operation_id="revokeToken",
        response_description="The token, as it was.",
        responses=refuses(NOT_FOUND, CANNOT_DELETE),
    )
    async def revoke(
        self, token_id: TokenId, caller: Injected[Caller], sessions: Injected[Sessions]
    ) -> JsonResponse[AccessTokenBody]:
        """Revoke a token."""
        revoked = await access_tokens.revoke(caller, token_id)
        sessions.forget_access_token(caller.tenant.name, revoked["digest"])
        return json_response(AccessTokenBody.of(revoked))
