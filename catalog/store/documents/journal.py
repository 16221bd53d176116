"""The journal."""

from datetime import datetime

from pymongo import ASCENDING, IndexModel

from catalog.store.documents.indexes import newest, unique
from catalog.store.tenant_documents import SealedDocument


class LogDocument(SealedDocument):
    """An entry of the journal: who did what, when, from where, and with which result."""

    serial: int
    date: datetime
    user: str | None = None  # a username, `operator`, or none
    method: str
    route: str | None = None  # the pattern, as /v1/models/{key}; None: no such route
    path: str
    item: str | None = None  # as in the path
    address: str | None = None
    result: int  # the status of the answer
    fault: int | None = None  # the value of a refusal
    duration: float  # milliseconds
    request_id: str
    requests: int | None = None  # how many requests it stands for, if several
    end: int = 0  # the position of its end among the bytes of all entries, see domain.audit

    class Settings:
        name = "log"
        # Not a TTL index: for that the embedded engine reads the whole collection every minute, and all requests wait.
        indexes = (
            unique("serial"),
            IndexModel([("date", ASCENDING)]),
            newest("user"),
            newest("item"),
            newest("request_id"),
        )
