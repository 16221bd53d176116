"""The native dialect's envelopes: bodies in, answers and refusals out."""

import math
import re
from collections.abc import Awaitable, Callable, Sequence
from hashlib import blake2b
from typing import TypeVar

import msgspec
from litestar import Response

from catalog.dialects.http.access import SAFE
from catalog.dialects.http.encoded import JSON, LARGEST_PAGE, AnyJson, JsonResponse, encode_json, json_response
from catalog.dialects.http.failures import refusal_headers
from catalog.dialects.http.requests.cancellation import cancellation
from catalog.dialects.http.requests.headers import entity_tags, is_unchanged
from catalog.dialects.http.requests.injection import AnyRequest
from catalog.dialects.v1.errors import details_of, native
from catalog.dialects.v1.requests.sentences import shown as shortened
from catalog.errors import STALE, Refused
from catalog.store.query.paging.pages import ListPage
from catalog.store.query.params import PageRequest
from catalog.store.tenant_documents import R

REVISION = re.compile(r'"([0-9]{1,18})(?:\.[0-9a-f]+)?"')
"""An ETag as `shown` makes it. Of an item the digest does not count where it is to be changed."""

LONGEST_ERROR = 300  # characters of what is said of an element


N = TypeVar("N")


def shown(request: AnyRequest, content: object, revision: int, *, embeds: bool = False) -> AnyJson:
    """Answer with what has a revision, or tell a client that has just this already (304).

    What `embeds` others changes with them as well, so its tag is the revision and a digest of the content.
    """
    encoded = encode_json(content)
    digest = f".{blake2b(encoded, digest_size=8).hexdigest()}" if embeds else ""
    headers = {"ETag": f'"{revision}{digest}"'}
    if request.method in SAFE and is_unchanged(request, headers["ETag"]):
        return JsonResponse(b"", status_code=304, headers=headers)
    return JsonResponse(encoded, status_code=200, media_type=JSON, headers=headers)


def revisions_seen(request: AnyRequest) -> frozenset[int] | None:
    """The revisions that If-Match (RFC 9110, 13.1.1) speaks of; None when any will do.

    Raises Refused: STALE for what was never a tag.
    """
    tags = entity_tags(request, "if-match")
    if tags is None or tags == ["*"]:
        return None
    if not tags:
        raise Refused(STALE, "If-Match: ETags as answers gave them, in double quotes and with commas between")
    return frozenset(int(tag[1]) for each in tags if (tag := REVISION.fullmatch(each)))


def envelope(
    docs: Sequence[object], found: ListPage[R], page: PageRequest, cut: str | None = None
) -> dict[str, object]:
    """A list as mongoose-paginate words it. `cut` is the cursor that goes on where a page ends early.

    The page after one that ends early would not have what that leaves out, so it is not named.

    A total that was not counted to its end says so, and is as many as there are at least: there is a next page, and
    a page of that number, for as long as documents follow.
    """
    pages = math.ceil(found.total / page.limit) if page.limit else 0
    return {
        "docs": docs,
        "totalDocs": found.total,
        **({} if found.is_exact else {"totalIsExact": False}),
        "limit": page.limit,
        "totalPages": pages,
        "page": page.page,
        "pagingCounter": (page.page - 1) * page.limit + 1,
        "hasPrevPage": page.page > 1,
        "hasNextPage": found.more or cut is not None,
        "prevPage": page.page - 1 if page.page > 1 else None,
        "nextPage": page.page + 1 if found.more and cut is None else None,
        **({} if cut is None else {"truncated": True, "nextCursor": cut}),
    }


def stretch(docs: Sequence[object], limit: int, following: str | None) -> dict[str, object]:
    """A list that is walked by cursor."""
    return {"docs": docs, "limit": limit, "hasNextPage": following is not None, "nextCursor": following}


class Bulk:
    """What became of the elements of a POSTed list.

    Of what was made the answer shows LARGEST_PAGE bytes, and of the rest the ids.
    """

    def __init__(self) -> None:
        self.errors: list[str] = []
        self._made: list[msgspec.Raw] = []
        self._room = LARGEST_PAGE

    def add(self, shape: msgspec.Struct) -> None:
        encoded = encode_json(shape)
        self._room -= len(encoded)
        if self._room < 0:
            identity = msgspec.json.decode(encoded)["_id"]
            encoded = encode_json({"_id": identity, "truncated": True})
        self._made.append(msgspec.Raw(encoded))

    def answer(self, plural: str, *, verbose: bool) -> AnyJson:
        status = 202 if self.errors else 200
        if verbose:
            return json_response({plural: self._made, "errors": self.errors}, status)
        return json_response({"saved": len(self._made), "errors": len(self.errors), "Indexes": self.errors}, status)


async def create_each(
    request: AnyRequest, data: N | list[N | Refused], create: Callable[[N], Awaitable[msgspec.Struct]], plural: str
) -> AnyJson:
    """Answer a POST of one thing, or of a list of things, each created or refused on its own."""
    if not isinstance(data, list):
        return json_response(await create(data))
    bulk = Bulk()
    for index, element in enumerate(data):
        await _go_on(request)
        try:
            cancellation(request.scope).refuse_stopping()
            if isinstance(element, Refused):
                raise element
            bulk.add(await create(element))
        except Refused as refused:
            details = details_of(refused) or refused.fault.message
            bulk.errors.append(f"Index: {index} ({shortened(details, LONGEST_ERROR)})")
    return bulk.answer(plural, verbose=request.query_params.get("verbose") != "false")


async def _go_on(request: AnyRequest) -> None:
    """Between two elements: is the client still there, and may it still do this?

    Raises Refused: CLIENT_GONE, AUTHENTICATION.
    """
    cancellation(request.scope).refuse_client_gone()
    if caller := request.scope.get("user"):
        await caller.still_allowed()


def error_response(request: AnyRequest, refused: Refused) -> Response[bytes]:
    """The one shape of errors of this dialect."""
    error = native(refused.fault, request.method)
    return json_response(error.body(details_of(refused)), error.status, refusal_headers(request, refused))
