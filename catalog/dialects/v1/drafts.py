"""The files of a version: one by one into a draft, and out again."""

from pathlib import PurePosixPath

from litestar import Controller, HttpMethod, Response, delete, get, post, put, route
from litestar.params import FromPath

from catalog.blobs.protocol import Storage
from catalog.dialects.http import guards, uploads
from catalog.dialects.http.downloads import Download
from catalog.dialects.v1 import shapes
from catalog.dialects.v1.files import one
from catalog.dialects.v1.http import AnyRequest, Given, answer, envelope
from catalog.dialects.v1.versions import told
from catalog.domain.access import Caller
from catalog.domain.versions import drafts, versions
from catalog.store.query.pages import ListPage
from catalog.store.query.params import page_of
from catalog.vocabulary import Kind


class Folders(Controller):
    kind: Kind
    guards = (guards.signed_in,)

    @get("/files")
    async def list_(
        self, key: FromPath[str], which: FromPath[str], request: AnyRequest, caller: Given[Caller]
    ) -> Response[bytes]:
        version = await versions.read(caller.tenant, self.kind, key, which, caller)
        files, params = version["files"], request.query_params
        page = page_of(params.get("page"), params.get("limit"))
        stop = page.page * page.limit
        docs = [shapes.file(file) for file in files[stop - page.limit : stop]]
        return answer(envelope(docs, ListPage(docs, stop < len(files), len(files), is_exact=True), page))

    @put("/files/{path:path}", request_max_body_size=None)
    async def put(
        self,
        key: FromPath[str],
        which: FromPath[str],
        path: FromPath[str],
        request: AnyRequest,
        caller: Given[Caller],
        storage: Given[Storage],
        max_upload_size: Given[int],
    ) -> Response[bytes]:
        inside = inner(path)
        file = await drafts.put(
            caller.tenant,
            self.kind,
            key,
            which,
            inside,
            uploads.incoming(request, max_upload_size, PurePosixPath(inside).name),
            caller,
            storage.of(caller.tenant.name),
        )
        return answer(shapes.file(file))

    @route("/files/{path:path}", http_method=[HttpMethod.GET, HttpMethod.HEAD])
    async def fetch(
        self,
        key: FromPath[str],
        which: FromPath[str],
        path: FromPath[str],
        request: AnyRequest,
        caller: Given[Caller],
        storage: Given[Storage],
    ) -> Download:
        version = await versions.openable(caller.tenant, self.kind, key, which, caller)
        file = drafts.file_at(version, inner(path))
        return await one(request, storage.of(caller.tenant.name), file, version["lastmod"])

    @delete("/files/{path:path}", status_code=200)
    async def remove(
        self, key: FromPath[str], which: FromPath[str], path: FromPath[str], caller: Given[Caller]
    ) -> Response[bytes]:
        return answer(shapes.file(await drafts.drop(caller.tenant, self.kind, key, which, inner(path), caller)))

    @post("/close", status_code=200)
    async def close(
        self, key: FromPath[str], which: FromPath[str], request: AnyRequest, caller: Given[Caller]
    ) -> Response[bytes]:
        return told(request, await drafts.close(caller.tenant, self.kind, key, which, caller))


def inner(path: str) -> str:
    """What the framework gives with a slash before it."""
    return path.removeprefix("/")


class ModelFolders(Folders):
    path = "/models/{key:str}/versions/{which:str}"
    kind = Kind.MODEL


class DatasetFolders(Folders):
    path = "/datasets/{key:str}/versions/{which:str}"
    kind = Kind.DATASET


class AlgorithmFolders(Folders):
    path = "/algorithms/{key:str}/versions/{which:str}"
    kind = Kind.ALGORITHM
