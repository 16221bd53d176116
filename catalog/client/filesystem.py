"""`catalog://` addresses in pandas, pyarrow, datasets and other programs that read through fsspec. Read-only.

    catalog://iris@champion/config.json             a file of a version of many files
    catalog://ada/iris@3/weights/a.bin              of another user's model
    catalog://iris@3                                the only file of a version
    catalog://datasets/petals@latest/petals.csv     of a dataset

The part before the first `@` is the item, with or without its kind; the part behind it, up to the next slash, is the
version.
"""

import io
from collections.abc import Iterator
from hashlib import sha256
from inspect import signature
from itertools import pairwise
from typing import Any, NamedTuple

from fsspec.spec import AbstractBufferedFile, AbstractFileSystem

from catalog.client.catalog import Catalog
from catalog.client.errors import Damaged, NotFound
from catalog.client.results import KINDS, File, Version
from catalog.client.wording import listed

READ = 8 * 2**20
"""Bytes of one request."""

ARGUMENTS = signature(Catalog).parameters.keys()
"""The options of the client; all others belong to fsspec."""

READ_ONLY = "catalog:// is read-only: push files with catalog.push"


class VersionAddress(NamedTuple):
    """An address in its parts; those that are missing are empty."""

    kind: str
    item: str
    revision: str
    file: str

    @classmethod
    def of(cls, path: str) -> "VersionAddress":
        """The parts of an address without protocol, such as `models/ada/iris@3/config.json`."""
        kind, _, rest = path.partition("/")
        item, _, inner = rest.partition("@")
        revision, _, file = inner.partition("/")
        return cls(kind, item, revision, file)

    @property
    def version(self) -> str:
        return f"{self.kind}/{self.item}@{self.revision}"


class CatalogFileSystem(AbstractFileSystem):
    """The files of the catalog. `storage_options` are the arguments of `Catalog`: url, token, ..."""

    protocol = "catalog"
    root_marker = ""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.catalog = Catalog(**{name: value for name, value in options.items() if name in ARGUMENTS})

    @classmethod
    def _strip_protocol(cls, path: Any) -> Any:
        if isinstance(path, list):
            return [cls._strip_protocol(each) for each in path]
        plain = str(path).removeprefix("catalog://").strip("/")
        return plain if not plain or plain.partition("/")[0] in KINDS else f"models/{plain}"

    def ls(self, path: str, detail: bool = True, **_: Any) -> list[Any]:
        """Kinds, their items, the versions of an item, or the files and folders of a version."""
        place = VersionAddress.of(self._strip_protocol(path))
        found = self._in_version(place) if place.revision else [*self._above_versions(place)]
        return found if detail else [entry["name"] for entry in found]

    def info(self, path: str, **_: Any) -> dict[str, Any]:
        place = VersionAddress.of(self._strip_protocol(path))
        if not place.revision:
            return _folder(self._strip_protocol(path))
        version = self._version(place)
        if file := _file_at(version, place.file):
            return _entry(place, version, file)
        if any(file.path.startswith(f"{place.file}/" if place.file else "") for file in version.files):
            return _folder(f"{place.version}/{place.file}".rstrip("/"))
        raise FileNotFoundError(path)

    def created(self, path: str) -> Any:
        return self._version(VersionAddress.of(self._strip_protocol(path))).timestamp

    modified = created

    def checksum(self, path: str) -> str:
        """SHA-256, 64 lowercase hexadecimal characters."""
        return str(self.info(path)["sha256"])

    def cat_file(self, path: str, start: int | None = None, end: int | None = None, **options: Any) -> bytes:
        """The bytes of a file, or a range of them. A whole file is verified against its digest."""
        with self._open(path, **options) as file:
            if start is None and end is None:
                content: bytes = file.read()
                if sha256(content).hexdigest() != file.sha256:
                    raise Damaged(f"{path} is damaged", details=f"expected sha256 {file.sha256}")
                return content
            first, last, _ = slice(start, end).indices(file.size)
            file.seek(first)
            return bytes(file.read(max(0, last - first)))

    def _open(self, path: str, mode: str = "rb", block_size: int | None = None, **options: Any) -> "CatalogFile":
        if mode != "rb":
            raise io.UnsupportedOperation(READ_ONLY)
        place = VersionAddress.of(self._strip_protocol(path))
        version = self._version(place) if place.revision else None
        file = _file_at(version, place.file) if version else None
        if version is None:
            raise FileNotFoundError(f"{path} names no version: write it as catalog://iris@champion/config.json")
        if file is None:
            has = listed([each.path for each in version.files])
            raise FileNotFoundError(f"{place.version} has no file {place.file or 'of its own name'}: it has {has}")
        pinned = place._replace(revision=version.ordinal)
        return CatalogFile(self, path, pinned, version, file, block_size=block_size or READ, **options)

    def _version(self, place: VersionAddress) -> Version:
        try:
            return self.catalog.resolve(place.item, place.revision, kind=place.kind)
        except NotFound as missing:
            raise FileNotFoundError(str(missing)) from None

    def _in_version(self, place: VersionAddress) -> list[dict[str, Any]]:
        version = self._version(place)
        if file := _file_at(version, place.file):
            return [_entry(place, version, file)]
        prefix = f"{place.file}/" if place.file else ""
        inside = [file for file in version.files if file.path.startswith(prefix)]
        if not inside:
            raise FileNotFoundError(f"{place.version}/{place.file}")
        folders = {file.path[len(prefix) :].partition("/")[0] for file in inside if "/" in file.path[len(prefix) :]}
        return [
            *(_folder(f"{place.version}/{prefix}{name}") for name in sorted(folders)),
            *(_entry(place, version, file) for file in inside if "/" not in file.path[len(prefix) :]),
        ]

    def _above_versions(self, place: VersionAddress) -> Iterator[dict[str, Any]]:
        if not place.kind:
            yield from map(_folder, KINDS)
            return
        items = self.catalog.items(place.kind)
        try:
            if place.item:
                names = (f"{place.item}@{version.ordinal}" for version in items.versions(place.item).list())
            else:
                names = (item.name for item in items.list())
            for name in names:
                yield _folder(f"{place.kind}/{name}")
        except NotFound as missing:
            raise FileNotFoundError(str(missing)) from None

    def _read_only(self, *_: Any, **__: Any) -> None:
        raise io.UnsupportedOperation(READ_ONLY)

    mkdir = makedirs = rmdir = rm_file = _rm = cp_file = pipe_file = put_file = touch = _read_only


class CatalogFile(AbstractBufferedFile):
    """A file that downloads the ranges that are read, or reads the cache if it has the file."""

    def __init__(
        self, fs: CatalogFileSystem, path: str, place: VersionAddress, version: Version, file: File, **options: Any
    ) -> None:
        self.sha256 = file.digest
        self._versions = fs.catalog.items(place.kind).versions(place.item)
        self._ordinal = version.ordinal
        self._inner = file.path if version.folder else ""
        self._cached = fs.catalog.cache.find(file.digest)
        super().__init__(fs, path, mode="rb", size=file.size, **options)

    def _fetch_range(self, start: int, end: int) -> bytes:
        if self._cached:
            with self._cached.open("rb") as file:
                file.seek(start)
                return file.read(end - start)
        cuts = [*range(start, end, READ), end]
        return b"".join(
            self._versions.read(self._ordinal, first, last, path=self._inner, digest=self.sha256)
            for first, last in pairwise(cuts)
        )


def _file_at(version: Version, path: str) -> File | None:
    for file in version.files:
        if file.path == path or not (version.folder or path):
            return file
    return None


def _entry(place: VersionAddress, version: Version, file: File) -> dict[str, Any]:
    """A file as fsspec describes it. The only file of a version has the address of the version."""
    inner = file.path if version.folder else place.file
    name = f"{place.version}/{inner}" if inner else place.version
    return {"name": name, "size": file.size, "type": "file", "sha256": file.digest, "mimetype": file.mimetype}


def _folder(name: str) -> dict[str, Any]:
    return {"name": name, "size": 0, "type": "directory"}
