"""What becomes a version: a file, a folder, several of them, or a file that is open."""

import io
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from catalog.client.errors import Invalid
from catalog.client.transfer.patterns import EVERYTHING, Selection
from catalog.client.transfer.sources import EXPECTED, Source, file_source, naming
from catalog.client.transfer.uploads.folder_walk import problem_of, refusal, shown, walk
from catalog.client.transport.effects import BLOCK

Uploadable = str | Path | IO[bytes] | Sequence[str | Path]


@dataclass(frozen=True, slots=True)
class Content:
    """The files of a version to come."""

    files: Mapping[str, Source]
    """By their paths in the version; a single file by its name."""

    roots: Sequence[Path] = ()
    """What a version of many files was collected from; empty for a single file."""

    left_out: Sequence[str] = ()
    """What was not collected. A folder ends with a slash."""

    @property
    def is_folder(self) -> bool:
        return bool(self.roots)

    @property
    def size(self) -> int:
        return sum(source.size for source in self.files.values())


@contextmanager
def opened(what: Uploadable, name: str = "", selection: Selection = EVERYTHING) -> Iterator[Content]:
    """Look at everything that is to be uploaded. An open file is copied to a temporary one first.

    Raises Invalid for what cannot be uploaded.
    """
    if isinstance(what, str | Path):
        yield _at(path_of(what), name, selection)
    elif isinstance(what, list | tuple):
        yield _several([path_of(each) for each in what], selection)
    elif callable(getattr(what, "read", None)):
        with _spooled(cast("IO[bytes]", what), name) as source:
            yield Content({source.name: source})
    else:
        described = "None" if what is None else f"A value of the type {type(what).__name__}"
        raise Invalid(f"{described} cannot be pushed", advice=EXPECTED)


def path_of(what: object) -> Path:
    """A path as users write it, with `~`. Raises Invalid."""
    if not isinstance(what, str | Path) or not str(what):
        raise Invalid(f"{what!r} is not a path", advice=EXPECTED)
    try:
        path = Path(what).expanduser()
    except RuntimeError as error:  # there is no such user
        raise Invalid(f"{what}: {str(error).rstrip('.')}", advice=EXPECTED) from None
    if "\0" in str(path):
        raise Invalid(f"{what!r} is not a path", advice=EXPECTED)
    return path


def _at(path: Path, name: str, selection: Selection) -> Content:
    if path.is_dir():
        if name:
            raise Invalid(f"{path} is a folder, and its files have names", advice="Leave the name out.")
        return _several([path], selection)
    source = file_source(path, name)
    try:
        source.name.encode()
    except UnicodeEncodeError:
        raise Invalid(f"The name {shown(source.name)} is not UTF-8", advice="Pass another: name=, --name.") from None
    return Content({source.name: source})


def _several(paths: Sequence[Path], selection: Selection) -> Content:
    """Raises Invalid if there is no file, or if two have the same path."""
    files: dict[str, Path] = {}
    left_out: list[str] = []
    is_alone = len(paths) == 1 and paths[0].is_dir()
    for path in paths:
        prefix = "" if is_alone else path.resolve().name
        found, ignored = _found(path, prefix, selection)
        if twice := files.keys() & found.keys():
            raise Invalid(f"Two files are called {min(twice)}", advice="Put them into folders, and push a folder.")
        files |= found
        left_out += ignored
    if not files:
        where = f" in {paths[0]}" if is_alone else ""
        ignored_only = f" but what is left out: {', '.join(left_out[:3])}" if left_out else ""
        raise Invalid(f"There are no files{where}{ignored_only}", advice=EXPECTED)
    return Content({path: file_source(file) for path, file in files.items()}, paths, left_out)


def _found(path: Path, prefix: str, selection: Selection) -> tuple[dict[str, Path], list[str]]:
    """The files at a path by their paths in the version, and what is left out. Raises Invalid."""
    inside = f"{prefix}/" if prefix else ""
    if path.is_dir():
        walked = walk(path, selection)
        return {inside + file: each for file, each in walked.files.items()}, [inside + each for each in walked.left_out]
    file_source(path)
    if selection.leaves_out(prefix):
        return {}, [prefix]
    if problem := problem_of(prefix):
        raise refusal(path.parent, [f"{shown(prefix)} ({problem})"])
    return {prefix: path}, []


@contextmanager
def _spooled(file: IO[bytes], name: str) -> Iterator[Source]:
    """Copy the rest of an open file to a temporary one, which can be read more than once."""
    if getattr(file, "closed", False):
        raise Invalid("The file is closed", advice=EXPECTED)
    if isinstance(file, io.TextIOBase) or isinstance(file.read(0), str):
        raise Invalid("The file is open for text", advice='Open it for bytes: open(path, "rb").')
    named = getattr(file, "name", "")
    name = name or (Path(named).name if isinstance(named, str) and not named.startswith("<") else "")
    if not name:
        raise Invalid("The file has no name", advice='Pass a name: name="model.pkl" (--name model.pkl).')
    handle, path = tempfile.mkstemp(prefix="catalog-")
    try:
        with naming(Path(path)), os.fdopen(handle, "wb") as copy:
            shutil.copyfileobj(file, copy, BLOCK)
        yield file_source(Path(path), name)
    finally:
        Path(path).unlink(missing_ok=True)
