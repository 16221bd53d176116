"""Versions of models, datasets and algorithms: uploads, downloads, records and changes."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from litestar import Controller, HttpMethod, Response, delete, get, post, put, route
from litestar.params import FromPath

from catalog.dialects.http import guards, uploads
from catalog.dialects.http.downloads import Download
from catalog.dialects.http.version_files import version_download
from catalog.dialects.v1 import passed_over, shapes
from catalog.dialects.v1.http import AnyRequest, Given, answer, body_of, revisions_seen, shown
from catalog.dialects.v1.items import answered
from catalog.dialects.v1.json_bodies import decoded
from catalog.dialects.v1.lists import listed
from catalog.dialects.v1.version_bodies import StoredBytes, new_version, version_change
from catalog.domain.access import Caller
from catalog.domain.files.blob_records import Condition
from catalog.domain.items import items
from catalog.domain.items.references import Reference
from catalog.domain.limits import Limits
from catalog.domain.versions import drafts, reuse, version_changes, versions
from catalog.store.query import fields
from catalog.store.records import VersionRecord
from catalog.store.tenant_documents import Raw
from catalog.vocabulary import Kind

LARGEST_BODY = 10 * 2**20
"""Bytes of JSON on the route that takes files of any size."""


class Versions(Controller):
    kind: Kind
    guards = (guards.signed_in,)

    @post(status_code=200, request_max_body_size=None)
    async def add(
        self,
        key: FromPath[str],
        request: AnyRequest,
        caller: Given[Caller],
        limits: Given[Limits],
        max_upload_size: Given[int],
    ) -> Response[bytes]:
        ordinal = request.query_params.get("ordinal", "").strip()
        if not uploads.carries_json(request):
            upload = uploads.incoming(request, max_upload_size)
            item = await versions.add(caller, self.kind, Reference(key), upload, ordinal=ordinal)
            return await answered(request, item, caller)
        body = await decoded(await uploads.read(request, LARGEST_BODY))
        wanted = new_version(_with_ordinal(body, ordinal))
        if not isinstance(wanted, StoredBytes):
            return _record(request, await drafts.begin(caller, self.kind, Reference(key), wanted, limits))
        item = await reuse.add(caller, self.kind, Reference(key), wanted.digest, wanted.head, wanted.details, limits)
        return await answered(request, item, caller)

    @get()
    async def list_(self, key: FromPath[str], request: AnyRequest, caller: Given[Caller]) -> Response[bytes]:
        async def listed_versions(found: Sequence[Raw]) -> list[shapes.Shape]:
            return [shapes.listed_version(cast("VersionRecord", version)) for version in found]

        item = await items.read(caller, self.kind, Reference(key))
        return await listed(
            request,
            caller.tenant.versions.raw,
            fields.VERSIONS,
            listed_versions,
            access=versions.visible_to(caller, item),
            order=versions.NEWEST,
            top=item["last_version"],
            counter="number",
        )

    @route("/{which:str}", http_method=[HttpMethod.GET, HttpMethod.HEAD])
    async def fetch(
        self, key: FromPath[str], which: FromPath[str], request: AnyRequest, caller: Given[Caller]
    ) -> Download:
        version = await versions.read_content(caller, self.kind, Reference(key, which))
        versions.refuse_draft(version)
        return await version_download(request, caller.tenant, version)

    @get("/{which:str}/info")
    async def info(
        self, key: FromPath[str], which: FromPath[str], request: AnyRequest, caller: Given[Caller]
    ) -> Response[bytes]:
        return _record(request, await versions.read(caller, self.kind, Reference(key, which)))

    @get("/{which:str}/verify")
    async def verify(self, key: FromPath[str], which: FromPath[str], caller: Given[Caller]) -> Response[bytes]:
        """Read all bytes in the storage, and answer when that is done: a second or more for each gigabyte."""
        found = await versions.verify(caller, self.kind, Reference(key, which))
        files = [
            {"path": file["path"], "digest": file["digest"], "size": file["size"], "condition": condition}
            for file, condition in found
        ]
        return answer({"intact": all(condition is Condition.INTACT for _, condition in found), "files": files})

    @put("/{which:str}")
    async def change(
        self,
        key: FromPath[str],
        which: FromPath[str],
        request: AnyRequest,
        caller: Given[Caller],
        limits: Given[Limits],
    ) -> Response[bytes]:
        wanted = version_change(await body_of(request))
        revisions = revisions_seen(request)
        changed = await version_changes.change(
            caller, self.kind, Reference(key, which), wanted, limits, revisions=revisions
        )
        return _record(request, changed)

    @delete("/{which:str}", status_code=200)
    async def remove(
        self, key: FromPath[str], which: FromPath[str], request: AnyRequest, caller: Given[Caller]
    ) -> Response[bytes]:
        return await answered(request, await versions.remove(caller, self.kind, Reference(key, which)), caller)

    @post("/{which:str}/close", status_code=200)
    async def close(
        self, key: FromPath[str], which: FromPath[str], request: AnyRequest, caller: Given[Caller]
    ) -> Response[bytes]:
        return _record(request, await drafts.close(caller, self.kind, Reference(key, which)))


def _with_ordinal(body: Any, ordinal: str) -> Any:
    """The body with the ordinal of the query, unless it has its own, and without fields that only answers have."""
    if not isinstance(body, Mapping):
        return body
    return {"ordinal": ordinal, **passed_over.without(body, passed_over.VERSIONS)}


def _record(request: AnyRequest, version: VersionRecord) -> Response[bytes]:
    return shown(request, shapes.whole_version(version), version["revision"])


class ModelVersions(Versions):
    path = "/models/{key:str}/versions"
    kind = Kind.MODEL


class DatasetVersions(Versions):
    path = "/datasets/{key:str}/versions"
    kind = Kind.DATASET


class AlgorithmVersions(Versions):
    path = "/algorithms/{key:str}/versions"
    kind = Kind.ALGORITHM
