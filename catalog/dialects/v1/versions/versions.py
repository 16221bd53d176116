"""Versions of models, datasets and algorithms: uploads, downloads, records and changes."""

from typing import ClassVar, Generic, TypeVar

from litestar import Controller, delete, get, post, put

from catalog.dialects.http import guards
from catalog.dialects.http.docs.parameters import query
from catalog.dialects.http.docs.refusals import answers, refuses
from catalog.dialects.http.encoded import AnyJson, JsonResponse
from catalog.dialects.http.requests.injection import AnyRequest, Injected
from catalog.dialects.http.requests.json_bodies import decoded
from catalog.dialects.http.transfers import uploads
from catalog.dialects.v1.items.items import REVISION, answered, words_of
from catalog.dialects.v1.models.items.item_body import ItemBody
from catalog.dialects.v1.models.items.shown_items import AlgorithmBody, DatasetBody, ModelBody
from catalog.dialects.v1.models.lists import ARCHIVED, Listed, ListedResource, listing
from catalog.dialects.v1.models.shown_versions import ListedVersion, WholeVersion
from catalog.dialects.v1.models.versions import BytesElsewhere, NewDraft, StoredBytes, VersionUpdate
from catalog.dialects.v1.requests.bodies import Json
from catalog.dialects.v1.requests.http import revisions_seen, shown
from catalog.dialects.v1.requests.lists import archived_of, listed, one_by_one
from catalog.dialects.v1.requests.parameters import IF_MATCH, IF_NONE_MATCH, ItemKey, VersionKey, flag, flag_query
from catalog.dialects.v1.requests.version_bodies import new_version, upload_details
from catalog.dialects.v1.versions.transfers import (
    DETAIL_NAMES,
    DETAILS,
    DIGESTS,
    FILE_NAME,
    ONE_FILE,
    UPLOAD_REFUSALS,
)
from catalog.domain.access import Caller
from catalog.domain.items import items
from catalog.domain.items.references import Reference
from catalog.domain.limits import Limits
from catalog.domain.versions import lookup, reading, reuse, version_changes, versions
from catalog.domain.versions.details import VersionDetails
from catalog.domain.versions.drafts import closing, drafts
from catalog.domain.versions.files import version_files
from catalog.errors import (
    ALIASED,
    AMBIGUOUS,
    BUSY,
    BYTES_NEEDED,
    CANNOT_MODIFY,
    CANNOT_READ,
    DEPLOYED,
    EXTERNAL_ID_TAKEN,
    NOT_CHANGED,
    NOT_FOUND,
    QUARANTINED,
    STALE,
    UNSAFE_FILE,
    VERSION_CLOSED,
    VERSION_DRAFT,
)
from catalog.store.derived.version_summaries import highest_number
from catalog.store.query import fields
from catalog.store.records import ItemRecord, VersionRecord
from catalog.vocabulary import Kind

ShownT = TypeVar("ShownT", bound=ItemBody)

VERSIONS = ListedResource("Version", fields.VERSIONS)

FORCE = flag_query("force", "`true`: remove the aliases that point to it as well, and one that a service serves.")

LARGEST_BODY = 10 * 2**20
"""Bytes of JSON on the route that takes files of any size."""


class Versions(Controller, Generic[ShownT]):
    kind: ClassVar[Kind]
    words: ClassVar[dict[str, str]]
    guards = (guards.signed_in,)

    @post(
        status_code=200,
        request_max_body_size=None,
        operation_id="add{Kind}Version",
        content={**ONE_FILE, "application/json": NewDraft | StoredBytes | BytesElsewhere},
        parameters=[
            FILE_NAME,
            query("ordinal", "The label of the version; default: the next number."),
            query("description", "Of a file that is the body itself."),
            *DETAILS,
            *DIGESTS,
        ],
        response_description="The {kind}; of a draft and of bytes elsewhere, the record of the version.",
        response_headers=REVISION,
        responses=refuses(*UPLOAD_REFUSALS, BYTES_NEEDED, AMBIGUOUS, EXTERNAL_ID_TAKEN),
    )
    async def add(
        self,
        key: ItemKey,
        request: AnyRequest,
        caller: Injected[Caller],
        limits: Injected[Limits],
        max_upload_size: Injected[int],
    ) -> JsonResponse[ShownT | WholeVersion]:
        """Add a version: a file, a draft, stored bytes, or bytes elsewhere.

        A file is the part `file` of a form, or the body itself with its name beside it.
        """
        ordinal = request.query_params.get("ordinal", "").strip()
        if not uploads.carries_json(request):
            upload = uploads.incoming(request, max_upload_size, texts=DETAIL_NAMES)

            def details() -> VersionDetails:
                return upload_details(upload.texts)

            item = await versions.add(
                caller, self.kind, Reference(key), upload, ordinal=ordinal, details=details, limits=limits
            )
            return await answered(request, item, caller)
        body = await decoded(await uploads.read(request, LARGEST_BODY))
        new = new_version({"ordinal": ordinal, **body} if isinstance(body, dict) else body)
        if isinstance(new, NewDraft):
            draft = await drafts.begin(caller, self.kind, Reference(key), new.details(), limits)
            return await self._changed(request, caller, draft)
        if isinstance(new, BytesElsewhere):
            item, version = await versions.register(caller, self.kind, Reference(key), new.details(), limits)
            return await _record(request, caller, version, item)
        digest, head = new.digest_and_head()
        item = await reuse.add(caller, self.kind, Reference(key), digest, head, new.details(), limits)
        return await answered(request, item, caller)

    @get(
        operation_id="list{Kind}Versions",
        response_description="A page, or a step of a walk.",
        responses=refuses(NOT_FOUND, CANNOT_READ, AMBIGUOUS),
        **listing(VERSIONS, ARCHIVED),
    )
    async def list_(
        self, key: ItemKey, request: AnyRequest, caller: Injected[Caller]
    ) -> JsonResponse[Listed[ListedVersion]]:
        """List the versions of one of the {kinds}, newest first."""
        item = await items.read(caller, self.kind, Reference(key))
        return await listed(
            request,
            caller.tenant.versions.records,
            fields.VERSIONS,
            one_by_one(lambda version: ListedVersion.of(version, item)),
            access=reading.visible_to(caller, item, archived_of(request)),
            order=lookup.NEWEST,
            top=highest_number(item),
            counter="number",
        )

    @get(
        "/{which:str}/info",
        operation_id="show{Kind}Version",
        parameters=[IF_NONE_MATCH],
        response_description="The record of the version, with its revision.",
        response_headers=REVISION,
        responses=answers(304, None, "The client has this revision.") | refuses(NOT_FOUND, CANNOT_READ, AMBIGUOUS),
    )
    async def info(
        self, key: ItemKey, which: VersionKey, request: AnyRequest, caller: Injected[Caller]
    ) -> JsonResponse[WholeVersion]:
        """Get the record of a version."""
        item, version = await reading.read_with_item(caller, self.kind, Reference(key, which))
        return await _record(request, caller, version, item)

    @put(
        "/{which:str}",
        operation_id="change{Kind}Version",
        parameters=[IF_MATCH],
        response_description="The record of the version, with its revision.",
        response_headers=REVISION,
        responses=refuses(
            NOT_FOUND, CANNOT_MODIFY, QUARANTINED, VERSION_DRAFT, STALE, BUSY, AMBIGUOUS, EXTERNAL_ID_TAKEN
        ),
    )
    async def change(
        self,
        key: ItemKey,
        which: VersionKey,
        request: AnyRequest,
        data: Json[VersionUpdate],
        caller: Injected[Caller],
        limits: Injected[Limits],
    ) -> JsonResponse[WholeVersion]:
        """Change what is said of a version, its metadata or its state. Its files never change."""
        revisions = revisions_seen(request)
        changed = await version_changes.change(
            caller, self.kind, Reference(key, which), data.as_input(), limits, revisions=revisions
        )
        return await self._changed(request, caller, changed)

    @delete(
        "/{which:str}",
        status_code=200,
        operation_id="remove{Kind}Version",
        parameters=[FORCE],
        response_description="The {kind}, without the version.",
        response_headers=REVISION,
        responses=refuses(NOT_FOUND, CANNOT_MODIFY, ALIASED, DEPLOYED, AMBIGUOUS, BUSY),
    )
    async def remove(
        self, key: ItemKey, which: VersionKey, request: AnyRequest, caller: Injected[Caller]
    ) -> JsonResponse[ShownT]:
        """Remove a version.

        One that aliases point to, or that an inference service serves, is removed only with `force`.
        """
        force = flag(request, "force")
        return await answered(
            request, await versions.remove(caller, self.kind, Reference(key, which), force=force), caller
        )

    @post(
        "/{which:str}/close",
        status_code=200,
        operation_id="close{Kind}Version",
        parameters=[flag_query("strict", "Refuse if the inspection has found a threat in a file; it stays a draft.")],
        response_description="The record of the version, with its revision.",
        response_headers=REVISION,
        responses=refuses(NOT_FOUND, CANNOT_MODIFY, VERSION_CLOSED, NOT_CHANGED, UNSAFE_FILE, BUSY, AMBIGUOUS),
    )
    async def close(
        self, key: ItemKey, which: VersionKey, request: AnyRequest, caller: Injected[Caller]
    ) -> JsonResponse[WholeVersion]:
        """Close a draft: its files never change afterwards."""
        strict = flag(request, "strict")
        closed = await closing.close(caller, self.kind, Reference(key, which), strict=strict)
        return await self._changed(request, caller, closed)

    async def _changed(self, request: AnyRequest, caller: Caller, version: VersionRecord) -> AnyJson:
        """Answer with a version that was changed, and with the aliases that its item has for it."""
        item = await items.read(caller, self.kind, Reference(str(version["item"])))
        return await _record(request, caller, version, item)


async def _record(request: AnyRequest, caller: Caller, version: VersionRecord, item: ItemRecord) -> AnyJson:
    whole = WholeVersion.of(await version_files.shown(caller.tenant, version), item)
    return shown(request, whole, version["revision"], embeds=True)


class ModelVersions(Versions[ModelBody]):
    path = "/models/{key:str}/versions"
    tags = ("Models",)
    kind = Kind.MODEL
    words = words_of(Kind.MODEL)


class DatasetVersions(Versions[DatasetBody]):
    path = "/datasets/{key:str}/versions"
    tags = ("Datasets",)
    kind = Kind.DATASET
    words = words_of(Kind.DATASET)


class AlgorithmVersions(Versions[AlgorithmBody]):
    path = "/algorithms/{key:str}/versions"
    tags = ("Algorithms",)
    kind = Kind.ALGORITHM
    words = words_of(Kind.ALGORITHM)
