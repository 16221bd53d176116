"""Imports a Measurify registry: its tenants with their users, terms, items, versions and files.

Records that exist already, by their id, stay as they are: an import can be repeated after an interruption, or to add
what is new in the registry. Ids are preserved, so that links stay valid.
"""

import re
from collections.abc import AsyncIterator, Callable, Collection, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import aiofiles
from bson import ObjectId
from bson.errors import BSONError
from motor.motor_asyncio import AsyncIOMotorClient
from pydantic import ValidationError
from pymongo import ASCENDING

from catalog.blobs.protocol import BLOCK, FileHead
from catalog.domain.access import readers
from catalog.domain.files import intake
from catalog.domain.files.filenames import file_name, media_type
from catalog.domain.items.writing.indexing import reindex
from catalog.domain.people import users
from catalog.domain.tenants import tenants
from catalog.domain.terms import terms
from catalog.errors import STORAGE_FULL, Refused
from catalog.operations.restore import RESTORING, RestoreError, refuse_name
from catalog.store.clock import now
from catalog.store.database import UNAVAILABLE, VERSION_SERIAL, Database, DatabaseError, Duplicate, Tenant
from catalog.store.documents.items import ITEMS, Pair
from catalog.store.documents.people import User
from catalog.store.documents.tenants import RegisteredTenant
from catalog.store.documents.versions import File, Version
from catalog.store.migrations.steps.sequence import NEWEST
from catalog.store.migrations.upgrade import upgrade
from catalog.store.query.ngrams import spelling
from catalog.store.records import ItemRecord
from catalog.store.tenant_documents import Raw
from catalog.vocabulary import Kind, Usage, VersionState, Visibility

BY_AGE = [("timestamp", ASCENDING), ("_id", ASCENDING)]
TRAINED = (Kind.MODEL, Kind.ALGORITHM)
LONGEST_SHOWN = 160  # characters of a name in a line about it
DATABASE = re.compile(r"""[^ ./\\$"\0]+""")  # what can be the name of one
NUMBER = re.compile("[0-9]{1,9}", re.ASCII)


@dataclass
class TenantImport:
    """What was imported into a tenant, and sentences about what could not be."""

    tenant: str
    users: int = 0
    words: int = 0
    items: int = 0
    versions: int = 0
    size: int = 0  # bytes of the versions
    problems: list[str] = field(default_factory=list)


async def take_over(
    database: Database,
    source: AsyncIOMotorClient[Raw],
    catalogue: str,
    uploads: Path,
    names: Collection[str],
    report: Callable[[TenantImport], None],
) -> None:
    """Import the tenants with these `names` (none: all) from the catalogue database and the `uploads` of a registry.

    The registry is only read. Files and tenants that cannot be imported are reported as problems.

    Raises RestoreError for a tenant that is not there, and when the storage is full; StorageUnavailableError.
    """
    left = set(names)
    records = await source[catalogue]["tenants"].find({}).sort("_id", ASCENDING).to_list(None)
    shared = await _shared_keys(source, records)
    for record in records:
        if names and record["_id"] not in names:
            continue
        left.discard(record["_id"])
        try:
            tenant, is_ready = await _tenant(database, record)
        except UNAVAILABLE:
            raise
        except (Refused, RestoreError, DatabaseError, TypeError, ValueError) as problem:
            report(TenantImport(_short(str(record["_id"])), problems=[f"the tenant itself: {_in_a_line(problem)}"]))
            continue
        done = TenantImport(tenant.name)
        theirs = source[record.get("database") or record["_id"]]
        await TenantImporter(tenant, theirs, uploads, shared, done).run()
        if not is_ready:
            await tenant.prepare()
            await upgrade(database, tenant.name, state=RESTORING)  # what an older version began to import
            ready = {"$set": {"state": "ready", "lastmod": now()}}
            await database.tenants.raw.update_one({"_id": tenant.name, "state": RESTORING}, ready)
        report(done)
    if left or not records:
        missing = f"no tenant {', '.join(sorted(left))}" if left else "no tenants"
        raise RestoreError(f"{catalogue} has {missing}: name the registry's catalogue database in the path of its URI")


async def _shared_keys(source: AsyncIOMotorClient[Raw], records: Iterable[Raw]) -> set[str]:
    """The keys that versions of several tenants name. All files of a registry lie in one folder, so the owner of such a
    file is unknown.
    """
    owners: dict[str, str] = {}
    shared = set()
    for record in records:
        name, database = str(record["_id"]), str(record.get("database") or record["_id"])
        for kind in Kind if DATABASE.fullmatch(database) else ():
            async for item in source[database][kind.value].find({}, {"versions.key": 1}):
                for key in (version.get("key") for version in _versions(item) if isinstance(version, dict)):
                    if isinstance(key, str) and owners.setdefault(key, name) != name:
                        shared.add(key)
    return shared


def _versions(item: Raw) -> list[Any]:
    versions = item.get("versions")
    return versions if isinstance(versions, list) else []


async def _tenant(database: Database, record: Raw) -> tuple[Tenant, bool]:
    """The tenant to import into, and whether it is ready for users already."""
    known = await tenants.enter(database, record["_id"], None)
    if known is not None:
        return known, True
    begun = await database.tenants.find_one({"_id": record["_id"], "state": RESTORING})
    if begun is not None:
        return database.tenant(begun), False
    wished = record.get("database") or record["_id"]
    # The registry's own database may be on the very same server: ours stands beside it then.
    name = f"{wished}-catalog" if await database.holds(wished) else wished
    for each in (record["_id"], name):
        refuse_name(database, each)
    contact = {each: record[each] for each in ("organization", "address", "email", "phone") if record.get(each)}
    fresh = RegisteredTenant(
        id=record["_id"],
        database=name,
        state=RESTORING,
        generation=tenants.new_generation(),
        schema_number=NEWEST,
        **contact,
    )
    try:
        await database.tenants.insert(fresh)
    except Duplicate:
        raise RestoreError(
            f"{record['_id']}: a tenant with its name or its database is being made or removed"
        ) from None
    tenant = database.tenant(fresh)
    await tenant.prepare()
    return tenant, False


class TenantImporter:
    """Imports one tenant."""

    def __init__(self, tenant: Tenant, theirs: Any, uploads: Path, shared: Collection[str], done: TenantImport) -> None:
        self._tenant = tenant
        self._theirs = theirs
        self._uploads = uploads.resolve()
        self._shared = shared
        self._done = done
        self._users: set[ObjectId] = set()

    async def run(self) -> None:
        await self._people()
        for words in terms.Vocabulary:
            await self._words(words)
        # Datasets first: models name them.
        for kind in (Kind.DATASET, Kind.MODEL, Kind.ALGORITHM):
            async for document in self._theirs[kind.value].find({}).sort(BY_AGE):
                await self._item(kind, document)

    async def _people(self) -> None:
        async for theirs in self._theirs["users"].find({}):
            if isinstance(theirs["_id"], ObjectId):
                self._users.add(theirs["_id"])
            known = await self._tenant.users.raw.find_one({"_id": theirs["_id"]}, {"_id": 1})
            if known is None and await self._try_storing(f"user {theirs.get('username')}", self._user(theirs)):
                self._done.users += 1

    async def _user(self, theirs: Raw) -> None:
        fields = ("username", "password", "email", "role", "createdPassword", "validityPasswordDays", "timestamp")
        known_fields = {name: theirs[name] for name in fields if theirs.get(name) is not None}
        await users.take_over(self._tenant, User(id=theirs["_id"], **{"validityPasswordDays": 0, **known_fields}))

    async def _words(self, words: terms.Vocabulary) -> None:
        raw = terms.collection(self._tenant, words).raw
        async for theirs in self._theirs[words.value].find({}):
            known = await raw.find_one({"_id": theirs["_id"]}, {"_id": 1})
            if known is None and await self._try_storing(f"{words.one} {theirs['_id']}", self._word(words, theirs)):
                self._done.words += 1

    async def _word(self, words: terms.Vocabulary, theirs: Raw) -> None:
        bound, word = terms.collection(self._tenant, words), theirs["_id"]
        usage = Usage.DEFAULT if theirs.get("usage") == Usage.DEFAULT else Usage.FOLK
        owner = {"owner": theirs["owner"]} if theirs.get("owner") else {}
        await bound.insert(bound.document(id=word, usage=usage, **owner, **spelling(word)))

    async def _item(self, kind: Kind, theirs: Raw) -> None:
        bound, what = self._tenant.items(kind), f"{kind.one} {theirs.get('name')}"
        known = await bound.raw.find_one({"_id": theirs["_id"]}, {"_id": 1})
        if known is None:
            if not await self._try_storing(what, self._fresh_item(kind, theirs)):
                return
            self._done.items += 1
        if not isinstance(theirs.get("versions", []), list):
            self._problem(what, TypeError("its versions are not a list"))
        readable = [each for each in _versions(theirs) if isinstance(each, dict)]
        if len(readable) < len(_versions(theirs)):
            self._problem(what, TypeError("some of its versions are not records"))
        for version in sorted(readable, key=lambda each: str(each.get("timestamp", ""))):
            named = f"version {version.get('ordinal')} of {what}"
            ordinal = str(version.get("ordinal", ""))
            there = {"item": theirs["_id"], "ordinal_key": ordinal.casefold()}
            if await self._tenant.versions.raw.find_one(there, {"_id": 1}) is None:
                await self._try_storing(named, self._version(kind, theirs, version, ordinal))

    async def _fresh_item(self, kind: Kind, theirs: Raw) -> None:
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
            metadata=[Pair(name=pair["name"], value=pair["value"]) for pair in theirs.get("metadata", [])],
            description=theirs.get("description") or "",
            timestamp=theirs.get("timestamp") or now(),
            readers=readers(owner, users, (), visibility),
            **(more if kind in TRAINED else {}),
        )
        await self._tenant.items(kind).insert(item)
        await reindex(self._tenant, kind, None, cast("ItemRecord", item.model_dump(by_alias=True)), owner)

    async def _version(self, kind: Kind, theirs: Raw, version: Raw, ordinal: str) -> None:
        head = FileHead(
            file_name(str(version.get("original", ""))),
            media_type(version.get("mimetype", "")),
            version.get("encoding", "7bit"),
        )
        blob = await intake.store(self._tenant.blobs, _content(self._file(str(version.get("key", "")))))
        stored = await intake.accept(self._tenant, head, blob)
        number = await self._number(kind, theirs["_id"], ordinal)
        moment = version.get("timestamp") or theirs.get("timestamp") or now()
        record = Version(
            serial=await self._tenant.next(VERSION_SERIAL),
            item=theirs["_id"],
            kind=kind,
            number=number,
            ordinal=ordinal or str(number),
            ordinal_key=(ordinal or str(number)).casefold(),
            files=[File(**stored.record())],
            original=head.name,
            size=blob.size,
            digest=blob.digest,
            description=version.get("description") or "",
            state=VersionState.LIVE,
            inspection=dict(stored.inspection),
            owner=theirs["owner"],
            timestamp=moment,
            lastmod=moment,
        )
        await self._tenant.versions.insert(record)
        self._done.versions += 1
        self._done.size += blob.size

    async def _number(self, kind: Kind, item: ObjectId, ordinal: str) -> int:
        """The next number, or the number in the ordinal where that is higher."""
        raw = self._tenant.items(kind).raw
        known = await raw.find_one({"_id": item}, {"last_version": 1})
        number = int((known or {}).get("last_version", 0)) + 1
        if NUMBER.fullmatch(ordinal):
            number = max(number, int(ordinal))
        await raw.update_one({"_id": item}, {"$max": {"last_version": number}})
        return number

    def _file(self, key: str) -> Path:
        """The file of a version: in the tenant's own folder of the registry, or in the one of all tenants.

        Raises FileNotFoundError; ValueError for a file that may be another tenant's.
        """
        own = self._uploads / self._tenant.name
        name = key.removeprefix(f"{self._tenant.name}/")
        if name and "/" not in name and "\0" not in name:
            for place in (own, self._uploads):
                if _is_in(place / name, place):
                    if place != own and key in self._shared:
                        raise ValueError(f"the file {_short(key)!r} is named by versions of other tenants, too")
                    return place / name
        raise FileNotFoundError(f"there is no file {_short(key)!r} in {self._uploads}")

    async def _try_storing(self, what: str, storing: Any) -> bool:
        """Whether the record could be stored. If not, the reason is reported at the end, and the import continues.

        Raises RestoreError when the storage is full.
        """
        try:
            await storing
        except UNAVAILABLE:
            raise
        except (
            AttributeError,
            BSONError,
            DatabaseError,
            LookupError,
            OSError,
            Refused,
            TypeError,
            ValueError,
        ) as problem:
            if isinstance(problem, Refused) and problem.fault is STORAGE_FULL:
                raise RestoreError("There is no space left for files: free some and start the import again") from None
            self._problem(what, problem)
            return False
        return True

    def _problem(self, what: str, problem: Exception) -> None:
        self._done.problems.append(f"{_short(what)}: {_in_a_line(problem)}")


def _in_a_line(problem: Exception) -> str:
    match problem:
        case Duplicate():
            return "there is another of the same name"
        case ValidationError():
            return "; ".join(_wrong(problem.errors(include_url=False, include_input=False)))
        case KeyError():
            return f"{problem} is missing"
        case FileNotFoundError() | Refused() | RestoreError():
            return str(problem)
        case OSError():
            return (problem.strerror or str(problem)).lower()
    return str(problem)


def _is_in(file: Path, folder: Path) -> bool:
    """Whether the file is directly in this folder, and not a link to elsewhere."""
    try:
        return file.is_file() and file.resolve().parent == folder
    except OSError:  # the name is too long
        return False


def _short(text: str) -> str:
    """At most one line, whatever a name contains."""
    text = (
        " ".join(text.split()) if text.isprintable() else "".join(each if each.isprintable() else "?" for each in text)
    )
    return text if len(text) <= LONGEST_SHOWN else f"{text[: LONGEST_SHOWN - 3]}..."


def _wrong(errors: Iterable[Any]) -> list[str]:
    return [f"{'.'.join(map(str, error['loc']))}: {error['msg'].lower()}" for error in errors]


async def _content(file: Path) -> AsyncIterator[bytes]:
    async with aiofiles.open(file, "rb") as opened:
        while block := await opened.read(BLOCK):
            yield block
