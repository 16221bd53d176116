"""What is asked of every request, whatever its route: looked at after the guards and before a handler runs."""

import re
from collections.abc import Collection, Iterable
from difflib import get_close_matches
from functools import lru_cache
from http import HTTPMethod

from litestar.handlers import HTTPRouteHandler

from catalog.dialects.http.docs.operations import is_described, query_names
from catalog.dialects.http.headers import AnyRequest, refuse_coded
from catalog.dialects.openapi.operation import Operation
from catalog.errors import NOT_SEARCHED, REQUEST, Refused
from catalog.store.query.fields import shown
from catalog.store.query.params import SHORT

CHANGES_NOTHING = {HTTPMethod.GET, HTTPMethod.HEAD}


async def refuse_coded_body(request: AnyRequest) -> None:
    """Raises Refused: CONTENT_CODED."""
    headers = request.headers
    if "content-encoding" in headers and (request.content_length or "transfer-encoding" in headers):
        refuse_coded(headers.getall("content-encoding"))


class Requests:
    """Knows the query parameters of each route, which the OpenAPI document declares.

    A route that has none ignores what is sent, for there is nothing that could have been meant.
    """

    def __init__(self, operations: Iterable[Operation]) -> None:
        self._operations = {(each.method.upper(), _unnamed(each.path)): each for each in operations}

    async def look_at(self, request: AnyRequest) -> None:
        """Refuse what no handler could read as it is meant.

        Raises Refused: CONTENT_CODED; NOT_SEARCHED or, where something is changed, REQUEST, for an unknown parameter.
        """
        await refuse_coded_body(request)
        if request.scope["query_string"]:
            self._refuse_unknown(request)

    def _refuse_unknown(self, request: AnyRequest) -> None:
        if is_described(request.route_handler):
            handler = request.route_handler
            _refuse_others(request, _query_names(handler), is_filtered="is_filtered" in handler.opt)
            return
        path = _unnamed(request.scope["path_template"])
        told = self._operations.get((request.method, path)) or self._operations.get((HTTPMethod.GET, path))
        names = told and told.query_names
        if told and names:
            _refuse_others(request, names, is_filtered=told.is_filtered)


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


def _unnamed(path: str) -> str:
    """Where the names of its parameters do not matter."""
    return re.sub(r"\{[^}]*\}", "{}", path)
