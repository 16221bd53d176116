"""The contents of versions: downloads, their verification, and comparisons."""

from typing import ClassVar

from litestar import Controller, HttpMethod, get, route

from catalog.dialects.http import guards
from catalog.dialects.http.docs.parameters import query
from catalog.dialects.http.docs.refusals import refuses
from catalog.dialects.http.encoded import JsonResponse, json_response
from catalog.dialects.http.requests.injection import AnyRequest, Injected
from catalog.dialects.http.transfers.downloads import Download
from catalog.dialects.http.transfers.version_files import version_download
from catalog.dialects.v1.items.items import words_of
from catalog.dialects.v1.models.comparison import ComparedVersions
from catalog.dialects.v1.models.shown_versions import Verification
from catalog.dialects.v1.requests.parameters import ItemKey, VersionKey
from catalog.dialects.v1.versions.transfers import CONTENT_REFUSALS, downloading
from catalog.domain.access import Caller
from catalog.domain.items.references import Reference
from catalog.domain.versions import reading
from catalog.domain.versions.comparison import compare
from catalog.errors import (
    AMBIGUOUS,
    BYTES_ELSEWHERE,
    CANNOT_READ,
    NOT_FOUND,
    QUARANTINED,
    STORAGE_AWAY,
    VERSION_DRAFT,
)
from catalog.vocabulary import Kind

WHICH = query(
    "which",
    "A version: its ordinal, an alias, `latest` or a file name. Twice or more often.",
    {"type": "array", "items": {"type": "string"}, "minItems": compare.FEWEST, "maxItems": compare.MOST},
    required=True,
    example=["1", "2"],
)


class VersionContents(Controller):
    kind: ClassVar[Kind]
    words: ClassVar[dict[str, str]]
    guards = (guards.signed_in,)

    @route(
        "/{which:str}",
        http_method=[HttpMethod.GET, HttpMethod.HEAD],
        status_code=200,
        operation_id="fetch{Kind}Version",
        head_operation_id="lookAt{Kind}Version",
        **downloading(*CONTENT_REFUSALS, BYTES_ELSEWHERE, AMBIGUOUS, is_archive=True),
    )
    async def fetch(self, key: ItemKey, which: VersionKey, request: AnyRequest, caller: Injected[Caller]) -> Download:
        """Download the file of a version, or all files of a folder."""
        version = await reading.read_content(caller, self.kind, Reference(key, which))
        reading.refuse_draft(version)
        return await version_download(request, caller.tenant, version)

    @get(
        "/{which:str}/verify",
        operation_id="verify{Kind}Version",
        response_description="The condition of each file.",
        responses=refuses(NOT_FOUND, CANNOT_READ, QUARANTINED, BYTES_ELSEWHERE, STORAGE_AWAY, AMBIGUOUS),
    )
    async def verify(self, key: ItemKey, which: VersionKey, caller: Injected[Caller]) -> JsonResponse[Verification]:
        """Compare the files of a version in the storage with their digests.

        All bytes are read: a second or more for each gigabyte. Uploading a damaged file again replaces it.
        """
        return json_response(Verification.of(await reading.verify(caller, self.kind, Reference(key, which))))

    @get(
        "/compare",
        operation_id="compare{Kind}Versions",
        parameters=[WHICH],
        response_description="The versions side by side.",
        responses=refuses(NOT_FOUND, CANNOT_READ, QUARANTINED, VERSION_DRAFT, AMBIGUOUS),
    )
    async def compare(
        self, key: ItemKey, request: AnyRequest, caller: Injected[Caller]
    ) -> JsonResponse[ComparedVersions]:
        """Compare 2 to 8 versions: their metadata, their files by digest, and the tensors of model files.

        Each version is compared with the first.
        """
        which = request.query_params.getall("which", [])
        return json_response(
            ComparedVersions.of(which, await compare.compare(caller, self.kind, Reference(key), which))
        )


class ModelContents(VersionContents):
    path = "/models/{key:str}/versions"
    tags = ("Models",)
    kind = Kind.MODEL
    words = words_of(Kind.MODEL)


class DatasetContents(VersionContents):
    path = "/datasets/{key:str}/versions"
    tags = ("Datasets",)
    kind = Kind.DATASET
    words = words_of(Kind.DATASET)


class AlgorithmContents(VersionContents):
    path = "/algorithms/{key:str}/versions"
    tags = ("Algorithms",)
    kind = Kind.ALGORITHM
    words = words_of(Kind.ALGORITHM)
