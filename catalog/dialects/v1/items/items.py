"""Models, datasets and algorithms."""

from collections.abc import Sequence
from typing import ClassVar, Generic, TypeVar

from litestar import Controller, delete, get, post, put
from litestar.datastructures import ResponseHeader

from catalog.dialects.http import guards
from catalog.dialects.http.docs.refusals import answers, refuses
from catalog.dialects.http.encoded import AnyJson, JsonResponse, json_response
from catalog.dialects.http.requests.injection import AnyRequest, Injected
from catalog.dialects.v1.models.items.item_body import ItemBody
from catalog.dialects.v1.models.items.items import (
    AlgorithmChange,
    DatasetChange,
    ModelChange,
    NewAlgorithm,
    NewDataset,
    NewModel,
    NewName,
)
from catalog.dialects.v1.models.items.shown_items import (
    AlgorithmBody,
    DatasetBody,
    GrantBody,
    ItemAccess,
    ModelBody,
    RemovedAlgorithm,
    RemovedDataset,
    RemovedModel,
    item,
    removed_item,
)
from catalog.dialects.v1.models.lists import (
    ARCHIVED,
    VERBOSE,
    Created,
    Listed,
    ListedResource,
    Selected,
    listing,
    selecting,
)
from catalog.dialects.v1.requests import http
from catalog.dialects.v1.requests.bodies import Json, OneOrMany
from catalog.dialects.v1.requests.http import create_each, revisions_seen
from catalog.dialects.v1.requests.lists import archived_of, listed, selected
from catalog.dialects.v1.requests.parameters import IF_MATCH, IF_NONE_MATCH, ItemKey, flag, flag_query
from catalog.domain import archiving
from catalog.domain.access import Caller, readable_by
from catalog.domain.items import items, sharing
from catalog.domain.items.reading.related import load_related, read_with_related
from catalog.domain.items.references import Reference
from catalog.domain.items.writing import changes, renaming
from catalog.domain.limits import Limits
from catalog.domain.terms.item_terms import TermAllowance
from catalog.errors import (
    AMBIGUOUS,
    BUSY,
    CANNOT_DELETE,
    CANNOT_MODIFY,
    CANNOT_READ,
    DEPLOYED,
    EXTERNAL_ID_TAKEN,
    IN_USE,
    NAME_TAKEN,
    NOT_CREATED,
    NOT_FOUND,
    QUOTA_EXCEEDED,
    STALE,
)
from catalog.store.query import fields
from catalog.store.query.paging import pages
from catalog.store.records import ItemRecord
from catalog.vocabulary import Kind, Visibility

NewT = TypeVar("NewT", bound=NewDataset)
ChangeT = TypeVar("ChangeT", bound=DatasetChange)
ShownT = TypeVar("ShownT", bound=ItemBody)
RemovedT = TypeVar("RemovedT", bound=ItemBody)

FORCE = flag_query("force", "`true`: remove a model that is deployed as well.")

REVISION = [ResponseHeader("ETag", documentation_only=True, description="The revision, for `If-Match`.")]


async def shown(found: Sequence[ItemRecord], caller: Caller) -> list[DatasetBody]:
    """Items with what belongs to them."""
    related = await load_related(caller, found)
    return [item(record, related, caller) for record in found]


async def answered(request: AnyRequest, record: ItemRecord, caller: Caller) -> AnyJson:
    [one] = await shown([record], caller)
    return http.shown(request, one, record["revision"], embeds=True)


def resource(controller: "Items[NewT, ChangeT, ShownT, RemovedT]") -> ListedResource:
    return ListedResource(controller.words["Kind"], fields.ITEMS[controller.kind])


class Items(Controller, Generic[NewT, ChangeT, ShownT, RemovedT]):
    """The routes of one kind of items."""

    kind: ClassVar[Kind]
    plural: ClassVar[str]
    words: ClassVar[dict[str, str]]
    guards = (guards.signed_in,)

    @post(
        status_code=200,
        operation_id="create{Kinds}",
        parameters=[VERBOSE],
        response_description="What was created.",
        responses=answers(202, Created, "Some elements of the list were refused.")
        | refuses(NAME_TAKEN, EXTERNAL_ID_TAKEN, AMBIGUOUS, QUOTA_EXCEEDED),
    )
    async def create(
        self, request: AnyRequest, data: Json[OneOrMany[NewT]], caller: Injected[Caller], limits: Injected[Limits]
    ) -> JsonResponse[ShownT | Created[ShownT]]:
        """Create one of the {kinds}, or several."""
        allowance = TermAllowance(limits)

        async def create(new: NewT) -> DatasetBody:
            record = await items.create(caller, self.kind, new.as_input(), limits, allowance)
            [one] = await shown([record], caller)
            return one

        return await create_each(request, data, create, self.plural)

    @get(operation_id="list{Kinds}", response_description="A page, or a step of a walk.", **listing(resource, ARCHIVED))
    async def list_(self, request: AnyRequest, caller: Injected[Caller]) -> JsonResponse[Listed[ShownT]]:
        """List the {kinds} that you may read, newest first."""
        return await listed(
            request,
            caller.tenant.items(self.kind).records,
            fields.ITEMS[self.kind],
            lambda found: shown(found, caller),
            access=readable_by(caller) | archiving.shown(archived_of(request)),
            order=pages.NEWEST,
            top=await caller.tenant.recent("serial"),
            statistics=caller.tenant.scan_statistics,
            samples=caller.tenant.known.samples,
        )

    @get(
        "/{key:str}",
        operation_id="show{Kind}",
        response_description="The {kind}, with its revision.",
        response_headers=REVISION,
        responses=answers(304, None, "The client has this revision.") | refuses(NOT_FOUND, CANNOT_READ, AMBIGUOUS),
        **selecting(resource, IF_NONE_MATCH),
    )
    async def show(
        self, key: ItemKey, request: AnyRequest, caller: Injected[Caller]
    ) -> JsonResponse[ShownT | Selected[ShownT]]:
        """Get one of the {kinds}, with its versions."""
        record, related = await read_with_related(caller, self.kind, Reference(key))
        one = selected(request, fields.ITEMS[self.kind], item(record, related, caller))
        return http.shown(request, one, record["revision"], embeds=True)

    @get(
        "/{key:str}/access",
        operation_id="show{Kind}Access",
        response_description="Who may do what.",
        responses=refuses(NOT_FOUND, CANNOT_READ, AMBIGUOUS),
    )
    async def access(self, key: ItemKey, caller: Injected[Caller]) -> JsonResponse[ItemAccess]:
        """Show who may see one of the {kinds}, and why."""
        record = await items.read(caller, self.kind, Reference(key))
        grants = await sharing.grants(caller.tenant, record)
        return json_response(ItemAccess(Visibility(record["visibility"]), [GrantBody.of(grant) for grant in grants]))

    @put(
        "/{key:str}",
        operation_id="change{Kind}",
        parameters=[IF_MATCH],
        response_description="The {kind} after the change.",
        response_headers=REVISION,
        responses=refuses(
            NOT_FOUND,
            CANNOT_MODIFY,
            AMBIGUOUS,
            STALE,
            BUSY,
            NAME_TAKEN,
            EXTERNAL_ID_TAKEN,
            NOT_CREATED,
            QUOTA_EXCEEDED,
        ),
    )
    async def change(
        self, key: ItemKey, request: AnyRequest, data: Json[ChangeT], caller: Injected[Caller], limits: Injected[Limits]
    ) -> JsonResponse[ShownT]:
        """Change one of the {kinds}.

        Its owner, its editors and administrators may. An editor does not change `visibility`, `users`, `editors`
        and `archived`.
        """
        seen = revisions_seen(request)
        changed = await changes.change(caller, self.kind, Reference(key), data.as_input(), limits, revisions=seen)
        return await answered(request, changed, caller)

    @post(
        "/{key:str}/rename",
        status_code=200,
        operation_id="rename{Kind}",
        parameters=[IF_MATCH],
        response_description="The {kind} under its new name.",
        response_headers=REVISION,
        responses=refuses(NOT_FOUND, CANNOT_MODIFY, AMBIGUOUS, NAME_TAKEN, STALE, BUSY),
    )
    async def rename(
        self, key: ItemKey, request: AnyRequest, data: Json[NewName], caller: Injected[Caller], limits: Injected[Limits]
    ) -> JsonResponse[ShownT]:
        """Give one of the {kinds} another name.

        Its id stays, and everything that refers to it by its id.
        """
        seen = revisions_seen(request)
        renamed = await renaming.rename(caller, self.kind, Reference(key), data.name, limits, revisions=seen)
        return await answered(request, renamed, caller)

    @delete(
        "/{key:str}",
        status_code=200,
        operation_id="remove{Kind}",
        parameters=[FORCE],
        response_description="The {kind}, as it was.",
        responses=refuses(NOT_FOUND, CANNOT_READ, CANNOT_DELETE, AMBIGUOUS, IN_USE, BUSY, DEPLOYED),
    )
    async def remove(
        self, key: ItemKey, request: AnyRequest, caller: Injected[Caller], trash_days: Injected[int]
    ) -> JsonResponse[RemovedT]:
        """Move one of the {kinds} to the trash.

        Its owner and administrators may. A dataset that a model or an algorithm uses is refused, and so is, without
        `force`, a model that an inference service serves.
        """
        record = await items.manageable(caller, self.kind, Reference(key), CANNOT_DELETE)
        related = await load_related(caller, [record])
        removed = await items.remove(caller, self.kind, Reference(key), days=trash_days, force=flag(request, "force"))
        return json_response(removed_item(removed, related))


def words_of(kind: Kind) -> dict[str, str]:
    return {"kind": kind.one, "kinds": str(kind), "Kind": kind.one.capitalize(), "Kinds": kind.capitalize()}


class Models(Items[NewModel, ModelChange, ModelBody, RemovedModel]):
    path = "/models"
    tags = ("Models",)
    kind = Kind.MODEL
    plural = "models"
    words = words_of(Kind.MODEL)


class Datasets(Items[NewDataset, DatasetChange, DatasetBody, RemovedDataset]):
    path = "/datasets"
    tags = ("Datasets",)
    kind = Kind.DATASET
    plural = "datasets"
    words = words_of(Kind.DATASET)


class Algorithms(Items[NewAlgorithm, AlgorithmChange, AlgorithmBody, RemovedAlgorithm]):
    path = "/algorithms"
    tags = ("Algorithms",)
    kind = Kind.ALGORITHM
    plural = "algorithms"
    words = words_of(Kind.ALGORITHM)
