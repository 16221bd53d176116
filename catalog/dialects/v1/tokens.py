"""Personal access tokens."""

from collections.abc import Sequence

from litestar import Controller, Response, delete, get, post
from litestar.params import FromPath

from catalog.dialects.http import guards
from catalog.dialects.http.sessions import Sessions
from catalog.dialects.v1 import passed_over, shapes
from catalog.dialects.v1.http import AnyRequest, Given, answer, body_of
from catalog.dialects.v1.lists import listed
from catalog.domain.access import Caller
from catalog.domain.people import access_tokens
from catalog.store.query import fields
from catalog.store.tenant_documents import Raw


class Tokens(Controller):
    path = "/tokens"
    guards = (guards.signed_in,)

    @post(status_code=200)
    async def create(self, request: AnyRequest, caller: Given[Caller]) -> Response[bytes]:
        made = await access_tokens.create(caller, passed_over.without(await body_of(request), passed_over.TOKENS))
        return answer(shapes.access_token(made.record.model_dump(by_alias=True)) | {"token": made.token})

    @get()
    async def list_(self, request: AnyRequest, caller: Given[Caller]) -> Response[bytes]:
        async def shown(found: Sequence[Raw]) -> list[shapes.Shape]:
            return [shapes.access_token(token) for token in found]

        collection = caller.tenant.access_tokens.raw
        return await listed(request, collection, fields.ACCESS_TOKENS, shown, access=access_tokens.seen_by(caller))

    @delete("/{key:str}", status_code=200)
    async def revoke(self, key: FromPath[str], caller: Given[Caller], sessions: Given[Sessions]) -> Response[bytes]:
        revoked = await access_tokens.revoke(caller, key)
        sessions.forget_access_token(caller.tenant.name, revoked["digest"])
        return answer(shapes.access_token(revoked))
