"""Documents of tenants: a document is read and written only through a handle that names a database.

Beanie binds a document class to one database. Here the class is *sealed* instead, and a `BoundCollection`
takes the place of the class in Beanie's queries: it knows the fields of the document and the collection of one tenant.
The handle is an argument, so it cannot be forgotten. A ContextVar can: a query that is built for one tenant and awaited
for another would read the other's records (docs/decisions.md).
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any, Generic, NamedTuple, Never, TypeVar, cast

from beanie import Document, init_beanie
from beanie.odm.queries.find import FindMany, FindOne
from bson import ObjectId
from motor.motor_asyncio import AsyncIOMotorClient, AsyncIOMotorCollection, AsyncIOMotorCommandCursor
from pymongo import IndexModel, UpdateOne
from pymongo.errors import BulkWriteError, DuplicateKeyError, PyMongoError, WriteError

from catalog.store.concurrency import released_keys
from catalog.store.concurrency.fence import Fenced
from catalog.store.records import Changes, Query

Raw = dict[str, Any]
"""A document as the driver reads it."""

SEALED_DATABASE = "catalog-sealed"
"""The database that Beanie is initialised with. It is never read or written."""


DUPLICATE_KEY = 11000
"""The code of MongoDB for a record that a unique index refuses."""


class Unbound(Exception):  # noqa: N818  a programming error, named for what is wrong
    """A document was used without a tenant."""


class Sealed:
    """Takes the place of the collection that Beanie expects. Every use of it is a programming error."""

    def __getattr__(self, name: str) -> Never:
        raise Unbound(f"{name}: ask a tenant's handle for this document's collection")


SEALED = Sealed()


class SealedDocument(Document):
    @classmethod
    def get_motor_collection(cls) -> AsyncIOMotorCollection[Raw]:
        return cast("AsyncIOMotorCollection[Raw]", SEALED)

    @classmethod
    @cache
    def collection_name(cls) -> str:
        return cls.get_settings().name or cls.__name__


D = TypeVar("D", bound=SealedDocument)
AnyRecord = Mapping[str, Any]
R = TypeVar("R", bound=AnyRecord)


def record_of(document: SealedDocument) -> Raw:
    """The record of a document, without fields that are None. Beanie's own `get_dict` takes ten times as long."""
    fields = document.model_dump(by_alias=True, exclude={"revision_id"})
    return {name: value for name, value in fields.items() if value is not None}


_initialised: set[type[SealedDocument]] = set()


async def seal(client: AsyncIOMotorClient[Raw], documents: Iterable[type[SealedDocument]]) -> None:
    """Initialise Beanie with the documents, once per process. No database is bound by it."""
    new = [document for document in documents if document not in _initialised]
    if not new:
        return
    await init_beanie(database=client[SEALED_DATABASE], document_models=list(new), skip_indexes=True)
    _initialised.update(new)
    for document in new:
        settings = document.get_settings()
        settings.motor_db = cast("Any", SEALED)
        settings.motor_collection = cast("Any", SEALED)


class Update(NamedTuple):
    query: Query
    update: Changes
    upsert: bool = False


def write_error(error: Mapping[str, Any]) -> PyMongoError:
    """The exception of the driver for a lone write, made of the error of one write in the answer to several."""
    kind = DuplicateKeyError if error["code"] == DUPLICATE_KEY else WriteError
    return kind(error["errmsg"], error["code"], error)


class BoundCollection(Generic[D, R]):
    """The collection of one document in one database.

    `records` is the driver's collection of records of the type `R`, for conditional writes and for reads in the path of
    every request, where building a document would cost too much.
    """

    def __init__(self, document: type[D], collection: AsyncIOMotorCollection[Raw]) -> None:
        self.document = document
        self.records = cast("AsyncIOMotorCollection[R]", collection)

    def __getattr__(self, name: str) -> Any:
        """Give Beanie what it looks up on the class of the document."""
        return getattr(self.document, name)

    def get_motor_collection(self) -> AsyncIOMotorCollection[Raw]:
        return cast("AsyncIOMotorCollection[Raw]", self.records)

    @property
    def name(self) -> str:
        """The name of the collection in its database."""
        return self.records.name

    def find_one(self, query: Mapping[str, Any]) -> FindOne[D]:
        finder: FindOne[D] = FindOne(cast("type[D]", self))
        finder.projection_model = self.document
        return finder.find_one(query)

    def find(self, query: Mapping[str, Any]) -> FindMany[D]:
        finder: FindMany[D] = FindMany(cast("type[D]", self))
        finder.projection_model = self.document
        return finder.find(query)

    async def get(self, key: ObjectId | str) -> D | None:
        return await self.find_one({"_id": key})

    async def insert(self, document: D) -> D:
        """Insert a new document. Raises Duplicate when a unique index refuses it."""
        record = record_of(document)
        await self.insert_record(cast("R", record))
        document.id = record["_id"]
        return document

    async def insert_record(self, record: R) -> None:
        """Insert a new record. Raises Duplicate when a unique index refuses it, DatabaseError."""
        [failure] = await self.insert_each([record])
        if failure:
            raise failure

    async def modify(self, query: Query, update: Changes) -> R | None:
        """Update the record whose `_id` and other fields are as `query` says, and return it. None: there is none.

        Another change may have followed in what is returned. (`findAndModify` is avoided where records are many: both
        embedded engines read the whole collection for it.)
        """
        if not (await self.records.update_one(query, update)).matched_count:
            return None
        return await self.records.find_one({"_id": query["_id"]})

    async def cross_fence(self) -> None:
        """Check as before each write, for one that is made by a command of its own. Raises Refused."""
        if isinstance(self.records, Fenced):
            await self.records.cross()

    async def insert_each(self, records: Sequence[R]) -> list[PyMongoError | None]:
        """Insert records in one command, and return why each of them is refused: Duplicate, or another failure."""
        refused: list[PyMongoError | None] = [None] * len(records)
        if not records:
            return refused
        try:
            await self.records.insert_many(records, ordered=False)
        except BulkWriteError as failure:
            details = failure.details or {}
            if details.get("writeConcernErrors"):  # none is acknowledged
                raise
            for error in details.get("writeErrors", ()):
                refused[error["index"]] = write_error(error)
        except DuplicateKeyError as failure:  # of the whole command, see `released_keys`: no record is inserted
            if len(records) > 1:
                return [(await self.insert_each([record]))[0] for record in records]
            return [await released_keys.insert(self.records, records[0], failure)]
        return refused

    async def modify_all(self, updates: Iterable[Update]) -> None:
        """Make several updates, each on one record, in one command and in any order."""
        operations = [UpdateOne(*update) for update in updates]
        if operations:
            await self.records.bulk_write(operations, ordered=False)

    def aggregate(self, stages: Sequence[Query], **options: Any) -> AsyncIOMotorCommandCursor[Raw]:
        """What the database computes from the records, without a type. A function of the store gives it one."""
        return cast("AsyncIOMotorCommandCursor[Raw]", self.records.aggregate(stages, **options))

    async def total(self, field: str, query: Query | None = None) -> int:
        """The sum of a number field over the records that match, or all of them."""
        stages: list[Query] = [{"$match": query}] if query else []
        stages.append({"$group": {"_id": None, "total": {"$sum": f"${field}"}}})
        summed = await self.aggregate(stages).to_list(1)
        return int(summed[0]["total"]) if summed else 0

    async def insert_missing(self, records: Sequence[R]) -> None:
        """Insert records, except those that are there already. One that cannot be inserted does not stop the others.

        Raises DatabaseError.
        """
        if records:
            await self.insert_new(records)

    async def insert_new(self, records: Sequence[R]) -> list[int]:
        """Insert records in one command, and return the positions of those that a unique index refuses.

        Raises DatabaseError.
        """
        refused = await self.insert_each(records)
        if failure := next((each for each in refused if each and not isinstance(each, DuplicateKeyError)), None):
            raise failure
        return [position for position, failure in enumerate(refused) if failure]

    @property
    def declared_indexes(self) -> dict[str, Mapping[str, Any]]:
        """The indexes that the document declares, by name, as the driver creates them."""
        declared = (field.index.document for field in self.document.get_settings().indexes)
        return {index["name"]: index for index in declared}

    async def prepare(self) -> None:
        """Create the indexes that the document declares, if they are missing."""
        indexes: list[IndexModel] = [field.index for field in self.document.get_settings().indexes]
        if indexes:
            await self.records.create_indexes(indexes)


Records = BoundCollection[Any, R]
"""The collection of records of one type, where their document does not matter."""
