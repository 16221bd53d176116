"""The files of a version: uploaded one by one into a draft, and downloaded."""

from pathlib import PurePosixPath

from litestar import Controller, HttpMethod, Response, delete, get, put, route
from litestar.params import FromPath

from catalog.dialects.http import guards, uploads
from catalog.dialects.http.downloads import Download
from catalog.dialects.http.version_files import file_download
from catalog.dialects.v1 import shapes
from catalog.dialects.v1.http import AnyRequest, Given, answer, envelope
from catalog.domain.access import Caller
from catalog.domain.items.references import Reference
from catalog.domain.versions import drafts, versions
from catalog.store.query.pages import ListPage
from catalog.store.query.params import page_of
from catalog.vocabulary import Kind


class VersionFiles(Controller):
    kind: Kind
    guards = (guards.signed_in,)

    @get()
    async def list_(
        self, key: FromPath[str], which: FromPath[str], request: AnyRequest, caller: Given[Caller]
    ) -> Response[bytes]:
        version = await versions.read(caller, self.kind, Reference(key, which))
        files, params = version["files"], request.query_params
        page = page_of(params.get("page"), params.get("limit"))
        stop = page.page * page.limit
        docs = [shapes.file(file) for file in files[stop - page.limit : stop]]
        return answer(envelope(docs, ListPage(docs, stop < len(files), len(files), is_exact=True), page))

    @put("/{path:path}", request_max_body_size=None)
    async def put(
        self,
        key: FromPath[str],
        which: FromPath[str],
        path: FromPath[str],
        request: AnyRequest,
        caller: Given[Caller],
        max_upload_size: Given[int],
    ) -> Response[bytes]:
        inside = _relative(path)
        upload = uploads.incoming(request, max_upload_size, PurePosixPath(inside).name)
        return answer(shapes.file(await drafts.put(caller, self.kind, Reference(key, which), inside, upload)))

    @route("/{path:path}", http_method=[HttpMethod.GET, HttpMethod.HEAD])
    async def fetch(
        self,
        key: FromPath[str],
        which: FromPath[str],
        path: FromPath[str],
        request: AnyRequest,
        caller: Given[Caller],
    ) -> Download:
        version = await versions.read_content(caller, self.kind, Reference(key, which))
        file = drafts.file_at(version, _relative(path))
        return await file_download(request, caller.tenant.blobs, file, version["lastmod"])

    @delete("/{path:path}", status_code=200)
    async def remove(
        self, key: FromPath[str], which: FromPath[str], path: FromPath[str], caller: Given[Caller]
    ) -> Response[bytes]:
        return answer(shapes.file(await drafts.remove_file(caller, self.kind, Reference(key, which), _relative(path))))


def _relative(path: str) -> str:
    """The path without the slash that the framework puts before it."""
    return path.removeprefix("/")


class ModelFiles(VersionFiles):
    path = "/models/{key:str}/versions/{which:str}/files"
    kind = Kind.MODEL


class DatasetFiles(VersionFiles):
    path = "/datasets/{key:str}/versions/{which:str}/files"
    kind = Kind.DATASET


class AlgorithmFiles(VersionFiles):
    path = "/algorithms/{key:str}/versions/{which:str}/files"
    kind = Kind.ALGORITHM
