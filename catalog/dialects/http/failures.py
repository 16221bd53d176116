"""Turns every exception into a fault of the catalogue, worded by the dialect that serves the path."""

import logging
from collections.abc import Callable, Sequence
from typing import TypeVar

from litestar import Response
from litestar.exceptions import HTTPException
from litestar.status_codes import HTTP_500_INTERNAL_SERVER_ERROR

from catalog.blobs.protocol import StorageUnavailableError
from catalog.dialects.http.dialect import Dialect, ErrorResponse
from catalog.dialects.http.fault_numbers import number_of
from catalog.dialects.http.request_log import redact
from catalog.dialects.http.requests.injection import AnyRequest
from catalog.errors import (
    AUTHENTICATION,
    BODY_TOO_LARGE,
    DATABASE_AWAY,
    INTERNAL,
    METHOD_NOT_ALLOWED,
    REQUEST,
    STORAGE_AWAY,
    UNKNOWN_ROUTE,
    Refused,
)
from catalog.store.failures import is_temporary

T = TypeVar("T")

logger = logging.getLogger(__name__)


def error_handler(dialects: Sequence[Dialect]) -> Callable[[AnyRequest, Exception], Response[object]]:
    """A handler that answers exceptions. A path that belongs to no dialect is answered by the first one."""

    def handle(request: AnyRequest, exception: Exception) -> Response[object]:
        path = request.scope["path"]
        dialect = next((each for each in dialects if each.covers(path)), dialects[0])
        return respond(request, exception, dialect.error_response)

    return handle


def respond(request: AnyRequest, exception: Exception, error_response: ErrorResponse[T]) -> Response[T]:
    where = f"{request.method} {redact(request.url.path)}"
    state = request.scope["state"]
    refused = as_refused(exception, where, state["request_id"])
    state["fault"] = number_of(refused.fault, request.method)  # for the journal
    return error_response(request, refused)


def refusal_headers(request: AnyRequest, refused: Refused, challenge: str = "Bearer") -> dict[str, str]:
    """The headers of a refusal. `challenge` is the WWW-Authenticate of a request without valid credentials."""
    headers = {**refused.headers, "X-Request-ID": request.scope["state"]["request_id"]}
    return headers | {"WWW-Authenticate": challenge} if refused.fault is AUTHENTICATION else headers


def as_refused(exception: Exception, where: str, request_id: str) -> Refused:
    """The refusal that a client gets for an exception. The log has the details, under the same `request_id`."""
    if isinstance(exception, Refused):
        return exception
    if isinstance(exception, HTTPException) and exception.status_code < HTTP_500_INTERNAL_SERVER_ERROR:
        return _of_framework(exception, where)
    if is_temporary(exception):
        logger.warning("%s (request %s): the database does not answer", where, request_id)
        return Refused(DATABASE_AWAY, headers={"Retry-After": "1"})
    if isinstance(exception, StorageUnavailableError):
        logger.warning("%s (request %s): the storage of files: %s", where, request_id, exception)
        return Refused(STORAGE_AWAY, str(exception), headers={"Retry-After": "1"})
    logger.error("%s (request %s): unexpected", where, request_id, exc_info=exception)
    return Refused(INTERNAL)


def _of_framework(exception: HTTPException, where: str) -> Refused:
    """The refusals of the web framework, which sees a request first."""
    match exception.status_code:
        case 404:
            return Refused(UNKNOWN_ROUTE, where)
        case 405:
            return Refused(METHOD_NOT_ALLOWED, where, headers=exception.headers)
        case 413:
            return Refused(BODY_TOO_LARGE)
    return Refused(REQUEST, exception.detail)
