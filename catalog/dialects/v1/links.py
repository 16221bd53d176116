"""Links: signed addresses of versions, which are downloaded without a token."""

from litestar import Controller, HttpMethod, Response, post, route
from litestar.params import FromPath

from catalog.dialects.http import guards
from catalog.dialects.http.downloads import Download
from catalog.dialects.http.sessions import Sessions
from catalog.dialects.http.version_files import file_download, version_download
from catalog.dialects.v1.http import AnyRequest, Given, answer, body_of
from catalog.dialects.v1.models.common import moment
from catalog.dialects.v1.version_bodies import new_link
from catalog.domain.access import Caller
from catalog.domain.items.references import Reference
from catalog.domain.versions import drafts, links
from catalog.errors import LINK_INVALID, Refused
from catalog.vocabulary import Kind


class VersionLink(Controller):
    kind: Kind
    guards = (guards.signed_in,)

    @post(status_code=200)
    async def create(
        self,
        key: FromPath[str],
        which: FromPath[str],
        request: AnyRequest,
        caller: Given[Caller],
        signed: Given[links.Links],
        native_prefix: Given[str],
    ) -> Response[bytes]:
        life, path = new_link(await body_of(request))
        link = await links.create(caller, self.kind, Reference(key, which), signed, life=life, path=path)
        return answer(
            {"url": f"{native_prefix}/links/{link.token}", "token": link.token, "expires": moment(link.expires)}
        )


class ModelLink(VersionLink):
    path = "/models/{key:str}/versions/{which:str}/link"
    kind = Kind.MODEL


class DatasetLink(VersionLink):
    path = "/datasets/{key:str}/versions/{which:str}/link"
    kind = Kind.DATASET


class AlgorithmLink(VersionLink):
    path = "/algorithms/{key:str}/versions/{which:str}/link"
    kind = Kind.ALGORITHM


class LinkedFiles(Controller):
    path = "/links"
    opt = {"public": True}  # noqa: RUF012  Litestar's way: the link itself opens the door

    @route("/{token:str}", http_method=[HttpMethod.GET, HttpMethod.HEAD])
    async def fetch(
        self, token: FromPath[str], request: AnyRequest, signed: Given[links.Links], sessions: Given[Sessions]
    ) -> Download:
        target = signed.read(token)
        tenant = await sessions.tenant(target.tenant)
        if tenant is None:
            raise Refused(LINK_INVALID)
        version = await links.follow(tenant, target)
        if not target.path:
            return await version_download(request, tenant, version)
        return await file_download(request, tenant.blobs, drafts.file_at(version, target.path), version["timestamp"])
