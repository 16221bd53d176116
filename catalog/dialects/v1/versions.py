"""Versions of models, datasets and algorithms: files up and down, and what is said of them."""

from collections.abc import Sequence
from typing import Any

from litestar import Controller, HttpMethod, Response, delete, get, post, put, route
from litestar.params import FromPath

from catalog.blobs.protocol import Storage
from catalog.dialects.http import guards, uploads
from catalog.dialects.http.downloads import Download
from catalog.dialects.v1 import passed_over, shapes
from catalog.dialects.v1.files import whole
from catalog.dialects.v1.http import AnyRequest, Given, answer, body_of, revisions_seen, shown
from catalog.dialects.v1.items import answered
from catalog.dialects.v1.json_bodies import decoded
from catalog.dialects.v1.lists import listed
from catalog.domain.access import Caller
from catalog.domain.files.blob_records import Condition
from catalog.domain.items import items
from catalog.domain.items.references import Reference
from catalog.domain.limits import Limits
from catalog.domain.versions import drafts, reuse, version_changes, versions
from catalog.errors import NOT_CREATED, Refused
from catalog.store.query import fields
from catalog.store.tenant_documents import Raw
from catalog.vocabulary import Kind

LARGEST_BODY = 10 * 2**20
"""Bytes of JSON on the route that takes files of any size."""


def told(request: AnyRequest, version: Raw) -> Response[bytes]:
    return shown(request, shapes.whole_version(version), version["revision"])


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
        limits: Given[Limits],
        max_upload_size: Given[int],
    ) -> Response[bytes]:
        blobs = storage.of(caller.tenant.name)
        ordinal = request.query_params.get("ordinal", "").strip()
        if not uploads.carries_json(request):
            upload = uploads.incoming(request, max_upload_size)
            item = await versions.add(caller.tenant, self.kind, key, upload, caller, blobs, ordinal=ordinal)
            return await answered(request, item, caller)
        body = _wish(await decoded(await uploads.read(request, LARGEST_BODY)), ordinal)
        if "draft" in body:
            return told(request, await drafts.begin(caller.tenant, self.kind, key, body, caller, limits))
        item = await reuse.add(caller.tenant, self.kind, key, body, caller, blobs, limits)
        return await answered(request, item, caller)

    @get()
    async def list_(self, key: FromPath[str], request: AnyRequest, caller: Given[Caller]) -> Response[bytes]:
        async def listed_versions(found: Sequence[Raw]) -> list[shapes.Shape]:
            return [shapes.listed_version(version) for version in found]

        item = await items.read(caller, self.kind, Reference(key))
        return await listed(
            request,
            caller.tenant.versions.raw,
            fields.VERSIONS,
            listed_versions,
            access=versions.seen_by(caller, item),
            order=versions.NEWEST,
            top=item["last_version"],
            counter="number",
        )

    @route("/{which:str}", http_method=[HttpMethod.GET, HttpMethod.HEAD])
    async def fetch(
        self,
        key: FromPath[str],
        which: FromPath[str],
        request: AnyRequest,
        caller: Given[Caller],
        storage: Given[Storage],
    ) -> Download:
        version = await versions.openable(caller.tenant, self.kind, key, which, caller)
        versions.refuse_draft(version)
        return await whole(request, caller.tenant, storage.of(caller.tenant.name), version)

    @get("/{which:str}/info")
    async def info(
        self, key: FromPath[str], which: FromPath[str], request: AnyRequest, caller: Given[Caller]
    ) -> Response[bytes]:
        return told(request, await versions.read(caller.tenant, self.kind, key, which, caller))

    @get("/{which:str}/verify")
    async def verify(
        self, key: FromPath[str], which: FromPath[str], caller: Given[Caller], storage: Given[Storage]
    ) -> Response[bytes]:
        """Read all bytes in the storage, and answer when that is done: a second or more for each gigabyte."""
        blobs = storage.of(caller.tenant.name)
        found = await versions.verify(caller.tenant, self.kind, key, which, caller, blobs)
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
        body = await body_of(request)
        seen = revisions_seen(request)
        changed = await version_changes.change(
            caller.tenant, self.kind, key, which, body, caller, limits, revisions=seen
        )
        return told(request, changed)

    @delete("/{which:str}", status_code=200)
    async def remove(
        self, key: FromPath[str], which: FromPath[str], request: AnyRequest, caller: Given[Caller]
    ) -> Response[bytes]:
        return await answered(request, await versions.remove(caller.tenant, self.kind, key, which, caller), caller)


def _wish(body: Any, ordinal: str) -> Raw:
    """What a client wants that sends JSON in the place of a file."""
    if not isinstance(body, dict) or ("draft" in body) == ("digest" in body) or body.get("draft", True) is not True:
        raise Refused(NOT_CREATED, f'{uploads.HOW_TO_NAME}, or {{"draft": true}}, or {{"digest": "sha256:..."}}')
    return {"ordinal": ordinal, **passed_over.without(body, passed_over.VERSIONS)}


class ModelVersions(Versions):
    path = "/models/{key:str}/versions"
    kind = Kind.MODEL


class DatasetVersions(Versions):
    path = "/datasets/{key:str}/versions"
    kind = Kind.DATASET


class AlgorithmVersions(Versions):
    path = "/algorithms/{key:str}/versions"
    kind = Kind.ALGORITHM
