"""Versions of models, datasets and algorithms: files, up and down."""

from litestar import Controller, HttpMethod, Response, delete, post, route
from litestar.params import FromPath

from catalog.blobs import Storage
from catalog.dialects import downloads, guards, uploads
from catalog.dialects.v1.items import answered
from catalog.dialects.v1.wire import AnyRequest, Given
from catalog.domain import versions
from catalog.domain.access import Caller
from catalog.vocabulary import Kind


class Versions(Controller):
    kind: Kind
    guards = (guards.signed_in,)

    @post(status_code=200, request_max_body_size=None)
    async def add(
        self,
        key: FromPath[str],
        request: AnyRequest,
        caller: Given[Caller],
        storage: Given[Storage],
        max_upload_size: Given[int],
    ) -> Response[bytes]:
        item = await versions.add(
            caller.tenant,
            self.kind,
            key,
            uploads.incoming(request, max_upload_size),
            caller,
            storage.of(caller.tenant.name),
            ordinal=request.query_params.get("ordinal", "").strip(),
        )
        return await answered(item, caller)

    @route("/{which:str}", http_method=[HttpMethod.GET, HttpMethod.HEAD])
    async def fetch(
        self,
        key: FromPath[str],
        which: FromPath[str],
        request: AnyRequest,
        caller: Given[Caller],
        storage: Given[Storage],
    ) -> downloads.Download:
        version = await versions.read(caller.tenant, self.kind, key, which, caller)
        file = version["files"][0]
        return downloads.outgoing(
            request,
            storage.of(caller.tenant.name),
            name=file["original"],
            digest=file["digest"],
            size=file["size"],
            mimetype=file["mimetype"],
            modified=version["timestamp"],
        )

    @delete("/{which:str}", status_code=200)
    async def remove(self, key: FromPath[str], which: FromPath[str], caller: Given[Caller]) -> Response[bytes]:
        return await answered(await versions.remove(caller.tenant, self.kind, key, which, caller), caller)


class ModelVersions(Versions):
    path = "/models/{key:str}/versions"
    kind = Kind.MODEL


class DatasetVersions(Versions):
    path = "/datasets/{key:str}/versions"
    kind = Kind.DATASET


class AlgorithmVersions(Versions):
    path = "/algorithms/{key:str}/versions"
    kind = Kind.ALGORITHM
