"""A GET of a list: what the query string asks for, and the page that answers it."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from msgspec import UNSET

from catalog.dialects.v1.http import LARGEST_ANSWER, Answer, AnyRequest, answer, envelope, fitting, stretch
from catalog.errors import NOT_SEARCHED, Refused
from catalog.store.query import pages
from catalog.store.query.cursors import cursor_of
from catalog.store.query.fields import Fields
from catalog.store.query.filter import filter_of, within
from catalog.store.query.params import page_of, select_of, short_forms, sort_of
from catalog.store.query.serial_scan import ScanStatistics
from catalog.store.tenant_documents import Raw

AT_ONCE = 50  # documents

Shapes = Callable[[Sequence[Any]], Awaitable[Sequence[Any]]]


async def listed(
    request: AnyRequest,
    collection: pages.Collection,
    fields: Fields,
    shapes: Shapes,
    *,
    access: Mapping[str, Any] | None = None,
    order: pages.Order = pages.LATEST,
    top: int | None = None,
    counter: str = "serial",
    limit: int = 10,
    statistics: ScanStatistics | None = None,
) -> Answer[Any]:
    """Answer `filter`, `sort`, `select`, and `page` or `after`, and `limit`, over what `access` allows.

    `top` was the highest serial lately, for a collection that has one, which it calls `counter`; `limit` serves where
    the client names none; `statistics` are the tenant's. Raises Refused: NOT_SEARCHED.
    """
    params = request.query_params
    filtered = filter_of(fields, params.get("filter"), short_forms(params.multi_items()))
    selected = select_of(fields, params.get("select"))
    query = within(access or {}, filtered)
    asked = pages.Asked(
        collection,
        query,
        sort_of(fields, params.get("sort")) or order,
        filtered.matches,
        top,
        counter,
        statistics.of(collection, query) if statistics else None,
        filtered.budget,
    )
    if (cursor := params.get("after")) is not None:
        limit = limit_of(params.get("limit"))
        docs, following = await pages.after(asked, cursor, limit=limit)
        shown = await _fitting(docs, shapes, selected)
        if len(shown) < len(docs):
            following = cursor_of(asked.settled, docs[len(shown) - 1])
        return answer(stretch(shown, limit, following))
    page = page_of(params.get("page"), params.get("limit") or str(limit))
    found = await pages.page(
        asked, skip=(page.page - 1) * page.limit, limit=page.limit, exactly=_exactly(params.get("total"))
    )
    shown = await _fitting(found.docs, shapes, selected)
    cut = cursor_of(asked.settled, found.docs[len(shown) - 1]) if len(shown) < len(found.docs) else None
    return answer(envelope(shown, found, page, cut))


async def _fitting(docs: Sequence[Raw], shapes: Shapes, names: frozenset[str] | None) -> list[Any]:
    """As many as an answer may show. What belongs to them is read for a few at a time."""
    fit: list[Any] = []
    room = LARGEST_ANSWER
    for start in range(0, len(docs), AT_ONCE):
        shown = await shapes(docs[start : start + AT_ONCE])
        more = fitting((_selected(shape, names) for shape in shown), room)
        room -= sum(map(len, map(bytes, more)))
        if fit and room < 0:
            break
        fit += more
        if len(more) < len(shown):
            break
    return fit


def selected(request: AnyRequest, fields: Fields, shape: Any) -> Any:
    """Of one document what `select` asks for, as of each in a list. Raises Refused: NOT_SEARCHED."""
    return _selected(shape, select_of(fields, request.query_params.get("select")))


def limit_of(text: str | None) -> int:
    """How much a step of a walk by cursor answers. A step of nothing would lead nowhere.

    Raises Refused: NOT_SEARCHED.
    """
    limit = page_of(None, text).limit
    if not limit:
        raise Refused(NOT_SEARCHED, "after wants a limit of at least 1")
    return limit


def _exactly(total: str | None) -> bool:
    if total not in {None, "", "exact"}:
        raise Refused(NOT_SEARCHED, "total takes exact, or nothing")
    return total == "exact"


def _selected(shape: Any, names: frozenset[str] | None) -> Any:
    """Of a struct, or of a dictionary with the names of JSON, the fields of these names."""
    if names is None:
        return shape
    if isinstance(shape, dict):
        return {name: value for name, value in shape.items() if name in names}
    fields = zip(shape.__struct_encode_fields__, shape.__struct_fields__, strict=True)
    return {name: value for name, field in fields if name in names and (value := getattr(shape, field)) is not UNSET}
