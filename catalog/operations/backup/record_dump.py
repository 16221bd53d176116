"""The records of a tenant in a backup, read while others write."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from hashlib import sha256

from bson import ObjectId

from catalog.operations.backup.archive import Writer
from catalog.store import raw_documents
from catalog.store.raw_documents import RawDocument
from catalog.store.tenant import COUNTERS, Tenant
from catalog.vocabulary import Kind

TRANSIENT = frozenset({"uploads", "part_uploads", "password_resets"})
"""Collections of work in progress, which a backup leaves out."""

PART = 8 * 2**20
"""Bytes of documents in a member of the archive. A single document may have 16 MiB."""

RESTORED = 900_000
"""The number of the part with items that were restored from the trash meanwhile."""

WritePart = Callable[[int, Sequence[bytes]], Awaitable[None]]


class CollectionPart:
    """Documents of a collection that are not written yet."""

    def __init__(self, write: WritePart, index: int = 0) -> None:
        self._documents: list[bytes] = []
        self._size = 0
        self._index = index
        self._write = write

    async def add(self, document: bytes) -> None:
        self._documents.append(document)
        self._size += len(document)
        if self._size >= PART:
            await self.end()

    async def end(self) -> None:
        """Write what is left."""
        if self._documents:
            await self._write(self._index, self._documents)
            self._documents, self._size, self._index = [], 0, self._index + 1


class RecordDump:
    """Writes the documents of a tenant, and collects the digests that they name: about 90 bytes each.

    Nothing is locked. The order makes a whole of what is read one after the other: items before the versions that they
    point to, so that an alias finds its version; versions with their files; counters last, so that no number is used
    again; the trash around the items, so that an item which is being restored is seen.
    """

    def __init__(self, writer: Writer, tenant: Tenant) -> None:
        self.counts: dict[str, int] = {}
        self.digests: dict[bytes, int] = {}
        self.seen = sha256()
        self._writer = writer
        self._tenant = tenant
        self._restorable: set[ObjectId] = set()  # items that were in the trash at the beginning
        self._written: set[ObjectId] = set()  # those of them that were written as items

    async def everything(self) -> None:
        tenant = self._tenant
        items = [str(kind) for kind in Kind]
        trash, versions, files = tenant.trash.name, tenant.versions.name, tenant.files.name
        last = [versions, tenant.alias_moves.name, COUNTERS]
        there = set(await tenant.database.list_collection_names())
        others = sorted(
            name for name in there - {*items, trash, files, *last} - TRANSIENT if not name.startswith("system.")
        )
        self._restorable = {entry["_id"] async for entry in tenant.trash.records.find({}, {"_id": 1})}
        for name in (*items, trash, *others, *last):
            if name == versions:
                await self._versions()
            elif name in there:
                await self._collection(name)
            if name == trash:
                await self._restored()

    async def _collection(self, name: str) -> None:
        part = self._part(name)
        names_blobs, is_kind = name == self._tenant.artifact_files.name, name in set(Kind)
        async for document in raw_documents.read_all(self._tenant, name):
            await part.add(bytes(document.raw))
            if names_blobs:
                self._name([document])
            if self._restorable:
                if is_kind and document["_id"] in self._restorable:
                    self._written.add(document["_id"])
                elif name == self._tenant.trash.name:
                    self._restorable.discard(document["_id"])
        await part.end()

    async def _restored(self) -> None:
        """Write items that left the trash for their collection after that was read."""
        for kind in Kind:
            missing = {"_id": {"$in": sorted(self._restorable - self._written)}}
            if self._restorable - self._written:
                part = CollectionPart(self._writing(kind.value), RESTORED)
                async for document in raw_documents.read_all(self._tenant, kind.value, missing):
                    await part.add(bytes(document.raw))
                await part.end()

    async def _versions(self) -> None:
        """Write each folder with its files, so that none is without them, whatever is added or removed meanwhile."""
        parts = self._part(self._tenant.versions.name), self._part(self._tenant.files.name)
        async for version in raw_documents.read_all(self._tenant, self._tenant.versions.name):
            files = await self._files(version) if version["folder"] else []
            if files is None:
                continue  # removed a moment ago
            self._name(version["files"])
            self._name(files)
            await parts[0].add(bytes(version.raw))
            for file in files:
                await parts[1].add(bytes(file.raw))
        for part in parts:
            await part.end()

    async def _files(self, version: RawDocument) -> list[RawDocument] | None:
        """The files of a folder as they were when its record was read. None when both are gone."""
        tenant = self._tenant
        asked = {"version": version["_id"], "path": {"$gt": ""}, "number": {"$lte": version.get("last_file", 0)}}
        files = [file async for file in raw_documents.read_all(tenant, tenant.files.name, asked)]
        if len(files) < version["file_count"] and not version["files"]:
            there = await tenant.versions.records.find_one({"_id": version["_id"]}, {"_id": 1})
            return None if there is None else files
        return files

    def _part(self, name: str) -> CollectionPart:
        return CollectionPart(self._writing(name))

    def _writing(self, name: str) -> WritePart:
        async def write(index: int, part: Sequence[bytes]) -> None:
            self.counts[name] = self.counts.get(name, 0) + len(part)
            content = b"".join(part)
            self.seen.update(content)
            await self._writer.add(f"{self._tenant.name}/records/{name}/{index:06}", content)

        return write

    def _name(self, files: Iterable[RawDocument]) -> None:
        for file in files:
            if file["digest"]:
                self.digests[bytes.fromhex(file["digest"])] = file["size"]
