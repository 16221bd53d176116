"""The journal."""

from typing import Annotated, Self

from msgspec import UNSET, Meta, Struct, UnsetType

from catalog.dialects.v1.models.common import Id, Moment, moment
from catalog.store.records import LogRecord


class JournalEntry(Struct, kw_only=True, rename={"id": "_id"}):
    """One request, or several requests without credentials for what does not exist."""

    date: Annotated[Moment, Meta(description="When the request came.")]
    id: Id
    log: Annotated[str, Meta(description="The entry as one line.")]
    serial: int
    user: Annotated[str | UnsetType, Meta(description="A username, or `operator`.")] = UNSET
    method: str
    route: Annotated[str | UnsetType, Meta(description="The pattern of the route.")] = UNSET
    path: str
    item: Annotated[str | UnsetType, Meta(description="The item, as the path names it.")] = UNSET
    address: Annotated[str | UnsetType, Meta(description="The address of the client.")] = UNSET
    result: Annotated[int, Meta(description="The status of the answer.")]
    fault: Annotated[int | UnsetType, Meta(description="The `value` of a refusal.")] = UNSET
    duration: Annotated[float, Meta(description="Milliseconds.")]
    request_id: str
    requests: Annotated[int | UnsetType, Meta(description="How many requests the entry stands for, if several.")] = (
        UNSET
    )

    @classmethod
    def of(cls, record: LogRecord, tenant: str) -> Self:
        fault, requests = record.get("fault"), record.get("requests")
        return cls(
            date=moment(record["date"]),
            id=str(record["_id"]),
            log=_line(record, tenant),
            serial=record["serial"],
            user=_or_unset(record.get("user")),
            method=record["method"],
            route=_or_unset(record.get("route")),
            path=record["path"],
            item=_or_unset(record.get("item")),
            address=_or_unset(record.get("address")),
            result=record["result"],
            fault=UNSET if fault is None else fault,
            duration=record["duration"],
            request_id=record["request_id"],
            requests=UNSET if requests is None else requests,
        )


def _or_unset(text: str | None) -> str | UnsetType:
    return UNSET if text is None else text


def _line(record: LogRecord, tenant: str) -> str:
    """The line that other registries write, without contents."""
    user, request = record.get("user") or "Anonymous", f"{record['method']} {record['path']}"
    return f"{{tenant: {tenant or '-'} - request: {request}, contents: {{}}, user: {user}, result: {record['result']}}}"
