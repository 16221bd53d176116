"""Search across everything that the caller may read."""

from litestar import Controller, get

from catalog.dialects.http import guards
from catalog.dialects.http.docs.parameters import query
from catalog.dialects.http.docs.schemas import Schema, Schemas
from catalog.dialects.http.encoded import JsonResponse, fitting, json_response
from catalog.dialects.http.requests.injection import AnyRequest, Injected
from catalog.dialects.v1.models.items.search import FacetBody, NameBody, NameSuggestions, SearchResult
from catalog.dialects.v1.models.items.shown_items import SearchHit, search_hit
from catalog.dialects.v1.models.lists import ARCHIVED, LIMIT, ListedResource, filtering, short
from catalog.dialects.v1.requests.http import stretch
from catalog.dialects.v1.requests.lists import archived_of
from catalog.dialects.v1.requests.parameters import flag, flag_query
from catalog.domain.access import Caller
from catalog.domain.items.reading.lookup import user_ids
from catalog.domain.items.reading.related import load_related, load_users
from catalog.domain.items.search import facets, names, search
from catalog.errors import NOT_SEARCHED, Refused
from catalog.folding import search_key
from catalog.store.query import fields
from catalog.store.query.filters.filter import Filter, filter_of
from catalog.store.query.params import limit_of, short_forms
from catalog.vocabulary import Kind, Status, Visibility

ENUMERATIONS = {"status": Status, "visibility": Visibility}


TEXT: Schema = {"type": "string", "minLength": 1, "maxLength": search.LONGEST}
KIND = query("kind", "Only these kinds.", {"type": "array", "items": {"type": "string", "enum": list(Kind)}})


def _narrowing_parameters(_: object, schemas: Schemas) -> list[Schema]:
    return [
        KIND,
        *(query(name, "Only these.", {"enum": list(words)}) for name, words in ENUMERATIONS.items()),
        ARCHIVED,
        query("owner", "Only the items of this user: an id or a username."),
        *short(ListedResource("Model", fields.MODELS)),
        filtering(ListedResource("Model", fields.MODELS), schemas),
    ]


def _parameters(controller: object, schemas: Schemas) -> list[Schema]:
    return [
        query("q", "Plain text, in any case.", TEXT, required=True, example="iris"),
        *_narrowing_parameters(controller, schemas),
        LIMIT,
        query("after", "The `nextCursor` of the previous answer."),
        flag_query("facets", "`false`: no counts, and the first matches sooner, if only a few.", default=True),
    ]


class Search(Controller):
    path = "/search"
    tags = ("Search",)
    guards = (guards.signed_in,)

    @get(
        operation_id="search",
        parameters=_parameters,
        is_filtered=True,
        response_description="A step of a walk. Fewer elements than `limit` do not mean that it ends.",
    )
    async def find(self, request: AnyRequest, caller: Injected[Caller]) -> JsonResponse[SearchResult]:
        """Search everything that you may read, the best matches first."""
        parameters = request.query_params
        limit = limit_of(parameters.get("limit"))
        question = search.SearchQuery(
            _words(parameters.get("q")),
            _kinds(parameters.getall("kind", [])),
            await _narrowing(request, caller),
            archived_of(request),
        )
        faceted = flag(request, "facets", default=True)
        found = await search.search(caller, question, limit, parameters.get("after") or None, faceted=faceted)
        shown = fitting(await _shown(found.hits, caller))
        further = found.next if len(shown) == len(found.hits) else found.after(len(shown))
        content = stretch(shown, limit, further)
        if found.facets is not None:
            content |= _counted(found.facets)
        return json_response(content)

    @get(
        "/facets",
        operation_id="countFacets",
        parameters=_narrowing_parameters,
        is_filtered=True,
        response_description="How many items have each value.",
    )
    async def facets(self, request: AnyRequest, caller: Injected[Caller]) -> JsonResponse[FacetBody]:
        """Count the values of everything that you may read.

        As the lists find it, without a text. In a large catalog the newest items are counted, and the answer says so.
        `kind` counts all kinds.
        """
        kinds = _kinds(request.query_params.getall("kind", []))
        narrowing = await _narrowing(request, caller)
        return json_response(_counted(await facets.count_listed(caller, kinds, narrowing, archived_of(request))))

    @get(
        "/names",
        operation_id="suggestNames",
        parameters=[query("q", "What was typed so far.", TEXT, required=True, example="iri"), KIND, LIMIT],
        response_description="Items of exactly this name, then those whose names begin with it, the newest first.",
    )
    async def names(self, request: AnyRequest, caller: Injected[Caller]) -> JsonResponse[NameSuggestions]:
        """Complete the name of an item that is being typed, of those that you may read."""
        parameters = request.query_params
        limit = min(limit_of(parameters.get("limit")), names.MOST)
        kinds = _kinds(parameters.getall("kind", []))
        hits = await names.complete(caller, _words(parameters.get("q")), kinds, limit)
        owners = await load_users(caller, (hit.item["owner"] for hit in hits))
        return json_response(NameSuggestions([NameBody.of(hit.kind, hit.item, owners) for hit in hits]))


def _counted(found: facets.FacetCounts) -> dict[str, object]:
    return {"facets": found.counts, "facetsOf": found.counted, "facetsAreExact": found.is_exact}


def _words(text: str | None) -> str:
    words = (text or "").strip()
    if not 0 < len(words) <= search.LONGEST or "\0" in words or not search_key(words):
        raise Refused(NOT_SEARCHED, f"q: 1 to {search.LONGEST} characters are needed, none of them NUL")
    return search_key(words)


def _kinds(names: list[str]) -> list[Kind]:
    """The kinds, each once, in a fixed order, which cursors depend on."""
    unknown = set(names) - set(Kind)
    if unknown:
        raise Refused(NOT_SEARCHED, f"kind: one of {', '.join(Kind)} is needed")
    return [kind for kind in Kind if not names or kind in names]


async def _narrowing(request: AnyRequest, caller: Caller) -> Filter:
    """What else must hold: the words of the query string, and a `filter` as of the lists, of what any kind has."""
    parameters = request.query_params
    narrowing = short_forms(fields.MODELS, parameters.multi_items())
    for name, words in ENUMERATIONS.items():
        if value := parameters.get(name):
            if value not in set(words):
                raise Refused(NOT_SEARCHED, f"{name}: one of {', '.join(words)} is needed")
            narrowing.append({name: value})
    if owner := parameters.get("owner"):
        [found] = await user_ids(caller, [owner], NOT_SEARCHED)
        narrowing.append({"owner": str(found)})
    return filter_of(fields.MODELS, parameters.get("filter"), narrowing)


async def _shown(hits: list[search.Hit], caller: Caller) -> list[SearchHit]:
    related = await load_related(caller, [hit.item for hit in hits])
    owners = await load_users(caller, (hit.item["owner"] for hit in hits))
    return [search_hit(hit.kind, hit.item, related, owners, caller) for hit in hits]
