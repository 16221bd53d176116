"""Tags and metadata names."""

from collections.abc import Mapping, Sequence
from typing import ClassVar, Generic, TypeVar

from bson import ObjectId
from litestar import Controller, delete, get, post

from catalog.dialects.http import guards
from catalog.dialects.http.docs.parameters import query
from catalog.dialects.http.docs.refusals import answers, refuses
from catalog.dialects.http.encoded import JsonResponse, json_response
from catalog.dialects.http.requests.injection import AnyRequest, Injected, RouteOptions
from catalog.dialects.v1.models.items.terms import (
    DatedTerm,
    ListedTerm,
    MergedTerm,
    MetadataNameToCreate,
    SuggestedTerm,
    Suggestions,
    TagToCreate,
    TermMerge,
)
from catalog.dialects.v1.models.lists import LIMIT, VERBOSE, Created, Listed, ListedResource, listing
from catalog.dialects.v1.models.people.people import UserBody
from catalog.dialects.v1.requests.bodies import Json, OneOrMany
from catalog.dialects.v1.requests.http import create_each
from catalog.dialects.v1.requests.lists import listed
from catalog.dialects.v1.requests.parameters import TermName
from catalog.domain.access import Caller
from catalog.domain.items.reading.related import load_owners
from catalog.domain.limits import Limits
from catalog.domain.terms import merging, suggest, terms
from catalog.domain.terms.visibility import visible_to, visible_uses
from catalog.errors import BUSY, IN_USE, INVALID_FIELD, NAME_TAKEN, NOT_CHANGED, NOT_FOUND, QUOTA_EXCEEDED
from catalog.store.query import fields
from catalog.store.query.params import page_of
from catalog.store.records import TermRecord, UserRecord

NewT = TypeVar("NewT", TagToCreate, MetadataNameToCreate)

TERMS = ListedResource("ListedTerm", fields.TAGS)
TYPED = query("q", "What was typed so far.", {"type": "string", "maxLength": suggest.LONGEST}, example="flo")
REMOVED: RouteOptions = {
    "status_code": 200,
    "guards": [guards.administrators_only],
    "response_description": "The {one}, as it was.",
    "responses": refuses(NOT_FOUND, IN_USE),
}


async def shown(found: Sequence[TermRecord], caller: Caller) -> list[ListedTerm]:
    """Terms with their owners, the users who used them first."""
    owners = await load_owners(caller, found)
    return [ListedTerm.of(record, _owner(record, owners, caller), visible_uses(caller, record)) for record in found]


def _owner(record: TermRecord, owners: Mapping[ObjectId, UserRecord], caller: Caller) -> UserBody | ObjectId | None:
    owner = record.get("owner")
    return UserBody.seen_by(caller, owners[owner]) if owner and owner in owners else owner


class Terms(Controller, Generic[NewT]):
    """The routes of a vocabulary."""

    vocabulary: terms.Vocabulary
    plural: str  # in the answer to a list, as the reference has it
    words: ClassVar[Mapping[str, str]]

    @get(
        guards=[guards.signed_in],
        operation_id="list{name}s",
        response_description="A page of {many}.",
        **listing(TERMS),
    )
    async def list_(self, request: AnyRequest, caller: Injected[Caller]) -> JsonResponse[Listed[ListedTerm]]:
        """List the {many}, with how many items use each."""
        collection = terms.collection(caller.tenant, self.vocabulary).records
        declared = fields.TAGS if caller.is_admin else fields.SEEN_TAGS
        access = visible_to(caller)
        return await listed(request, collection, declared, lambda found: shown(found, caller), access=access)

    @get(
        "/suggest",
        guards=[guards.signed_in],
        operation_id="suggest{name}s",
        response_description="The {many}, best first.",
        parameters=[TYPED, LIMIT],
    )
    async def suggest(self, request: AnyRequest, caller: Injected[Caller]) -> JsonResponse[Suggestions]:
        """Complete a {one} that is being typed."""
        params = request.query_params
        limit = min(page_of(None, params.get("limit")).limit, suggest.MOST)
        found = await suggest.suggest(caller, self.vocabulary, params.get("q", ""), limit)
        docs = [SuggestedTerm(record["usage"], record["_id"], visible_uses(caller, record)) for record in found]
        return json_response(Suggestions(docs))

    @post(
        status_code=200,
        guards=[guards.administrators_only],
        operation_id="create{name}s",
        response_description="The {one}; of a list, what was created.",
        responses=refuses(NAME_TAKEN, QUOTA_EXCEEDED)
        | answers(202, Created[DatedTerm], "Some elements of a list were refused."),
        parameters=[VERBOSE],
    )
    async def create(
        self, data: Json[OneOrMany[NewT]], request: AnyRequest, caller: Injected[Caller], limits: Injected[Limits]
    ) -> JsonResponse[DatedTerm | Created[DatedTerm]]:
        """Add a {one} that is suggested first, or several."""

        async def create(new: NewT) -> DatedTerm:
            record = await terms.create(caller, self.vocabulary, new.as_input(), limits)
            owners = await load_owners(caller, [record])
            return DatedTerm.with_date(record, _owner(record, owners, caller), visible_uses(caller, record))

        return await create_each(request, data, create, self.plural)

    @post(
        "/{word:str}/merge",
        status_code=200,
        guards=[guards.administrators_only],
        operation_id="merge{name}",
        response_description="How many items were changed, and whether those were all.",
        responses=refuses(NOT_FOUND, INVALID_FIELD, BUSY, NOT_CHANGED),
    )
    async def merge(
        self, word: TermName, data: Json[TermMerge], caller: Injected[Caller], limits: Injected[Limits]
    ) -> JsonResponse[MergedTerm]:
        """Merge a {one} into another: items that use it use the other one then, and it is removed.

        One request changes a hundred items. Repeat it until `complete` is true.
        """
        merged = await merging.merge(caller, self.vocabulary, word, data.into, limits)
        return json_response(MergedTerm(merged.changed, merged.is_complete))

    @delete("/{word:str}", operation_id="remove{name}", **REMOVED)
    async def remove(self, word: TermName, caller: Injected[Caller]) -> JsonResponse[DatedTerm]:
        """Remove a {one}.

        Refused while an item uses it.
        """
        removed = await terms.remove(caller, self.vocabulary, word)
        return json_response(DatedTerm.with_date(removed, removed.get("owner"), removed.get("uses", 0)))

    @delete("/suggest", operation_id="remove{name}Suggest", **REMOVED)
    async def remove_suggest(self, caller: Injected[Caller]) -> JsonResponse[DatedTerm]:
        """Remove the {one} that is called `suggest`.

        Refused while an item uses it.
        """
        removed = await terms.remove(caller, self.vocabulary, "suggest")
        return json_response(DatedTerm.with_date(removed, removed.get("owner"), removed.get("uses", 0)))


class Tags(Terms[TagToCreate]):
    path = "/tags"
    tags = ("Tags",)
    vocabulary = terms.Vocabulary.TAGS
    plural = "tags"
    words: ClassVar = {"name": "Tag", "one": "tag", "many": "tags"}


class MetadataNames(Terms[MetadataNameToCreate]):
    path = "/metadata"
    tags = ("Metadata names",)
    vocabulary = terms.Vocabulary.METADATA
    plural = "metadatas"
    words: ClassVar = {"name": "MetadataName", "one": "metadata name", "many": "metadata names"}
