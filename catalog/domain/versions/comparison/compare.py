"""Versions compared with the first of them: their metadata, files and tensors."""

import asyncio
from collections.abc import Mapping, Sequence
from time import monotonic
from typing import NamedTuple

from catalog.domain.access import Caller
from catalog.domain.items import items
from catalog.domain.items.references import Reference
from catalog.domain.versions import lookup, reading
from catalog.domain.versions.comparison.differences import Differences, differences
from catalog.domain.versions.comparison.metadata import ComparedPair, compared_metadata
from catalog.domain.versions.files import version_files
from catalog.domain.versions.files.tensors import FileTensors, Tensor, may_have_tensors, read_tensors
from catalog.errors import INVALID_QUERY, Refused
from catalog.store.records import FileRecord, ItemRecord, VersionRecord
from catalog.store.tenant import Tenant
from catalog.vocabulary import Kind

FEWEST, MOST = 2, 8  # versions

MOST_HEADERS = 32
"""Headers of files that one request reads."""

SECONDS = 20.0
"""After that no further header is read."""

CONCURRENT = 2
slots = asyncio.Semaphore(CONCURRENT)
"""Comparisons of this server at once: each may hold the files of two versions in memory."""


class FileState(NamedTuple):
    digest: str
    size: int


class TensorDifferences(NamedTuple):
    """How the tensors of a file differ from those of the file in the first version."""

    path: str
    path_before: str
    format: str
    is_whole: bool
    found: Differences[Tensor]


class VersionDifferences(NamedTuple):
    files: Differences[FileState]
    tensors: list[TensorDifferences]
    skipped: list[str]  # paths of model files whose headers were not read


class VersionComparison(NamedTuple):
    item: ItemRecord
    versions: list[VersionRecord]
    metadata: list[ComparedPair]
    differences: list[VersionDifferences]  # of each version from the first, beginning with the second


async def compare(caller: Caller, kind: Kind, reference: Reference, which: Sequence[str]) -> VersionComparison:
    """Compare 2 to 8 versions of an item, each named by an ordinal, an alias, `latest` or a file name.

    Raises Refused: INVALID_QUERY, NOT_FOUND, CANNOT_READ, AMBIGUOUS, QUARANTINED, VERSION_DRAFT.
    """
    if not FEWEST <= len(which) <= MOST:
        raise Refused(INVALID_QUERY, f"which: {FEWEST} to {MOST} versions are needed, not {len(which)}")
    item = await items.read(caller, kind, reference)
    found = [await lookup.find(caller, item, each) for each in which]
    for version in found:
        reading.refuse_quarantined(version, caller)
        reading.refuse_draft(version)
    metadata = await asyncio.to_thread(compared_metadata, found)
    async with slots:
        differing = await Headers(caller.tenant).differences(found)
    return VersionComparison(item, found, metadata, differing)


class Headers:
    """Reads the headers of files for one request, each once and within bounds."""

    def __init__(self, tenant: Tenant) -> None:
        self._tenant = tenant
        self._known: dict[str, FileTensors | None] = {}
        self._until = monotonic() + SECONDS

    async def differences(self, found: Sequence[VersionRecord]) -> list[VersionDifferences]:
        first, *others = found
        before = await version_files.all_of(self._tenant, first)
        differing = []
        for other in others:
            after = before if other["_id"] == first["_id"] else await version_files.all_of(self._tenant, other)
            files = await asyncio.to_thread(differences, _states(before), _states(after))
            tensors, skipped = await self._tensors(_pairs(before, after), first, other)
            differing.append(VersionDifferences(files, tensors, skipped))
        return differing

    async def _tensors(
        self, pairs: Sequence[tuple[FileRecord, FileRecord]], first: VersionRecord, other: VersionRecord
    ) -> tuple[list[TensorDifferences], list[str]]:
        compared, skipped = [], []
        for before, after in pairs:
            if not may_have_tensors(after, _format(other)) or not may_have_tensors(before, _format(first)):
                continue
            old, new = await self._read(before, first), await self._read(after, other)
            if old is None or new is None:
                skipped.append(after["path"])
                continue
            found = await asyncio.to_thread(differences, old.tensors, new.tensors)
            is_whole = old.is_whole and new.is_whole
            compared.append(TensorDifferences(after["path"], before["path"], new.format, is_whole, found))
        return compared, skipped

    async def _read(self, file: FileRecord, version: VersionRecord) -> FileTensors | None:
        if file["digest"] in self._known:
            return self._known[file["digest"]]
        if len(self._known) >= MOST_HEADERS or monotonic() > self._until:
            return None
        inspection = None if version["folder"] else version.get("inspection")
        self._known[file["digest"]] = await read_tensors(self._tenant, file, inspection)
        return self._known[file["digest"]]


def _format(version: VersionRecord) -> str:
    """The format of the only file of a version."""
    inspection = version.get("inspection")
    return inspection["format"] if inspection and not version["folder"] else ""


def _states(files: Sequence[FileRecord]) -> Mapping[str, FileState]:
    return {file["path"]: FileState(file["digest"], file["size"]) for file in files}


def _pairs(before: Sequence[FileRecord], after: Sequence[FileRecord]) -> list[tuple[FileRecord, FileRecord]]:
    """The files to compare by their tensors: those of one path that differ; two single files, whatever their names."""
    if len(before) == len(after) == 1:
        return [] if before[0]["digest"] == after[0]["digest"] else [(before[0], after[0])]
    by_path = {file["path"]: file for file in before}
    pairs = [(by_path[file["path"]], file) for file in after if file["path"] in by_path]
    return [(old, new) for old, new in pairs if old["digest"] != new["digest"]]
