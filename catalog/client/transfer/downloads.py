"""Downloads a version, into the cache or to a given path."""

import shutil
import stat
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import quote

from catalog.client.errors import Damaged, Elsewhere, Forbidden, Invalid, NotFound, Offline, ServerError, Unavailable
from catalog.client.results import File, Version
from catalog.client.revisions import resolve_version
from catalog.client.session import PREFIX
from catalog.client.transfer.cache import relative_path
from catalog.client.transfer.partial_downloads import check, fetch
from catalog.client.transfer.progress import Progress, TotalProgress
from catalog.client.transfer.sources import file_source
from catalog.client.transfer.uploads import TargetItem
from catalog.client.transport.effects import Operation, in_parallel, in_thread

CONCURRENCY = 4
"""Files that are transferred at the same time."""

SECTION = "refs"


def find_version(item: TargetItem, revision: str) -> Operation[Version]:
    """The version that `revision` names; offline, the one that it named at the last request.

    Raises CatalogError: Offline if it was never requested.
    """
    key = [item.session.url, item.session.tenant, item.kind, item.key, revision]
    if not item.session.offline:
        record = yield from resolve_version(item, revision)
        yield from in_thread(item.cache.save_state, SECTION, key, record)
        return Version.of(record)
    record = yield from in_thread(item.cache.load_state, SECTION, key)
    if record is None:
        raise Offline(f"{item.key} ({revision}) was not downloaded before, and the client is offline")
    return Version.of(record)


def download_to_cache(item: TargetItem, version: Version, progress: Progress) -> Operation[Path]:
    """Download a version into the cache; return the path of its read-only file or folder."""
    refuse_elsewhere(item, version)
    total = TotalProgress(progress, version.size)
    yield from in_parallel(
        [_download_file_to_cache(item, version, file, total.of(file.path)) for file in version.files], CONCURRENCY
    )
    if version.folder:
        files = {file.path: file.digest for file in version.files}
        return (yield from in_thread(item.cache.folder_view, version.digest, files))
    return (yield from in_thread(item.cache.file_view, version.digest, version.original))


def download_to(item: TargetItem, version: Version, to: Path, progress: Progress) -> Operation[Path]:
    """Download a version to `to`: an existing folder, or the path that the file or folder gets."""
    refuse_elsewhere(item, version)
    if not version.folder:
        to = to / relative_path(version.original) if to.is_dir() else to
        yield from _download_file(item, version, version.files[0], to, progress)
        return to
    total = TotalProgress(progress, version.size)
    downloads = [
        _download_file(item, version, file, to / relative_path(file.path), total.of(file.path))
        for file in version.files
    ]
    yield from in_parallel(downloads, CONCURRENCY)
    return to


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
        found = yield from item.session.request_json("GET", f"{item.at(version.ordinal)}/verify")
    except (NotFound, Forbidden, Unavailable, ServerError):  # an older server, for example
        return damage
    if not found["intact"]:
        return damage
    return Damaged(
        f"The bytes of {version.ordinal} were damaged in transit",
        details=damage.details,
        advice="The server's own copy is intact: check the network and proxies.",
    )


def file_url(item: TargetItem, version: Version, file: File) -> str:
    return f"{PREFIX}{item.at(version.ordinal)}" + (f"/files/{quote(file.path)}" if version.folder else "")


def file_of(version: Version, path: str) -> File:
    """Raises NotFound."""
    for file in version.files:
        if file.path == path or not (version.folder or path):
            return file
    raise NotFound(f"{version.ordinal} has no file {path!r}", advice="Name one of its files: path=.")


def _download_file_to_cache(item: TargetItem, version: Version, file: File, progress: Progress) -> Operation[None]:
    cache = item.cache
    if (yield from in_thread(cache.find, file.digest)):
        progress("downloading", file.size, file.size)
        return
    _refuse_offline(item, version, file)
    blob = cache.blob(file.digest)
    yield from fetch(
        item.session, file_url(item, version, file), blob, file, progress, lambda: _has_content(blob, file)
    )
    yield from in_thread(cache.mark_verified, file.digest)


def _download_file(item: TargetItem, version: Version, file: File, target: Path, progress: Progress) -> Operation[None]:
    """Download one file, or copy it from the cache. An identical file at the target stays."""
    if (yield from in_thread(_has_content, target, file, progress)):
        return
    yield from in_thread(_refuse_irregular, target)
    if cached := (yield from in_thread(item.cache.find, file.digest)):
        yield from in_thread(_copy, cached, target)
        progress("downloading", file.size, file.size)
        return
    _refuse_offline(item, version, file)
    yield from fetch(
        item.session, file_url(item, version, file), target, file, progress, lambda: _has_content(target, file)
    )


def _has_content(path: Path, file: File, progress: Progress = lambda *_: None) -> bool:
    """Whether the path holds the bytes of this file."""
    if not path.is_file() or path.stat().st_size != file.size:
        return False
    progress("verifying", 0, file.size)
    return file_source(path).digest() == file.digest


def _refuse_irregular(target: Path) -> None:
    """Raises CatalogError: Invalid if the target exists and is not a regular file."""
    with suppress(FileNotFoundError):
        mode = target.lstat().st_mode
        if stat.S_ISLNK(mode):
            raise Invalid(f"{target} is a symbolic link", advice="Name the file that it points to, or remove it first.")
        if not stat.S_ISREG(mode):
            raise Invalid(f"{target} is not a regular file", advice="Name a file, which is created or replaced.")


def _copy(cached: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=".catalog-", dir=target.parent) as aside:
        copy = Path(aside) / target.name
        shutil.copyfile(cached, copy)
        copy.replace(target)


def _refuse_offline(item: TargetItem, version: Version, file: File) -> None:
    if item.session.offline:
        raise Offline(f"{file.path} of {item.key} ({version.ordinal}) is not in the cache, and the client is offline")
