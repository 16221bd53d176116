"""Imports one tenant of a Measurify registry into a tenant of the catalog."""

import re
from collections.abc import Awaitable
from typing import cast

from bson import ObjectId

from catalog.blobs.protocol import FileHead
from catalog.domain.access import readers
from catalog.domain.files import intake
from catalog.domain.files.filenames import file_name, media_type
from catalog.domain.items.writing.indexing import reindex
from catalog.domain.people import users
from catalog.domain.terms import terms
from catalog.errors import STORAGE_FULL, Refused
from catalog.operations.measurify.report import TenantImport
from catalog.operations.measurify.source_files import SourceFiles, content
from catalog.operations.restore import RestoreError
from catalog.store.clock import now
from catalog.store.derived import version_summaries
from catalog.store.derived.reader_copies import copied
from catalog.store.documents.items import ITEMS, PairSubdocument
from catalog.store.documents.people import UserDocument
from catalog.store.documents.versions import FileSubdocument, VersionDocument
from catalog.store.failures import UNAVAILABLE, DatabaseError
from catalog.store.foreign import ForeignDatabase, ForeignRecord
from catalog.store.query.ngrams import spelling
from catalog.store.raw_documents import InvalidRecord
from catalog.store.records import ItemRecord
from catalog.store.tenant import VERSION_SERIAL, Tenant
from catalog.vocabulary import Kind, Usage, VersionState, Visibility

TRAINED = (Kind.MODEL, Kind.ALGORITHM)
NUMBER = re.compile("[0-9]{1,9}", re.ASCII)


class TenantImporter:
    """Imports one tenant."""

    def __init__(
        self, tenant: Tenant, source: ForeignDatabase, database: str, files: SourceFiles, done: TenantImport
    ) -> None:
        self._tenant = tenant
        self._source = source
        self._database = database
        self._files = files
        self._done = done
        self._users: set[ObjectId] = set()

    async def run(self) -> None:
        await self._people()
        for words in terms.Vocabulary:
            await self._words(words)
        # Datasets first: models name them.
        for kind in (Kind.DATASET, Kind.MODEL, Kind.ALGORITHM):
            async for document in self._source.by_age(self._database, kind.value):
                await self._item(kind, document)
        await version_summaries.repair(self._tenant)

    async def _people(self) -> None:
        async for theirs in self._source.by_id(self._database, "users"):
            if isinstance(theirs["_id"], ObjectId):
                self._users.add(theirs["_id"])
            known = await self._tenant.users.records.find_one({"_id": theirs["_id"]}, {"_id": 1})
            if known is None and await self._try_storing(f"user {theirs.get('username')}", self._user(theirs)):
                self._done.users += 1

    async def _user(self, theirs: ForeignRecord) -> None:
        fields = ("username", "password", "email", "role", "createdPassword", "validityPasswordDays", "timestamp")
        known_fields = {name: theirs[name] for name in fields if theirs.get(name) is not None}
        await users.take_over(
            self._tenant, UserDocument(id=theirs["_id"], **{"validityPasswordDays": 0, **known_fields})
        )

    async def _words(self, words: terms.Vocabulary) -> None:
        records = terms.collection(self._tenant, words).records
        async for theirs in self._source.by_id(self._database, words.value):
            known = await records.find_one({"_id": theirs["_id"]}, {"_id": 1})
            if known is None and await self._try_storing(f"{words.one} {theirs['_id']}", self._word(words, theirs)):
                self._done.words += 1

    async def _word(self, words: terms.Vocabulary, theirs: ForeignRecord) -> None:
        bound, word = terms.collection(self._tenant, words), theirs["_id"]
        usage = Usage.DEFAULT if theirs.get("usage") == Usage.DEFAULT else Usage.FOLK
        owner = {"owner": theirs["owner"]} if theirs.get("owner") else {}
        await bound.insert(bound.document(id=word, usage=usage, **owner, **spelling(word)))

    async def _item(self, kind: Kind, theirs: ForeignRecord) -> None:
        bound, what = self._tenant.items(kind), f"{kind.one} {theirs.get('name')}"
        known = await bound.records.find_one({"_id": theirs["_id"]}, {"_id": 1})
        if known is None:
            if not await self._try_storing(what, self._fresh_item(kind, theirs)):
                return
            self._done.items += 1
        if not isinstance(theirs.get("versions", []), list):
            self._done.add_problem(what, TypeError("its versions are not a list"))
        readable = [each for each in versions_of(theirs) if isinstance(each, dict)]
        if len(readable) < len(versions_of(theirs)):
            self._done.add_problem(what, TypeError("some of its versions are not records"))
        for version in sorted(readable, key=lambda each: str(each.get("timestamp", ""))):
            named = f"version {version.get('ordinal')} of {what}"
            ordinal = str(version.get("ordinal", ""))
            there = {"item": theirs["_id"], "ordinal_key": ordinal.casefold()}
            if await self._tenant.versions.records.find_one(there, {"_id": 1}) is None:
                await self._try_storing(named, self._version(kind, theirs, version, ordinal))

    async def _fresh_item(self, kind: Kind, theirs: ForeignRecord) -> None:
        owner, users = theirs["owner"], [user for user in theirs.get("users", []) if user in self._users]
        visibility = Visibility(theirs.get("visibility", Visibility.PRIVATE))
        more = {"status": theirs.get("status", "training"), "datasets": theirs.get("datasets", [])}
        item = ITEMS[kind](
            id=theirs["_id"],
            serial=await self._tenant.next("serial"),
            name=theirs["name"],
            owner=owner,
            users=users,
            visibility=visibility,
            tags=list(dict.fromkeys(theirs.get("tags", []))),
            metadata=[PairSubdocument(name=pair["name"], value=pair["value"]) for pair in theirs.get("metadata", [])],
            description=theirs.get("description") or "",
            timestamp=theirs.get("timestamp") or now(),
            readers=readers(owner, users, (), visibility),
            **(more if kind in TRAINED else {}),
        )
        await self._tenant.items(kind).insert(item)
        await reindex(self._tenant, kind, None, cast("ItemRecord", item.model_dump(by_alias=True)), owner)

    async def _version(self, kind: Kind, theirs: ForeignRecord, version: ForeignRecord, ordinal: str) -> None:
        stored = await self._stored(version)
        number = await self._number(kind, theirs["_id"], ordinal)
        there = await self._tenant.items(kind).records.find_one({"_id": theirs["_id"]}, {"readers": 1})
        moment = version.get("timestamp") or theirs.get("timestamp") or now()
        record = VersionDocument(
            serial=await self._tenant.next(VERSION_SERIAL),
            item=theirs["_id"],
            kind=kind,
            readers=copied(there["readers"] if there else ()),
            number=number,
            ordinal=ordinal or str(number),
            ordinal_key=(ordinal or str(number)).casefold(),
            files=[FileSubdocument(**stored.record())],
            original=stored.head.name,
            size=stored.blob.size,
            digest=stored.blob.digest,
            description=version.get("description") or "",
            state=VersionState.LIVE,
            inspection=dict(stored.inspection or {}),
            owner=theirs["owner"],
            timestamp=moment,
            lastmod=moment,
        )
        await self._tenant.versions.insert(record)
        self._done.versions += 1
        self._done.size += stored.blob.size

    async def _stored(self, version: ForeignRecord) -> intake.StoredFile:
        head = FileHead(
            file_name(str(version.get("original", ""))),
            media_type(version.get("mimetype", "")),
            version.get("encoding", "7bit"),
        )
        path = self._files.find(self._tenant.name, str(version.get("key", "")))
        return await intake.accept(self._tenant, head, await intake.store(self._tenant.blobs, content(path)))

    async def _number(self, kind: Kind, item: ObjectId, ordinal: str) -> int:
        """The next number, or the number in the ordinal where that is higher."""
        records = self._tenant.items(kind).records
        known = await records.find_one({"_id": item}, {"last_version": 1})
        number = (known.get("last_version", 0) if known else 0) + 1
        if NUMBER.fullmatch(ordinal):
            number = max(number, int(ordinal))
        await records.update_one({"_id": item}, {"$max": {"last_version": number}})
        return number

    async def _try_storing(self, what: str, storing: Awaitable[object]) -> bool:
        """Whether the record could be stored. If not, the reason is reported at the end, and the import continues.

        Raises RestoreError when the storage is full.
        """
        try:
            await storing
        except UNAVAILABLE:
            raise
        except (
            AttributeError,
            InvalidRecord,
            DatabaseError,
            LookupError,
            OSError,
            Refused,
            TypeError,
            ValueError,
        ) as problem:
            if isinstance(problem, Refused) and problem.fault is STORAGE_FULL:
                raise RestoreError("There is no space left for files: free some and start the import again") from None
            self._done.add_problem(what, problem)
            return False
        return True


def versions_of(item: ForeignRecord) -> list[object]:
    versions = item.get("versions")
    return versions if isinstance(versions, list) else []
