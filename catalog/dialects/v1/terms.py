"""Tags and metadata names."""

from collections.abc import Mapping, Sequence
from typing import Any

from bson import ObjectId
from litestar import Controller, Response, delete, get, post
from litestar.params import FromPath

from catalog.dialects.http import guards
from catalog.dialects.v1 import item_bodies, passed_over, shapes
from catalog.dialects.v1.http import AnyRequest, Given, answer, made
from catalog.dialects.v1.lists import listed
from catalog.dialects.v1.models.common import moment
from catalog.domain.access import Caller
from catalog.domain.items.related import load_owners
from catalog.domain.limits import Limits
from catalog.domain.terms import suggest, terms
from catalog.domain.terms.visibility import visible_to, visible_uses
from catalog.store.query import fields
from catalog.store.query.params import page_of
from catalog.store.records import TermRecord, UserRecord


async def shown(found: Sequence[TermRecord], caller: Caller) -> list[shapes.Shape]:
    """Words, with who first used each of them."""
    owners = await load_owners(caller, found)
    return [shapes.word(word, _coiner(word, owners, caller), visible_uses(caller, word)) for word in found]


def _coiner(word: TermRecord, owners: Mapping[ObjectId, UserRecord], caller: Caller) -> Any:
    owner = word.get("owner")
    return shapes.person(owners[owner], caller) if owner and owner in owners else owner


class Words(Controller):
    """What the two vocabularies have in common: everything but their names."""

    vocabulary: terms.Vocabulary
    plural: str  # in the answer to a list, as the reference has it

    @get(guards=[guards.signed_in])
    async def list_(self, request: AnyRequest, caller: Given[Caller]) -> Response[bytes]:
        collection = terms.collection(caller.tenant, self.vocabulary).raw
        declared = fields.TAGS if caller.is_admin else fields.SEEN_TAGS
        access = visible_to(caller)
        return await listed(request, collection, declared, lambda found: shown(found, caller), access=access)

    @get("/suggest", guards=[guards.signed_in])
    async def suggest(self, request: AnyRequest, caller: Given[Caller]) -> Response[bytes]:
        asked = request.query_params
        limit = min(page_of(None, asked.get("limit")).limit, suggest.MOST)
        found = await suggest.suggest(caller, self.vocabulary, asked.get("q", ""), limit)
        return answer({"docs": [shapes.suggestion(word, visible_uses(caller, word)) for word in found]})

    @post(status_code=200, guards=[guards.administrators_only])
    async def create(self, request: AnyRequest, caller: Given[Caller], limits: Given[Limits]) -> Response[bytes]:
        async def make(body: Any) -> shapes.Shape:
            word = await terms.create(caller, self.vocabulary, item_bodies.new_term(body), limits)
            [shape] = await shown([word], caller)
            return shape | {"timestamp": moment(word["timestamp"])}

        return await made(request, self.plural, make, limits.elements, passed_over.WORDS)

    # A word may be `suggest`, whose path the suggestions have taken.
    @delete(["/{word:str}", "/suggest"], status_code=200, guards=[guards.administrators_only])
    async def remove(self, caller: Given[Caller], word: FromPath[str] = "suggest") -> Response[bytes]:
        removed = await terms.remove(caller, self.vocabulary, word)
        shape = shapes.word(removed, removed.get("owner"), removed.get("uses", 0))
        return answer(shape | {"timestamp": moment(removed["timestamp"])})


class Tags(Words):
    path = "/tags"
    vocabulary = terms.Vocabulary.TAGS
    plural = "tags"


class MetadataNames(Words):
    path = "/metadata"
    vocabulary = terms.Vocabulary.METADATA
    plural = "metadatas"
