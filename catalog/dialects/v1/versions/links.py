"""Links: signed addresses of versions, which are downloaded without a token."""

from typing import ClassVar

from litestar import Controller, HttpMethod, post, route

from catalog.dialects.http import guards
from catalog.dialects.http.docs.refusals import refuses
from catalog.dialects.http.encoded import JsonResponse, json_response
from catalog.dialects.http.requests.injection import AnyRequest, Injected
from catalog.dialects.http.requests.json_bodies import decoded
from catalog.dialects.http.sessions import Sessions
from catalog.dialects.http.transfers.downloads import Download
from catalog.dialects.http.transfers.version_files import file_download, version_download
from catalog.dialects.v1.items.items import words_of
from catalog.dialects.v1.models.common import moment
from catalog.dialects.v1.models.shown_versions import DownloadLink
from catalog.dialects.v1.models.versions import NewLink
from catalog.dialects.v1.requests.parameters import ItemKey, LinkName, LinkToken, VersionKey
from catalog.dialects.v1.requests.version_bodies import new_link
from catalog.dialects.v1.versions.transfers import downloading
from catalog.domain.access import Caller
from catalog.domain.items.references import Reference
from catalog.domain.versions.files import links, version_files
from catalog.errors import (
    AMBIGUOUS,
    CANNOT_READ,
    LINK_INVALID,
    NOT_CREATED,
    NOT_FOUND,
    QUARANTINED,
    VERSION_DRAFT,
    Refused,
)
from catalog.vocabulary import Kind


class VersionLink(Controller):
    kind: ClassVar[Kind]
    words: ClassVar[dict[str, str]]
    guards = (guards.signed_in,)

    @post(
        status_code=200,
        operation_id="link{Kind}Version",
        content={"application/json": NewLink},
        is_body_required=False,
        response_description="The link.",
        responses=refuses(NOT_CREATED, NOT_FOUND, CANNOT_READ, QUARANTINED, VERSION_DRAFT, AMBIGUOUS),
    )
    async def create(
        self,
        key: ItemKey,
        which: VersionKey,
        request: AnyRequest,
        caller: Injected[Caller],
        signed: Injected[links.Links],
        native_prefix: Injected[str],
    ) -> JsonResponse[DownloadLink]:
        """Create a link that opens without a token."""
        new = new_link(await decoded(await request.body()))
        link = await links.create(
            caller, self.kind, Reference(key, which), signed, life=new.life(), path=new.path or ""
        )
        return json_response(DownloadLink(f"{native_prefix}/links/{link.token}", link.token, moment(link.expires)))


class ModelLink(VersionLink):
    path = "/models/{key:str}/versions/{which:str}/link"
    tags = ("Models",)
    kind = Kind.MODEL
    words = words_of(Kind.MODEL)


class DatasetLink(VersionLink):
    path = "/datasets/{key:str}/versions/{which:str}/link"
    tags = ("Datasets",)
    kind = Kind.DATASET
    words = words_of(Kind.DATASET)


class AlgorithmLink(VersionLink):
    path = "/algorithms/{key:str}/versions/{which:str}/link"
    tags = ("Algorithms",)
    kind = Kind.ALGORITHM
    words = words_of(Kind.ALGORITHM)


class LinkedFiles(Controller):
    path = "/links"
    tags = ("Links and bytes",)
    opt = {"public": True}  # noqa: RUF012  Litestar's way: the link itself opens the door

    @route(
        "/{token:str}",
        http_method=[HttpMethod.GET, HttpMethod.HEAD],
        status_code=200,
        operation_id="fetchLinked",
        head_operation_id="lookAtLinked",
        **downloading(LINK_INVALID, is_archive=True),
    )
    async def fetch(
        self, token: LinkToken, request: AnyRequest, signed: Injected[links.Links], sessions: Injected[Sessions]
    ) -> Download:
        """Download what a link leads to."""
        return await _followed(token, request, signed, sessions)

    @route(
        "/{token:str}/{name:str}",
        http_method=[HttpMethod.GET, HttpMethod.HEAD],
        status_code=200,
        operation_id="fetchLinkedAs",
        head_operation_id="lookAtLinkedAs",
        **downloading(LINK_INVALID, is_archive=True),
    )
    async def fetch_as(
        self,
        token: LinkToken,
        name: LinkName,
        request: AnyRequest,
        signed: Injected[links.Links],
        sessions: Injected[Sessions],
    ) -> Download:
        """Download the same. Programs name what they store by the end of the address, and unpack a `.zip`."""
        return await _followed(token, request, signed, sessions, name)


async def _followed(
    token: str, request: AnyRequest, signed: links.Links, sessions: Sessions, name: str = ""
) -> Download:
    """What a link leads to; a folder as the archive that `name` says.

    Raises Refused: LINK_INVALID, and what a download raises.
    """
    target = signed.read(token)
    tenant = await sessions.tenant(target.tenant)
    if tenant is None:
        raise Refused(LINK_INVALID)
    version = await links.follow(tenant, target)
    if not target.path:
        return await version_download(request, tenant, version, name)
    file = await version_files.at(tenant, version, target.path)
    return await file_download(request, tenant.blobs, file, version["timestamp"])
