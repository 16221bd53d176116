"""Lists: their parameters, their page tokens, and their pages.

A token is the Base64 of `<id>:<value in the order>` of the last element, and nothing else: a client that asks for the
first page again must get the same token.
"""

import binascii
import re
from base64 import b64decode, b64encode
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bson import ObjectId
from msgspec import Struct

from catalog.dialects.http.encoded import fitting
from catalog.dialects.kubeflow.filters.compiler import Compiled, compiled
from catalog.dialects.kubeflow.filters.properties import Properties
from catalog.dialects.kubeflow.models.common import milliseconds
from catalog.dialects.kubeflow.models.lists import MOST, EncodedPage, ResourcePage
from catalog.dialects.kubeflow.requests import KubeflowCall
from catalog.errors import INVALID_QUERY, Refused
from catalog.store.query.budgets import Budget, matching
from catalog.store.query.filters.filter import Filter
from catalog.store.query.filters.matching import matcher
from catalog.store.query.paging.cursors import ASCENDING, DESCENDING, Order
from catalog.store.query.paging.keysets import Keep, Key, Walk, keep_all, key_of, walk
from catalog.store.query.paging.pages import Listing
from catalog.store.query.paging.serial_scan import Collection
from catalog.store.records import Query, Value
from catalog.store.tenant_documents import R

Shapes = Callable[[Sequence[R]], Awaitable[Sequence[Struct]]]
"""What is shown of records."""

ReadBeyond = Callable[[Sequence[R]], Awaitable[Sequence[Mapping[str, Value]]]]
"""The properties of documents that are elsewhere, in their order."""

READ_BEYOND = 20
"""Documents whose properties are read elsewhere at once."""

ORDERS = {"": "serial", "ID": "serial", "CREATE_TIME": "timestamp", "LAST_UPDATE_TIME": "lastmod"}
DIRECTIONS = {"": ASCENDING, "ASC": ASCENDING, "DESC": DESCENDING}

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SIZE = re.compile(r"-?[0-9]{1,10}")
_TOKEN = re.compile(r"([0-9]{1,12}):([0-9]{1,15}):(.+)", re.ASCII)


@dataclass(frozen=True, slots=True)
class ListParameters:
    """The parameters of a list."""

    size: int  # as asked; 0: as many as a page has
    order: Order
    key: Key | None

    @property
    def limit(self) -> int:
        return min(self.size, MOST) if self.size > 0 else MOST


def list_parameters(call: KubeflowCall, id_field: str = "serial") -> ListParameters:
    """The parameters of a list; `id_field` is the field in the order of the ids. Raises Refused: INVALID_QUERY."""
    text = call.query("pageSize")
    if text and (not _SIZE.fullmatch(text) or abs(int(text)) >= 2**31):
        raise Refused(INVALID_QUERY, f"pageSize: {text[:20]!r} is not a number")
    by = call.query("orderBy")
    if by not in ORDERS and call.api.refuses_unknown_orders:
        raise Refused(INVALID_QUERY, f"orderBy: {by[:40]!r} is not one of CREATE_TIME, LAST_UPDATE_TIME, ID")
    field = ORDERS.get(by, "serial")
    direction = DIRECTIONS.get(call.query("sortOrder").upper(), ASCENDING)
    order = [(id_field, direction)] if field == "serial" else [(field, direction), ("serial", direction)]
    token = call.query("nextPageToken")
    return ListParameters(max(0, int(text or "0")), order, _key_of_token(token, order) if token else None)


def token_of(key: Key | None, order: Order) -> str:
    """Empty at the end of a list. A token names the order, so that it is not taken for a place in another one."""
    if key is None:
        return ""
    value = milliseconds(key[0]) if isinstance(key[0], datetime) else key[0]
    return b64encode(f"{key[-1]}:{value}:{_spelt(order)}".encode()).decode()


def _spelt(order: Order) -> str:
    field, direction = order[0]
    return f"{field}{direction:+d}"


def _key_of_token(token: str, order: Order) -> Key:
    try:
        found = _TOKEN.fullmatch(b64decode(token, validate=True).decode("ascii"))
    except (binascii.Error, ValueError):
        found = None
    if found is None:
        raise Refused(INVALID_QUERY, "nextPageToken is not one that a list gave")
    if found[3] != _spelt(order):
        raise Refused(INVALID_QUERY, "nextPageToken comes from a list in another order")
    if len(order) == 1:
        return [int(found[2])]
    try:
        return [EPOCH + timedelta(milliseconds=int(found[2])), int(found[1])]
    except OverflowError:
        raise Refused(INVALID_QUERY, "nextPageToken is not one that a list gave") from None


async def filter_of(call: KubeflowCall, properties: Properties) -> Compiled:
    """The checked `filterQuery`. Raises Refused: INVALID_QUERY."""

    async def find_ids(collection: str, serials: set[int]) -> dict[int, str]:
        found = call.caller.tenant.collection(collection).find({"serial": {"$in": list(serials)}}, {"serial": 1})
        return {record["serial"]: str(record["_id"]) async for record in found}

    return await compiled(call.query("filterQuery"), properties, find_ids)


async def listed(
    call: KubeflowCall,
    collection: Collection[R],
    access: Query,
    properties: Properties,
    shapes: Shapes[R],
    *,
    keep: Keep[R, R] = keep_all,
    top: int | None = None,
    id_field: str = "serial",
    read_beyond: ReadBeyond[R] | None = None,
) -> EncodedPage:
    """The page of a list that the query string asks for. `top` is a recent serial, of a list that no index serves.

    `read_beyond` is for properties that are elsewhere.
    """
    parameters, wanted = list_parameters(call, id_field), await filter_of(call, properties)
    statistics = call.caller.tenant.scan_statistics
    listing = Listing.of(collection, access, wanted.of_document, parameters.order, top=top, statistics=statistics)
    if wanted.beyond and read_beyond:
        keep = _kept_with(wanted.beyond, read_beyond)
    return await page_of(parameters, await walk(listing, parameters.key, parameters.limit, keep), shapes)


def _kept_with(wanted: Filter, read: ReadBeyond[R]) -> Keep[R, R]:
    """Keeps the documents that match with what is read of them elsewhere, some at a time: texts may be long."""
    budget, tests = wanted.budget or Budget(), [matcher(wanted.query), *([wanted.matches] if wanted.matches else [])]

    def is_wanted(pair: tuple[R, Mapping[str, Value]]) -> bool:
        whole = {**pair[0], **pair[1]}
        return all(test(whole) for test in tests)

    async def keep(batch: list[R]) -> list[R]:
        found: list[R] = []
        for at in range(0, len(batch), READ_BEYOND):
            some = batch[at : at + READ_BEYOND]
            texts = await read(some)
            pairs = list(zip(some, texts, strict=True))
            found += [document for document, _ in await matching(is_wanted, pairs, budget)]
        return found

    return keep


async def page_of(parameters: ListParameters, found: Walk[R], shapes: Shapes[R]) -> EncodedPage:
    """A page of at most LARGEST_PAGE bytes."""
    items = fitting(await shapes(found.docs))
    is_cut = len(items) < len(found.docs)
    following = key_of(parameters.order, found.docs[len(items) - 1]) if is_cut else found.following
    return ResourcePage(
        items=items, size=len(items), page_size=parameters.size, next_page_token=token_of(following, parameters.order)
    )


def merged(walks: Sequence[Walk[R]], order: Order, limit: int) -> Walk[R]:
    """One walk through two lists with the same order."""
    ways = [direction for _, direction in order]

    def place(key: Key) -> list[int]:
        numbers = [milliseconds(value) if isinstance(value, datetime) else value for value in key]
        return [number * way for number, way in zip(numbers, ways, strict=True)]

    docs = sorted((doc for each in walks for doc in each.docs), key=lambda doc: place(key_of(order, doc)))
    ends = [each.following for each in walks if each.following is not None]
    end = min(ends, key=place) if ends else None
    docs = [doc for doc in docs if end is None or place(key_of(order, doc)) <= place(end)]
    if len(docs) > limit:
        return Walk(docs[:limit], key_of(order, docs[limit - 1]))
    return Walk(docs, end)


async def serials_of(collection: Collection[R], keys: Iterable[ObjectId | None]) -> dict[ObjectId, int]:
    """The ids that clients see, by the ids of the documents in `collection` that exist."""
    ids = list({key for key in keys if key})
    if not ids:
        return {}
    return {found["_id"]: found["serial"] async for found in collection.find({"_id": {"$in": ids}}, {"serial": 1})}
