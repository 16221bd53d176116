"""A version down: into the cache, or to where it is wanted."""

import shutil
import stat
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import quote

from catalog.client.cache import below
from catalog.client.effects import Operation, together, work
from catalog.client.errors import Damaged, Forbidden, Invalid, NotFound, Offline, ServerError, Unavailable
from catalog.client.progress import Progress, Sum
from catalog.client.receiving import check, fetch
from catalog.client.results import File, Version
from catalog.client.revisions import resolved
from catalog.client.sessions import PREFIX
from catalog.client.sources import on_disk
from catalog.client.uploads import Target

WIDTH = 4
"""Files that are on their way at once."""

ROOM = "refs"


def found(item: Target, revision: str) -> Operation[Version]:
    """The version that `revision` means; offline, the one that it meant the last time.

    Raises CatalogError: Offline when it was never asked for.
    """
    key = [item.session.url, item.session.tenant, item.kind, item.key, revision]
    if not item.session.offline:
        record = yield from resolved(item, revision)
        yield from work(item.cache.remember, ROOM, key, record)
        return Version.of(record)
    known = yield from work(item.cache.recall, ROOM, key)
    if known is None:
        raise Offline(f"{item.key} ({revision}) was not fetched here before, and the client is offline")
    return Version.of(known)


def into_cache(item: Target, version: Version, tell: Progress) -> Operation[Path]:
    """The path of a version in the cache, which is not to be written to: a file, or a folder of files."""
    total = Sum(tell, version.size)
    yield from together([_cached(item, version, file, total.of(file.path)) for file in version.files], WIDTH)
    if version.folder:
        files = {file.path: file.digest for file in version.files}
        return (yield from work(item.cache.folder_of, version.digest, files))
    return (yield from work(item.cache.named, version.digest, version.original))


def to_place(item: Target, version: Version, to: Path, tell: Progress) -> Operation[Path]:
    """Bring a version to `to`: the path of its file, or of a folder that is there; of a folder of files its own."""
    if not version.folder:
        to = to / below(version.original) if to.is_dir() else to
        yield from _placed(item, version, version.files[0], to, tell)
        return to
    total = Sum(tell, version.size)
    placed = [_placed(item, version, file, to / below(file.path), total.of(file.path)) for file in version.files]
    yield from together(placed, WIDTH)
    return to


def verified(item: Target, which: str, tell: Progress) -> Operation[Version]:
    """A version whose bytes have been read from the server again. Raises CatalogError: Damaged."""
    version = yield from item.info(which)
    total = Sum(tell, version.size)
    reading = [check(item.session, address(item, version, each), each, total.of(each.path)) for each in version.files]
    try:
        yield from together(reading, WIDTH)
    except Damaged as damage:
        raise (yield from _looked_into(item, version, damage)) from damage
    return version


def _looked_into(item: Target, version: Version, damage: Damaged) -> Operation[Damaged]:
    """What to say of damage: the server looks at its own bytes, and asks for those that are not right from then on."""
    try:
        found = yield from item.session.ask("GET", f"{item.at(version.ordinal)}/verify")
    except (NotFound, Forbidden, Unavailable, ServerError):  # one that is older, say
        return damage
    if not found["intact"]:
        return damage
    return Damaged(
        f"What the server sends of {version.ordinal} is damaged on its way",
        details=damage.details,
        advice="The server's own bytes are right: look at the line, and at proxies.",
    )


def address(item: Target, version: Version, file: File) -> str:
    return f"{PREFIX}{item.at(version.ordinal)}" + (f"/files/{quote(file.path)}" if version.folder else "")


def file_of(version: Version, path: str) -> File:
    """Raises NotFound."""
    for file in version.files:
        if file.path == path or not (version.folder or path):
            return file
    raise NotFound(f"{version.ordinal} has no file {path!r}", advice="Say which of its files: path=.")


def _cached(item: Target, version: Version, file: File, tell: Progress) -> Operation[None]:
    cache = item.cache
    if (yield from work(cache.find, file.digest)):
        tell("downloading", file.size, file.size)
        return
    _refuse_offline(item, version, file)
    blob = cache.blob(file.digest)
    yield from fetch(item.session, address(item, version, file), blob, file, tell, lambda: _is(blob, file))
    yield from work(cache.note, file.digest)


def _placed(item: Target, version: Version, file: File, target: Path, tell: Progress) -> Operation[None]:
    """One file, from the cache if that has it. What is there already, unchanged, stays."""
    if (yield from work(_is, target, file, tell)):
        return
    yield from work(_refuse_irregular, target)
    if kept := (yield from work(item.cache.find, file.digest)):
        yield from work(_copy, kept, target)
        tell("downloading", file.size, file.size)
        return
    _refuse_offline(item, version, file)
    yield from fetch(item.session, address(item, version, file), target, file, tell, lambda: _is(target, file))


def _is(path: Path, file: File, tell: Progress = lambda *_: None) -> bool:
    """Whether this file is here already."""
    if not path.is_file() or path.stat().st_size != file.size:
        return False
    tell("verifying", 0, file.size)
    return on_disk(path).digest() == file.digest


def _refuse_irregular(target: Path) -> None:
    """Raises CatalogError: Invalid for what a file would be put in the place of, and is no file."""
    with suppress(FileNotFoundError):
        mode = target.lstat().st_mode
        if stat.S_ISLNK(mode):
            raise Invalid(f"{target} is a symbolic link", advice="Name the file that it leads to, or remove it first.")
        if not stat.S_ISREG(mode):
            raise Invalid(f"{target} is not a regular file", advice="Name a file, which is made or replaced.")


def _copy(kept: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=".catalog-", dir=target.parent) as aside:
        copy = Path(aside) / target.name
        shutil.copyfile(kept, copy)
        copy.replace(target)


def _refuse_offline(item: Target, version: Version, file: File) -> None:
    if item.session.offline:
        raise Offline(f"{file.path} of {item.key} ({version.ordinal}) is not in the cache, and the client is offline")
