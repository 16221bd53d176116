"""Search across everything that the caller may read."""

from litestar import Controller, Response, get

from catalog.dialects.http import guards
from catalog.dialects.v1 import shapes
from catalog.dialects.v1.http import AnyRequest, Given, answer, fitting, stretch
from catalog.domain.access import Caller
from catalog.domain.items import search
from catalog.domain.items.lookup import user_ids
from catalog.domain.items.related import load_related
from catalog.errors import NOT_SEARCHED, Refused
from catalog.store.query import fields
from catalog.store.query.filter import Filter, filter_of
from catalog.store.query.params import limit_of, short_forms
from catalog.vocabulary import Kind, Status, Visibility


class Search(Controller):
    path = "/search"
    guards = (guards.signed_in,)

    @get()
    async def find(self, request: AnyRequest, caller: Given[Caller]) -> Response[bytes]:
        asked = request.query_params
        limit = limit_of(asked.get("limit"))
        query = search.SearchQuery(
            _words(asked.get("q")), _kinds(asked.getall("kind", [])), await _narrowing(request, caller)
        )
        found = await search.search(caller, query, limit, asked.get("after") or None)
        shown = fitting(await _shown(found.hits, caller))
        further = found.next if len(shown) == len(found.hits) else found.after(len(shown))
        content = stretch(shown, limit, further)
        if found.facets is not None:
            content |= {"facets": found.facets, "facetsOf": found.counted}
        return answer(content)


def _words(given: str | None) -> str:
    words = (given or "").strip().lower()
    if not 0 < len(words) <= search.LONGEST or "\0" in words:
        raise Refused(NOT_SEARCHED, f"q: 1 to {search.LONGEST} characters are needed, none of them NUL")
    return words


def _kinds(given: list[str]) -> list[Kind]:
    """The kinds, each once, in one order whatever the order of the question: a cursor counts them."""
    unknown = set(given) - set(Kind)
    if unknown:
        raise Refused(NOT_SEARCHED, f"kind: one of {', '.join(Kind)} is needed")
    return [kind for kind in Kind if not given or kind in given]


async def _narrowing(request: AnyRequest, caller: Caller) -> Filter:
    """What else must hold: the words of the query string, and a `filter` as of the lists, of what any kind has."""
    asked = request.query_params
    narrowing = short_forms(asked.multi_items())
    for name, words in (("status", Status), ("visibility", Visibility)):
        if value := asked.get(name):
            if value not in set(words):
                raise Refused(NOT_SEARCHED, f"{name}: one of {', '.join(words)} is needed")
            narrowing.append({name: value})
    if owner := asked.get("owner"):
        [found] = await user_ids(caller, [owner], NOT_SEARCHED)
        narrowing.append({"owner": str(found)})
    return filter_of(fields.MODELS, asked.get("filter"), narrowing)


async def _shown(hits: list[search.Hit], caller: Caller) -> list[shapes.Shape]:
    with_them = await load_related(caller, [hit.item for hit in hits])
    return [{"kind": hit.kind, **shapes.item(hit.item, with_them, caller)} for hit in hits]
