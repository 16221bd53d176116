"""Copies the files of versions from an MLflow server. Each file goes through a temporary file to `imports/` in the
artifact service of the catalog. The version is created once all of its files are there. After an interruption, files
that are there are not sent again.
"""

import re
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import IO
from urllib.parse import quote, unquote, urlsplit

from catalog.client.compat.copying import Json, SourceRegistry, TargetCatalog
from catalog.client.errors import CatalogError, Damaged, NotFound
from catalog.client.transfer.sources import SourceSlice, file_source

SERVICE = "/api/2.0/mlflow-artifacts/artifacts"
FOLDER = "imports"

MOST_FILES = 10_000
"""The most files of one version, as in the catalog."""

LONGEST_PATH = 1000  # characters


class Files:
    """The files that one server has."""

    def __init__(self, source: SourceRegistry, target: TargetCatalog) -> None:
        self._source = source
        self._target = target

    def upload(self, version: Json, address: str) -> str:
        """Copy the files at the address of a version, and return the address of the copy.

        Empty for files that the other server does not have. Raises CatalogError.
        """
        path = served_path(self._source.url, address)
        if not path:
            return ""
        folder, theirs = folder_of(self._source.url, version), self._listed(path)
        ours = dict(_listed(lambda where: self._target("GET", SERVICE, query={"path": where}), folder))
        for name, size in theirs.items():
            if ours.get(name) != size:
                self._copy(f"{path}/{name}", f"{folder}/{name}", size)
        if not theirs:
            self._copy(path, f"{folder}/{path.rpartition('/')[2]}", None)
        return f"mlflow-artifacts:/{folder}"

    def forget(self, version: Json) -> None:
        """Remove the copies from the artifact service: the version refers to the same bytes."""
        with suppress(NotFound):
            self._target("DELETE", f"{SERVICE}/{quote(folder_of(self._source.url, version))}")

    def _listed(self, folder: str) -> dict[str, int]:
        return dict(_listed(lambda where: self._source.get(SERVICE, {"path": where}), folder))

    def _copy(self, path: str, to: str, size: int | None) -> None:
        with tempfile.TemporaryDirectory(prefix="catalog-") as temporary:
            file = Path(temporary) / "file"
            with file.open("wb") as content:
                self._source.download(f"{SERVICE}/{quote(path)}", _ToFile(content))
            source = file_source(file)
            if size is not None and source.size != size:
                raise Damaged(f"{path} has {size} bytes, and {source.size} were received", status=400)
            self._target("PUT", f"{SERVICE}/{quote(to)}", body=SourceSlice(source, 0, source.size))


class _ToFile:
    """Writes an answer into a file, from its beginning."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def begin(self, status: int, headers: Mapping[str, str]) -> bool:
        del status, headers
        self._file.seek(0)
        self._file.truncate()
        return True

    def write(self, block: bytes) -> None:
        self._file.write(block)


def served_path(server: str, address: str) -> str:
    """The path of an address in the artifact service of a server; empty for an address that leads elsewhere."""
    own, parts = urlsplit(server), urlsplit(address)
    if parts.scheme == "mlflow-artifacts":
        return unquote(parts.path).strip("/") if parts.netloc in {"", own.netloc} else ""
    prefix = f"{own.path}{SERVICE}/"
    if (parts.scheme, parts.netloc) == (own.scheme, own.netloc) and parts.path.startswith(prefix):
        return unquote(parts.path.removeprefix(prefix)).strip("/")
    return ""


def public_address(server: str, address: str) -> str:
    """An address of files that means the same wherever a client's tracking server is."""
    path = served_path(server, address)
    return f"{server}{SERVICE}/{quote(path)}" if path else address


def is_local(address: str) -> bool:
    """Whether a source is a path on another machine, which cannot be read here. The source of a prompt is a word."""
    scheme = urlsplit(address).scheme
    return scheme == "file" or (len(scheme) <= 1 and ("/" in address or "\\" in address))


def folder_of(server: str, version: Json) -> str:
    """The folder of the files of a version until it is created. A version that was recreated on the other server has
    another folder.
    """
    of_model = sha256(f"{server}\n{version['name']}".encode()).hexdigest()[:16]
    return f"{FOLDER}/{of_model}/{version['version']}-{version.get('creation_timestamp', 0)}"


def _listed(get: Callable[[str], Json], folder: str) -> Iterator[tuple[str, int]]:
    """The files below a folder, by their paths in it, with their sizes. Raises CatalogError for too many."""
    open_folders, count = [""], 0
    while open_folders:
        inner = open_folders.pop()
        for entry in get(f"{folder}/{inner}".rstrip("/")).get("files") or ():
            count += 1
            path = f"{inner}/{_inner_path(folder, entry)}".lstrip("/")
            if count > 2 * MOST_FILES or len(path) > LONGEST_PATH:
                raise CatalogError(f"{folder} has more than {MOST_FILES} files, or too long paths", status=400)
            if entry.get("is_dir"):
                open_folders.append(path)
            else:
                yield path, int(entry.get("file_size") or 0)


def _inner_path(folder: str, entry: Json) -> str:
    """The path of an entry of a folder. Raises CatalogError for one that leads out of it, however it is written."""
    path = entry["path"]
    if not isinstance(path, str) or not all(part.strip(". ") for part in re.split(r"[/\\]", _unquoted(path))):
        raise CatalogError(f"{folder} has a file with the path {str(path)[:80]!r}, which leads elsewhere", status=400)
    return path


def _unquoted(path: str) -> str:
    before = ""
    while path != before:
        path, before = unquote(path), path
    return path
