"""Documents as the database stores them, as bytes: what a backup contains, whatever their fields are."""

from collections.abc import AsyncIterator, Mapping, Sequence

import bson
from bson.codec_options import CodecOptions
from bson.errors import BSONError
from bson.raw_bson import RawBSONDocument

from catalog.store.records import Query
from catalog.store.tenant import Tenant
from catalog.store.tenant_documents import Raw

__all__ = ["InvalidRecord", "RawDocument", "decode", "encode", "insert_all", "read_all", "split"]

BATCH = 1000

SMALLEST = 5
"""Bytes of an empty document."""

RawDocument = RawBSONDocument
"""Bytes that can be read like a mapping."""

InvalidRecord = BSONError
"""A record has a value that the database cannot store, or bytes are no record."""

RAW_BSON = CodecOptions(document_class=RawBSONDocument)


async def read_all(tenant: Tenant, collection: str, query: Query | None = None) -> AsyncIterator[RawDocument]:
    async for document in tenant.database[collection].with_options(RAW_BSON).find(query or {}):
        yield document


async def insert_all(tenant: Tenant, collection: str, contents: Sequence[bytes]) -> None:
    """Insert documents. Raises InvalidRecord, DatabaseError."""
    documents = [RawBSONDocument(each) for each in contents]
    for start in range(0, len(documents), BATCH):
        await tenant.database[collection].insert_many(documents[start : start + BATCH], ordered=False)


def encode(record: Mapping[str, object]) -> bytes:
    return bson.encode(record)


def decode(content: bytes) -> Raw:
    """Raises InvalidRecord."""
    record: Raw = bson.decode(content, CodecOptions(tz_aware=True))
    return record


def split(content: bytes) -> list[bytes]:
    """Documents that were written one after the other. Each begins with its length: https://bsonspec.org.

    Raises ValueError.
    """
    found, start = [], 0
    while start < len(content):
        length = int.from_bytes(content[start : start + 4], "little")
        if length < SMALLEST or start + length > len(content):
            raise ValueError("a document is cut off")
        found.append(content[start : start + length])
        start += length
    return found
