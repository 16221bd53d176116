"""Commands that the writers of a tenant who wait at the same time share (see `batches`)."""

import asyncio
from collections.abc import Awaitable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from bson import ObjectId

from catalog.store.concurrency.batches import Outcomes
from catalog.store.tenant import Tenant
from catalog.store.tenant_documents import SealedDocument, record_of


class Write(NamedTuple):
    """A record to insert. The fence of `tenant`, the handle of its writer, is crossed first."""

    tenant: Tenant
    record: Mapping[str, Any]


async def next_number(tenant: Tenant, counter: str) -> int:
    """Raise a counter, and return its value."""
    return await tenant.write_in_batch((next_number, counter), counter, _next_numbers)


@contextmanager
def number_ahead(tenant: Tenant, counter: str) -> Iterator[Awaitable[int]]:
    """Raise a counter while other things are read. Where these refuse what its value is for, the value is skipped."""
    number = asyncio.create_task(next_number(tenant, counter))
    number.add_done_callback(_retrieve)
    try:
        yield number
    finally:
        number.cancel()


def _retrieve(number: asyncio.Task[int]) -> None:
    """Take a failure that nothing may await."""
    if not number.cancelled():
        number.exception()


async def _next_numbers(tenant: Tenant, counters: Sequence[str]) -> Outcomes[int]:
    last = await tenant.next(counters[0], len(counters))
    return range(last - len(counters) + 1, last + 1)


async def insert(tenant: Tenant, document: SealedDocument) -> None:
    """Insert a new document, and set its id. Raises Duplicate when a unique index refuses it."""
    kind, record = type(document), record_of(document)
    record.setdefault("_id", ObjectId())

    async def insert_documents(base: Tenant, writes: Sequence[Write]) -> Outcomes[None]:
        return await insert_all(base, kind, writes)

    await tenant.write_in_batch((insert, kind), Write(tenant, record), insert_documents)
    document.id = record["_id"]


async def insert_all(base: Tenant, kind: type[SealedDocument], writes: Sequence[Write]) -> list[Exception | None]:
    """Insert records of one kind, each for its writer, and return why each of them is refused."""
    outcomes: list[Exception | None] = [await write.tenant.refusal(kind) for write in writes]
    allowed = [index for index, refusal in enumerate(outcomes) if refusal is None]
    failures = await base.bound(kind).insert_each([writes[index].record for index in allowed])
    for index, failure in zip(allowed, failures, strict=True):
        outcomes[index] = failure
    return outcomes
