"""The files of a version: uploaded one by one into a draft, downloaded, and their tensors."""

from pathlib import PurePosixPath
from typing import ClassVar

from litestar import Controller, HttpMethod, delete, get, post, put, route

from catalog.dialects.http import guards
from catalog.dialects.http.docs.parameters import query
from catalog.dialects.http.docs.refusals import answers, refuses
from catalog.dialects.http.encoded import JsonResponse, json_response
from catalog.dialects.http.requests.injection import AnyRequest, Injected
from catalog.dialects.http.transfers import uploads
from catalog.dialects.http.transfers.downloads import Download
from catalog.dialects.http.transfers.forms_of_files import FormOfFiles
from catalog.dialects.http.transfers.version_files import file_download
from catalog.dialects.v1.items.items import words_of
from catalog.dialects.v1.models.lists import LIMIT, PAGE, PageBody
from catalog.dialects.v1.models.shown_versions import AddedFiles, FileInfoBody, TensorListBody
from catalog.dialects.v1.requests.http import envelope
from catalog.dialects.v1.requests.parameters import FilePath, ItemKey, VersionKey
from catalog.dialects.v1.versions.transfers import (
    CONTENT_REFUSALS,
    DIGESTS,
    LARGEST_BATCH,
    MANY_FILES,
    ONE_FILE,
    UPLOAD_REFUSALS,
    downloading,
)
from catalog.domain.access import Caller
from catalog.domain.files import quota
from catalog.domain.items.references import Reference
from catalog.domain.versions import reading
from catalog.domain.versions.drafts import batches, drafts
from catalog.domain.versions.files import tensors, version_files
from catalog.errors import (
    AMBIGUOUS,
    BODY_TOO_LARGE,
    BUSY,
    CANNOT_MODIFY,
    CANNOT_READ,
    INVALID_QUERY,
    MALFORMED_BODY,
    NOT_FOUND,
    VERSION_CLOSED,
    Refused,
)
from catalog.store.query.paging.pages import ListPage
from catalog.store.query.params import page_of
from catalog.vocabulary import Kind


class VersionFiles(Controller):
    kind: ClassVar[Kind]
    words: ClassVar[dict[str, str]]
    guards = (guards.signed_in,)

    @get(
        operation_id="list{Kind}Files",
        parameters=[PAGE, LIMIT],
        response_description="A page.",
        responses=refuses(NOT_FOUND, CANNOT_READ, AMBIGUOUS),
    )
    async def list_(
        self, key: ItemKey, which: VersionKey, request: AnyRequest, caller: Injected[Caller]
    ) -> JsonResponse[PageBody[FileInfoBody]]:
        """List the files of a version."""
        version, params = await reading.read(caller, self.kind, Reference(key, which)), request.query_params
        page, total = page_of(params.get("page"), params.get("limit")), version["file_count"]
        stop = page.page * page.limit
        files = await version_files.page_of(caller.tenant, version, stop - page.limit, page.limit)
        docs = [FileInfoBody.of(file) for file in files]
        return json_response(envelope(docs, ListPage([], stop < total, total, is_exact=True), page))

    @post(
        status_code=200,
        request_max_body_size=None,
        operation_id="add{Kind}Files",
        content=MANY_FILES,
        response_description="What became of each file. 202: some of them are refused.",
        responses=answers(202, AddedFiles, "Some files are refused, the others are stored.")
        | refuses(*UPLOAD_REFUSALS, BODY_TOO_LARGE, MALFORMED_BODY, VERSION_CLOSED, AMBIGUOUS),
    )
    async def add(
        self, key: ItemKey, which: VersionKey, request: AnyRequest, caller: Injected[Caller]
    ) -> JsonResponse[AddedFiles]:
        """Upload many small files into a draft.

        Each part of the form with a file name is a file, and the file name is its path. A part may announce its
        digest in a `Repr-Digest` of its own. When the request ends early, some of the files may be in the draft.
        """
        reference = Reference(key, which)
        draft = await drafts.find(caller, self.kind, reference)
        form = FormOfFiles(request, batches.MOST_FILES, LARGEST_BATCH)
        await quota.refuse_excess(caller.tenant, 0)
        outcomes = await batches.put_all(caller, self.kind, reference, draft, form.files())
        return json_response(AddedFiles.of(outcomes), 202 if any(each.refusal for each in outcomes) else 200)

    @put(
        "/{path:path}",
        request_max_body_size=None,
        operation_id="put{Kind}File",
        parameters=DIGESTS,
        content=ONE_FILE,
        is_body_required=False,
        response_description="The record of the file.",
        responses=refuses(*UPLOAD_REFUSALS, VERSION_CLOSED, AMBIGUOUS),
    )
    async def put(
        self,
        key: ItemKey,
        which: VersionKey,
        path: FilePath,
        request: AnyRequest,
        caller: Injected[Caller],
        max_upload_size: Injected[int],
    ) -> JsonResponse[FileInfoBody]:
        """Upload a file into a draft.

        Without a body the file is empty.
        """
        inside = _relative(path)
        upload = uploads.incoming(request, max_upload_size, PurePosixPath(inside).name)
        return json_response(
            FileInfoBody.of(await drafts.put(caller, self.kind, Reference(key, which), inside, upload))
        )

    @route(
        "/{path:path}",
        http_method=[HttpMethod.GET, HttpMethod.HEAD],
        status_code=200,
        operation_id="fetch{Kind}File",
        head_operation_id="lookAt{Kind}File",
        **downloading(*CONTENT_REFUSALS, AMBIGUOUS, is_archive=False),
    )
    async def fetch(
        self,
        key: ItemKey,
        which: VersionKey,
        path: FilePath,
        request: AnyRequest,
        caller: Injected[Caller],
    ) -> Download:
        """Download one file of a version."""
        version = await reading.read_content(caller, self.kind, Reference(key, which))
        file = await version_files.at(caller.tenant, version, _relative(path))
        return await file_download(request, caller.tenant.blobs, file, version["lastmod"])

    @delete(
        "/{path:path}",
        status_code=200,
        operation_id="drop{Kind}File",
        response_description="The record of the file.",
        responses=refuses(NOT_FOUND, CANNOT_MODIFY, VERSION_CLOSED, BUSY, AMBIGUOUS),
    )
    async def remove(
        self, key: ItemKey, which: VersionKey, path: FilePath, caller: Injected[Caller]
    ) -> JsonResponse[FileInfoBody]:
        """Remove a file from a draft."""
        return json_response(
            FileInfoBody.of(await drafts.remove_file(caller, self.kind, Reference(key, which), _relative(path)))
        )


class VersionTensors(Controller):
    kind: ClassVar[Kind]
    words: ClassVar[dict[str, str]]
    guards = (guards.signed_in,)

    @get(
        operation_id="list{Kind}Tensors",
        parameters=[query("path", "The path of a file of the version.", required=True, example="model.safetensors")],
        response_description="The tensors of the file, none of a file of another format.",
        responses=refuses(*CONTENT_REFUSALS, NOT_FOUND, AMBIGUOUS),
    )
    async def list_(
        self, key: ItemKey, which: VersionKey, request: AnyRequest, caller: Injected[Caller]
    ) -> JsonResponse[TensorListBody]:
        """List the tensors of a safetensors, ONNX or GGUF file.

        They are read from its header. The file is not loaded.
        """
        path = request.query_params.get("path")
        if not path:
            raise Refused(INVALID_QUERY, "path: the path of a file of the version is needed")
        found = await tensors.of_file(caller, self.kind, Reference(key, which), path)
        return json_response(TensorListBody.of(found))


def _relative(path: str) -> str:
    """The path without the slash that the framework puts before it."""
    return path.removeprefix("/")


class ModelFiles(VersionFiles):
    path = "/models/{key:str}/versions/{which:str}/files"
    tags = ("Models",)
    kind = Kind.MODEL
    words = words_of(Kind.MODEL)


class DatasetFiles(VersionFiles):
    path = "/datasets/{key:str}/versions/{which:str}/files"
    tags = ("Datasets",)
    kind = Kind.DATASET
    words = words_of(Kind.DATASET)


class AlgorithmFiles(VersionFiles):
    path = "/algorithms/{key:str}/versions/{which:str}/files"
    tags = ("Algorithms",)
    kind = Kind.ALGORITHM
    words = words_of(Kind.ALGORITHM)


class ModelTensors(VersionTensors):
    path = "/models/{key:str}/versions/{which:str}/tensors"
    tags = ("Models",)
    kind = Kind.MODEL
    words = words_of(Kind.MODEL)


class DatasetTensors(VersionTensors):
    path = "/datasets/{key:str}/versions/{which:str}/tensors"
    tags = ("Datasets",)
    kind = Kind.DATASET
    words = words_of(Kind.DATASET)


class AlgorithmTensors(VersionTensors):
    path = "/algorithms/{key:str}/versions/{which:str}/tensors"
    tags = ("Algorithms",)
    kind = Kind.ALGORITHM
    words = words_of(Kind.ALGORITHM)
