"""Failures of the driver, as the layers above know them."""

from collections.abc import Iterator
from contextlib import contextmanager

from pymongo.errors import (
    ConnectionFailure,
    DuplicateKeyError,
    ExecutionTimeout,
    OperationFailure,
    PyMongoError,
)

from catalog.store.embedded.process import DatabaseUnavailable

UNAVAILABLE = (ConnectionFailure, ExecutionTimeout)
"""The database does not answer, or too slowly. A later attempt may succeed."""

OUT_OF_DISK_SPACE = 14031
PANIC = "WT_PANIC"
"""What an embedded engine answers whose disk is full, before it ends and is started again."""

DatabaseError = PyMongoError
"""Any failure of the database or of its driver."""

Duplicate = DuplicateKeyError
"""A unique index refused the write."""


def is_temporary(failure: BaseException) -> bool:
    """Whether the database does not answer, or has no room: a later attempt may succeed."""
    if isinstance(failure, OperationFailure) and (failure.code == OUT_OF_DISK_SPACE or PANIC in str(failure)):
        return True
    return isinstance(failure, UNAVAILABLE)


@contextmanager
def readable_failures() -> Iterator[None]:
    """Turn failures of the driver into DatabaseUnavailable with one sentence for the operator, at the start."""
    try:
        yield
    except OperationFailure as failure:
        refusal = (failure.details or {}).get("errmsg", "no reason given")
        raise DatabaseUnavailable(f"the database of DATABASE refused: {refusal}") from failure
    except UNAVAILABLE as failure:
        reason = str(failure).partition(" (configured timeouts")[0]  # the rest is the driver's view of the topology
        raise DatabaseUnavailable(f"DATABASE cannot be reached: {reason}") from failure
