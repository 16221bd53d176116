"""The targets of the files of a pull, and which existing files it may replace.

A file that differs from what is pulled is replaced only if an earlier pull wrote it and it is unchanged since, or by
force. The cache remembers what pulls wrote, by folder and item. Files of an earlier version that the new one does not
have are removed on the same condition.
"""

import os
import stat
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from catalog.client.errors import Invalid, NotFound
from catalog.client.results import File, Version
from catalog.client.transfer.cache import Cache, relative_path
from catalog.client.transfer.patterns import EVERYTHING, Selection
from catalog.client.transfer.progress import Progress
from catalog.client.transfer.sources import file_source
from catalog.client.transfer.uploads.contents import path_of
from catalog.client.transfer.uploads.folder_walk import problem_of
from catalog.client.wording import listed

SECTION = "pulled"

Written = dict[str, list[str]]
"""The digests that pulls wrote, by the relative path of the file."""


@dataclass(frozen=True)
class FileSelection:
    """Some of the files of a version: those at `paths`, which may be folders, and of those what is selected."""

    paths: Sequence[str] = ()
    selection: Selection = EVERYTHING

    @property
    def is_everything(self) -> bool:
        return not self.paths and self.selection == EVERYTHING

    def of(self, version: Version) -> list[File]:
        """Raises NotFound, with the paths that there are, and Damaged for a path that leads outside."""
        for file in version.files if version.folder else ():
            relative_path(file.path)
        paths = [path.removeprefix("./").rstrip("/") for path in self.paths]
        for path in paths:
            if not any(_is_at(file, path) for file in version.files):
                raise NotFound(
                    f"Version {version.ordinal} has no file {path}",
                    advice=f"It has {listed([f.path for f in version.files])}.",
                )
        named = [file for file in version.files if not paths or any(_is_at(file, path) for path in paths)]
        found = [file for file in named if not self.selection.leaves_out(file.path)]
        if version.files and not found:
            has = listed([file.path for file in version.files])
            raise NotFound(f"Version {version.ordinal} has no file that is selected", advice=f"It has {has}.")
        return found

    def single(self, files: Sequence[File]) -> File | None:
        """The file that is asked for by its own path alone."""
        return files[0] if len(self.paths) == len(files) == 1 and files[0].path == self.paths[0] else None


class PlacedFile(NamedTuple):
    file: File
    target: Path


@dataclass(frozen=True)
class Placement:
    """The files of a pull, each with its target below `root`; `result` is what the pull returns."""

    root: Path
    files: Sequence[PlacedFile]
    result: Path

    @classmethod
    def of(cls, version: Version, selection: FileSelection, to: str | Path) -> "Placement":
        """`to` is a folder if there is one or if it ends with a slash, or for several files; else a path for the file.

        Raises CatalogError: Damaged, NotFound, Invalid.
        """
        place, files = path_of(to), selection.of(version)
        single = selection.single(files) if version.folder else files[0]
        if single and not (ends_like_a_folder(to) or place.is_dir()):
            return cls(place.parent, [PlacedFile(single, place)], place)
        placed = [PlacedFile(file, place / relative_path(_name(version, file))) for file in files]
        return cls(place, placed, placed[0].target if single else place)

    def path_of(self, placed: PlacedFile) -> str:
        """The path that `Written` has."""
        return placed.target.relative_to(self.root).as_posix()


def ends_like_a_folder(to: str | Path) -> bool:
    return isinstance(to, str) and to.endswith(("/", os.sep))


def missing(placement: Placement, written: Written, progress: Progress, *, force: bool) -> list[PlacedFile]:
    """The files that are to be fetched: those that are not at their targets yet.

    Raises Invalid, before anything is changed, for targets that may not be replaced.
    """
    checked: set[Path] = set()
    absent, conflicts = [], []
    for placed in placement.files:
        _refuse_irregular(placed.target, placement.root, checked)
        if has_content(placed.target, placed.file, progress):
            continue
        absent.append(placed)
        if not force and placed.target.exists() and not _is_ours(placed.target, written, placement.path_of(placed)):
            conflicts.append(str(placed.target))
    if conflicts:
        verb = "exists and differs" if len(conflicts) == 1 else "exist and differ"
        raise Invalid(
            f"{listed(conflicts)} {verb} from what is pulled",
            advice="Nothing was written. Pull to another place, or overwrite: --force (force=True).",
        )
    return absent


def has_content(path: Path, file: File, progress: Progress = lambda *_: None) -> bool:
    """Whether the path holds the bytes of this file."""
    if not path.is_file() or path.stat().st_size != file.size:
        return False
    progress("verifying", 0, file.size)
    return file_source(path).digest() == file.digest


class PullRecord:
    """What pulls of one item wrote into one folder."""

    def __init__(self, cache: Cache, root: Path, item: Sequence[str]) -> None:
        self._cache = cache
        self._root = root
        self._key = [str(root.absolute()), *item]
        found = cache.load_state(SECTION, self._key)
        self.written: Written = found if isinstance(found, dict) else {}

    def begin(self, placement: Placement) -> None:
        """Remember what is about to be written: an interrupted pull leaves old and new files."""
        both = dict(self.written)
        for placed in placement.files:
            path = placement.path_of(placed)
            both[path] = [*both.get(path, ()), placed.file.digest]
        self._cache.save_state(SECTION, self._key, both)

    def end(self, placement: Placement, *, removed: Collection[str]) -> None:
        new = {placement.path_of(placed): [placed.file.digest] for placed in placement.files}
        kept = {path: digests for path, digests in self.written.items() if path not in removed}
        self._cache.save_state(SECTION, self._key, kept | new)

    def stale(self, placement: Placement) -> list[str]:
        """The paths of earlier versions that the new one does not have."""
        new = {placement.path_of(placed) for placed in placement.files}
        return sorted(path for path in self.written.keys() - new if (self._root / relative_path(path)).is_file())

    def remove_stale(self, placement: Placement) -> tuple[list[str], list[str]]:
        """Remove files of earlier versions; return the paths of those that are gone, and of those that were changed."""
        removed, kept = [], []
        for path in self.stale(placement):
            file = self._root / relative_path(path)
            if file.is_symlink() or not _is_ours(file, self.written, path):
                kept.append(path)
                continue
            file.unlink()
            removed.append(path)
            for folder in file.relative_to(self._root).parents[:-1]:
                with suppress(OSError):  # it is not empty
                    (self._root / folder).rmdir()
        return removed, kept


def _name(version: Version, file: File) -> str:
    return file.path if version.folder else version.original


def _is_at(file: File, path: str) -> bool:
    return path in {file.path, file.original, "."} or file.path.startswith(f"{path}/")


def _is_ours(target: Path, written: Mapping[str, Sequence[str]], path: str) -> bool:
    """Whether a file is as a pull wrote it."""
    digests = written.get(path, ())
    return bool(digests) and file_source(target).digest() in digests


def _refuse_irregular(target: Path, root: Path, checked: set[Path]) -> None:
    """Raises CatalogError: Invalid if the target is no regular file, or leads out of the folder."""
    if os.name == "nt" and (problem := problem_of(target.name)):
        raise Invalid(f"{target} cannot be written: {problem}", advice="Pull the other files: --exclude.")
    for folder in _folders(target, root):
        if folder in checked:
            break
        checked.add(folder)
        if folder.is_symlink() and not folder.resolve().is_relative_to(root.resolve()):
            raise Invalid(f"{folder} is a link that leads out of {root}", advice="Remove it, or pull to another place.")
        if folder.exists() and not folder.is_dir():
            raise Invalid(f"{folder} is a file, and a folder is needed", advice="Pull to another place.")
    with suppress(FileNotFoundError):
        mode = target.lstat().st_mode
        if stat.S_ISLNK(mode):
            raise Invalid(f"{target} is a symbolic link", advice="Name the file that it points to, or remove it first.")
        if not stat.S_ISREG(mode):
            raise Invalid(f"{target} is not a regular file", advice="Name a file, which is created or replaced.")


def _folders(target: Path, root: Path) -> Iterator[Path]:
    """The folders between a target and its root, the innermost first, and the root."""
    for folder in target.relative_to(root).parents[:-1]:
        yield root / folder
    yield root
