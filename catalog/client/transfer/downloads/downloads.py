"""Downloads a version, into the cache or to a given path."""

import shutil
import warnings
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypedDict

from catalog.client.errors import (
    CatalogWarning,
    Damaged,
    Elsewhere,
    Forbidden,
    NotFound,
    Offline,
    ServerError,
    TooManyAttempts,
    Unavailable,
)
from catalog.client.results import File, Version, shaped
from catalog.client.revisions import resolve_version
from catalog.client.transfer.cache import Cache, relative_path
from catalog.client.transfer.downloads.fetching import CONCURRENCY, fetch_files, file_url
from catalog.client.transfer.downloads.partial_downloads import check
from catalog.client.transfer.downloads.targets import FileSelection, PlacedFile, Placement, PullRecord, missing
from catalog.client.transfer.progress import Progress, TotalProgress
from catalog.client.transfer.sources import naming
from catalog.client.transfer.uploads.uploads import TargetItem
from catalog.client.transport.effects import Operation, in_parallel, in_thread

SECTION = "refs"

ALL_FILES = FileSelection()


class VerifiedBytes(TypedDict):
    intact: bool


def find_version(item: TargetItem, revision: str) -> Operation[Version]:
    """The version that `revision` names; offline, or when the server does not answer, the one of the last request.

    Raises CatalogError: Offline if it was never requested.
    """
    key = [item.session.url, item.session.tenant, item.kind, item.key, revision]
    if not item.session.offline:
        try:
            record = yield from resolve_version(item, revision)
        except TooManyAttempts:
            raise
        except Unavailable as away:
            known = yield from _last_known(item, key)
            if known is None:
                raise
            sentence = f"{away.message}: {item.key} ({revision}) is version {known.ordinal}, as it was last time"
            warnings.warn(sentence, CatalogWarning, stacklevel=2)
            return known
        yield from in_thread(item.cache.save_state, SECTION, key, record)
        return Version.of(record)
    known = yield from _last_known(item, key)
    if known is None:
        raise Offline(f"{item.key} ({revision}) was not downloaded before, and the client is offline")
    return known


def _last_known(item: TargetItem, key: list[str]) -> Operation[Version | None]:
    """The version as the last request found it."""
    record = yield from in_thread(item.cache.load_state, SECTION, key)
    return Version.of(record) if isinstance(record, dict) else None


def download_to_cache(
    item: TargetItem, version: Version, progress: Progress, selection: FileSelection = ALL_FILES
) -> Operation[Path]:
    """Download a version, or some of its files, into the cache; return the path of its read-only file or folder."""
    refuse_elsewhere(item, version)
    files = selection.of(version)
    total = TotalProgress(progress, sum(file.size for file in files))
    absent = yield from in_thread(_not_cached, item.cache, files, total)
    if absent:
        _refuse_offline(item, version, absent[0])
    blobs = [PlacedFile(file, item.cache.blob(file.digest)) for file in absent]
    yield from fetch_files(item, version, blobs, total, item.cache.mark_verified)
    if not version.folder:
        return (yield from in_thread(item.cache.file_view, version.digest, version.original))
    digests = {file.path: file.digest for file in files}
    folder = yield from in_thread(item.cache.folder_view, version.digest, digests)
    single = selection.single(files)
    return folder / relative_path(single.path) if single else folder


def download_to(
    item: TargetItem,
    version: Version,
    to: str | Path,
    progress: Progress,
    selection: FileSelection = ALL_FILES,
    *,
    force: bool = False,
) -> Operation[tuple[Path, list[str], list[str]]]:
    """Download a version, or some of its files, to `to`: a folder, or the path that a single file gets.

    Returns the path, and which files of an earlier version were removed, and which were kept because they had changed.

    Raises CatalogError: Invalid for files in the way, before anything is written.
    """
    refuse_elsewhere(item, version)
    place = Placement.of(version, selection, to)
    record = PullRecord(item.cache, place.root, [item.session.url, item.session.tenant, item.kind, item.key])
    total = TotalProgress(progress, sum(placed.file.size for placed in place.files))
    absent = yield from in_thread(lambda: missing(place, record.written, progress, force=force))
    yield from in_thread(record.begin, place)
    cached = yield from in_thread(_copy_cached, item.cache, absent, total)
    rest = [placed for placed in absent if placed not in cached]
    if rest:
        _refuse_offline(item, version, rest[0].file)
    yield from fetch_files(item, version, rest, total)
    is_whole = version.folder and selection.is_everything
    removed, kept = (yield from in_thread(record.remove_stale, place)) if is_whole else ([], [])
    yield from in_thread(lambda: record.end(place, removed=removed))
    return place.result, removed, kept


def refuse_elsewhere(item: TargetItem, version: Version) -> None:
    """Raises CatalogError: Elsewhere."""
    if version.file_count or version.state == "DRAFT":
        return
    where = f"Its bytes are at {version.uri}" if version.uri else "It does not say where its bytes are"
    refused = Elsewhere(f"The catalog does not store {item.key}@{version.ordinal}", advice=f"{where}.")
    refused.uri = version.uri
    raise refused


def verify_version(item: TargetItem, which: str, progress: Progress) -> Operation[Version]:
    """Read all bytes of a version from the server and compare digests. Raises CatalogError: Damaged."""
    version = yield from item.info(which)
    refuse_elsewhere(item, version)
    total = TotalProgress(progress, version.size)
    reading = [check(item.session, file_url(item, version, each), each, total.of(each.path)) for each in version.files]
    try:
        yield from in_parallel(reading, CONCURRENCY)
    except Damaged as damage:
        raise (yield from _explain_damage(item, version, damage)) from damage
    return version


def _explain_damage(item: TargetItem, version: Version, damage: Damaged) -> Operation[Damaged]:
    """Find out where bytes were damaged: the server verifies its own copy, and marks it if it is damaged."""
    try:
        found = shaped(
            (yield from item.session.request_json("GET", f"{item.at(version.ordinal)}/verify")), VerifiedBytes
        )
    except (NotFound, Forbidden, Unavailable, ServerError):  # an older server, for example
        return damage
    if not found["intact"]:
        return damage
    return Damaged(
        f"The bytes of {version.ordinal} were damaged in transit",
        details=damage.details,
        advice="The server's own copy is intact: check the network and proxies.",
    )


def file_of(version: Version, path: str) -> File:
    """Raises NotFound."""
    for file in version.files:
        if file.path == path or not (version.folder or path):
            return file
    raise NotFound(f"Version {version.ordinal} has no file {path!r}", advice="Name one of its files: path=.")


def _not_cached(cache: Cache, files: Sequence[File], total: TotalProgress) -> list[File]:
    """The files that the cache does not have, each digest once."""
    absent: dict[str, File] = {}
    for file in files:
        if file.digest in absent or not cache.find(file.digest):
            absent.setdefault(file.digest, file)
        else:
            total.of(file.path)("downloading", file.size, file.size)
    return [*absent.values()]


def _copy_cached(cache: Cache, absent: Sequence[PlacedFile], total: TotalProgress) -> set[PlacedFile]:
    """Copy what the cache has to its targets; return those files."""
    copied = set()
    for placed in absent:
        if cached := cache.find(placed.file.digest):
            _copy(cached, placed.target)
            copied.add(placed)
            total.of(placed.file.path)("downloading", placed.file.size, placed.file.size)
    return copied


def _copy(cached: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=".catalog-", dir=target.parent) as aside:
        copy = Path(aside) / target.name
        with naming(target):
            shutil.copyfile(cached, copy)
        copy.replace(target)


def _refuse_offline(item: TargetItem, version: Version, file: File) -> None:
    if item.session.offline:
        raise Offline(f"{file.path} of {item.key} ({version.ordinal}) is not in the cache, and the client is offline")
