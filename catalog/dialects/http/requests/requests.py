"""Checks of every request on every route, after the guards and before the handler."""

from collections.abc import Collection
from difflib import get_close_matches
from functools import lru_cache
from http import HTTPMethod

from litestar.handlers import HTTPRouteHandler

from catalog.dialects.http.docs.operations import is_described, query_names
from catalog.dialects.http.requests.headers import raw_header, refuse_coded
from catalog.dialects.http.requests.injection import AnyRequest
from catalog.errors import NOT_SEARCHED, REQUEST, Refused
from catalog.store.query.declarations import shown
from catalog.store.query.params import SHORT

CHANGES_NOTHING = {HTTPMethod.GET, HTTPMethod.HEAD}


async def refuse_coded_body(request: AnyRequest) -> None:
    """Raises Refused: CONTENT_CODED."""
    if raw_header(request.scope["headers"], b"content-encoding") is None:
        return
    headers = request.headers
    if request.content_length or "transfer-encoding" in headers:
        refuse_coded(headers.getall("content-encoding"))


async def check_request(request: AnyRequest) -> None:
    """Refuse a request that no handler could read as the client means it.

    A route without query parameters ignores those that a client sends.

    Raises Refused: CONTENT_CODED; NOT_SEARCHED or, where something is changed, REQUEST, for an unknown parameter.
    """
    await refuse_coded_body(request)
    handler = request.route_handler
    if request.scope["query_string"] and is_described(handler):
        _refuse_others(request, _query_names(handler), is_filtered="is_filtered" in handler.opt)


@lru_cache(maxsize=1024)
def _query_names(handler: HTTPRouteHandler) -> frozenset[str]:
    return query_names(handler)


def _refuse_others(request: AnyRequest, names: Collection[str], *, is_filtered: bool) -> None:
    """Refuse parameters other than `names`. A route that takes none ignores them."""
    for name in request.query_params if names else ():
        is_filter = is_filtered and name.startswith(SHORT)
        if name not in names and not name.startswith("_") and not is_filter:
            fault = NOT_SEARCHED if request.method in CHANGES_NOTHING else REQUEST
            raise Refused(fault, _unknown(name, sorted(names), is_filtered=is_filtered))


def _unknown(name: str, names: list[str], *, is_filtered: bool) -> str:
    nearest = get_close_matches(name, names, 1)
    meant = f", did you mean {nearest[0]}?" if nearest else ""
    fields = '. Fields are asked for by filter={"field": "value"}' if is_filtered and not nearest else ""
    return f"{shown(name)}: there is no such parameter{meant or '.'} The route takes {', '.join(names)}{fields}"
