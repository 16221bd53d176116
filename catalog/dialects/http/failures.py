"""Every exception as a refusal of the catalogue, for the dialects to word."""

import logging

from litestar.exceptions import HTTPException
from litestar.status_codes import HTTP_500_INTERNAL_SERVER_ERROR

from catalog.blobs.protocol import StorageAway
from catalog.errors import (
    BODY_TOO_LARGE,
    DATABASE_AWAY,
    INTERNAL,
    METHOD_NOT_ALLOWED,
    REQUEST,
    STORAGE_AWAY,
    UNKNOWN_ROUTE,
    Refused,
)
from catalog.store.database import UNAVAILABLE

logger = logging.getLogger(__name__)


def as_refused(exception: Exception, where: str, request_id: str) -> Refused:
    """What a client is told of an exception. What it is not told goes into the log, where its `request_id` finds it."""
    if isinstance(exception, Refused):
        return exception
    if isinstance(exception, HTTPException) and exception.status_code < HTTP_500_INTERNAL_SERVER_ERROR:
        return _asked_wrongly(exception, where)
    if isinstance(exception, UNAVAILABLE):
        logger.warning("%s (request %s): the database does not answer", where, request_id)
        return Refused(DATABASE_AWAY, headers={"Retry-After": "1"})
    if isinstance(exception, StorageAway):
        logger.warning("%s (request %s): the storage of files: %s", where, request_id, exception)
        return Refused(STORAGE_AWAY, str(exception), headers={"Retry-After": "1"})
    logger.error("%s (request %s): unexpected", where, request_id, exc_info=exception)
    return Refused(INTERNAL)


def _asked_wrongly(exception: HTTPException, where: str) -> Refused:
    """The refusals of the web framework, which sees a request first."""
    match exception.status_code:
        case 404:
            return Refused(UNKNOWN_ROUTE, where)
        case 405:
            return Refused(METHOD_NOT_ALLOWED, where, headers=exception.headers)
        case 413:
            return Refused(BODY_TOO_LARGE)
    return Refused(REQUEST, exception.detail)
