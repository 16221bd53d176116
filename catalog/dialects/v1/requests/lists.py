"""A GET of a list: what the query string asks for, and the page that answers it."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeAlias

from msgspec import UNSET, Struct

from catalog.dialects.http.encoded import LARGEST_PAGE, AnyJson, fitting, json_response
from catalog.dialects.http.requests.injection import AnyRequest
from catalog.dialects.v1.requests.http import envelope, stretch
from catalog.errors import INVALID_QUERY, Refused
from catalog.store.query import params
from catalog.store.query.budgets import Room
from catalog.store.query.declarations import Fields
from catalog.store.query.paging import pages, value_order
from catalog.store.query.paging.cursors import Order, cursor_of
from catalog.store.query.paging.cuts import Samples
from catalog.store.query.paging.serial_scan import Collection, ScanStatistics
from catalog.store.records import Query
from catalog.store.tenant_documents import R
from catalog.vocabulary import Archived

AT_ONCE = 50  # documents

ShownDocument: TypeAlias = Struct | dict[str, object]
Shapes = Callable[[Sequence[R]], Awaitable[Sequence[ShownDocument]]]


def archived_of(request: AnyRequest) -> Archived:
    """Which things a list is to show: a filter by `archived` decides itself. Raises Refused: INVALID_QUERY."""
    usual = Archived.ALL if params.names_field("archived", request.query_params.get("filter")) else Archived.EXCLUDED
    archived = request.query_params.get("archived") or usual
    if archived not in set(Archived):
        raise Refused(INVALID_QUERY, f"archived: one of {', '.join(Archived)} is needed")
    return Archived(archived)


async def listed(
    request: AnyRequest,
    collection: Collection[R],
    fields: Fields,
    shapes: Shapes[R],
    *,
    access: Query | None = None,
    order: Order = pages.LATEST,
    top: int | None = None,
    counter: str = "serial",
    limit: int = 10,
    statistics: ScanStatistics | None = None,
    samples: Samples | None = None,
) -> AnyJson:
    """Answer the part of a list that the query string asks for, of the documents that `access` allows.

    `order` and `limit` are the defaults. `top` is a recent value of the highest serial, for a collection that has one,
    and `counter` its field; `statistics` and `samples` are the tenant's, see `pages.Listing.of`.

    Raises Refused: NOT_SEARCHED.
    """
    parameters = params.read(fields, list(request.query_params.multi_items()), limit)
    listing = pages.Listing.of(
        collection,
        access or {},
        parameters.filter,
        parameters.order or order,
        top=top,
        counter=counter,
        statistics=statistics,
        samples=samples,
    )
    if parameters.after is not None:
        return json_response(await _stretch(listing, parameters, parameters.after, shapes))
    return json_response(await _page(listing, parameters, shapes))


def one_by_one(shape: Callable[[R], ShownDocument]) -> Shapes[R]:
    """The shapes of records with which nothing else is shown."""

    async def shapes(found: Sequence[R]) -> list[ShownDocument]:
        return [shape(record) for record in found]

    return shapes


async def _stretch(
    listing: pages.Listing[R], parameters: params.ListQuery, cursor: str, shapes: Shapes[R]
) -> dict[str, object]:
    """What follows a cursor."""
    after = value_order.after if value_order.is_by_value(listing.order) else pages.after
    docs, following = await after(listing, cursor, limit=parameters.page.limit, room=Room())
    shown = await _fitting(docs, shapes, parameters.selected)
    cut = _cursor_behind(listing, docs[len(shown) - 1]) if len(shown) < len(docs) else following
    return stretch(shown, parameters.page.limit, cut)


async def _page(listing: pages.Listing[R], parameters: params.ListQuery, shapes: Shapes[R]) -> dict[str, object]:
    """A page by its number."""
    skip, limit, room = parameters.page.skip, parameters.page.limit, Room()
    if value_order.is_by_value(listing.order):
        found = await value_order.page(listing, skip=skip, limit=limit, room=room)
    else:
        found = await pages.page(listing, skip=skip, limit=limit, exactly=parameters.is_exact, room=room)
    shown = await _fitting(found.docs, shapes, parameters.selected)
    is_cut = found.is_cut or len(shown) < len(found.docs)
    cut = _cursor_behind(listing, found.docs[len(shown) - 1]) if is_cut else None
    return envelope(shown, found, parameters.page, cut)


def _cursor_behind(listing: pages.Listing[R], document: R) -> str:
    """The cursor behind the last document of an answer that could not show all of its part."""
    cursor = value_order.cursor_behind if value_order.is_by_value(listing.order) else cursor_of
    return cursor(listing.settled, document)


async def _fitting(docs: Sequence[R], shapes: Shapes[R], names: frozenset[str] | None) -> list[object]:
    """As many as fit into an answer. What belongs to them is read for AT_ONCE of them at a time."""
    fit: list[object] = []
    room = LARGEST_PAGE
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


def selected(request: AnyRequest, fields: Fields, shape: ShownDocument) -> ShownDocument:
    """The fields of one document that `select` asks for, as in a list. Raises Refused: NOT_SEARCHED."""
    if not request.scope["query_string"]:
        return shape
    return _selected(shape, params.select_of(fields, request.query_params.get("select")))


def _selected(shape: ShownDocument, names: frozenset[str] | None) -> ShownDocument:
    """Of a struct, or of a dictionary with the names of JSON, the fields of these names."""
    if names is None:
        return shape
    if isinstance(shape, dict):
        return {name: value for name, value in shape.items() if name in names}
    fields = zip(shape.__struct_encode_fields__, shape.__struct_fields__, strict=True)
    return {name: value for name, field in fields if name in names and (value := getattr(shape, field)) is not UNSET}
