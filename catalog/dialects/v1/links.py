"""Links, which need no token, and what the caller need not upload."""

from litestar import Controller, HttpMethod, Response, head, post, route
from litestar.params import FromPath

from catalog.blobs.protocol import Storage
from catalog.dialects.http import guards
from catalog.dialects.http.downloads import Download
from catalog.dialects.http.sessions import Sessions
from catalog.dialects.v1.files import one, whole
from catalog.dialects.v1.http import AnyRequest, Given, answer, body_of
from catalog.dialects.v1.models.common import moment
from catalog.domain.access import Caller
from catalog.domain.versions import drafts, links, reuse
from catalog.errors import LINK_INVALID, Refused
from catalog.vocabulary import Kind


class Link(Controller):
    kind: Kind
    guards = (guards.signed_in,)

    @post(status_code=200)
    async def make(
        self,
        key: FromPath[str],
        which: FromPath[str],
        request: AnyRequest,
        caller: Given[Caller],
        signed: Given[links.Links],
        native_prefix: Given[str],
    ) -> Response[bytes]:
        body = await body_of(request)
        made = await links.make(signed, caller.tenant, self.kind, key, which, body, caller)
        told = {"url": f"{native_prefix}/links/{made.token}", "token": made.token, "expires": moment(made.expires)}
        return answer(told)


class ModelLink(Link):
    path = "/models/{key:str}/versions/{which:str}/link"
    kind = Kind.MODEL


class DatasetLink(Link):
    path = "/datasets/{key:str}/versions/{which:str}/link"
    kind = Kind.DATASET


class AlgorithmLink(Link):
    path = "/algorithms/{key:str}/versions/{which:str}/link"
    kind = Kind.ALGORITHM


class Linked(Controller):
    path = "/links"
    opt = {"public": True}  # noqa: RUF012  Litestar's way: the link itself opens the door

    @route("/{token:str}", http_method=[HttpMethod.GET, HttpMethod.HEAD])
    async def fetch(
        self,
        token: FromPath[str],
        request: AnyRequest,
        signed: Given[links.Links],
        sessions: Given[Sessions],
        storage: Given[Storage],
    ) -> Download:
        aim = signed.read(token)
        tenant = await sessions.tenant(aim.tenant)
        if tenant is None:
            raise Refused(LINK_INVALID)
        version = await links.follow(tenant, aim)
        blobs = storage.of(aim.tenant)
        if not aim.path:
            return await whole(request, tenant, blobs, version)
        return await one(request, blobs, drafts.file_at(version, aim.path), version["timestamp"])


class Blobs(Controller):
    path = "/blobs"
    guards = (guards.signed_in,)

    @head("/{digest:str}")
    async def size(self, digest: FromPath[str], caller: Given[Caller], storage: Given[Storage]) -> Response[None]:
        blobs = storage.of(caller.tenant.name)
        size = await reuse.readable_size(caller.tenant, digest.removeprefix("sha256:"), caller, blobs)
        return Response(None, headers={"Content-Length": str(size)})
