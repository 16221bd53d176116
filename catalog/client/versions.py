"""The versions of one item: files up and down, and what is said of them."""

import io
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast
from urllib.parse import quote

from catalog.client.cache import Cache
from catalog.client.downloads import file_of, found, into_cache, to_place, verified
from catalog.client.effects import Operation, Request, work
from catalog.client.errors import Invalid
from catalog.client.folders import add_files
from catalog.client.progress import Progress, silent
from catalog.client.receiving import PARTIAL_CONTENT
from catalog.client.remote import BUFFER, Remote
from catalog.client.resources import D, Room, operation, walk
from catalog.client.results import Link, Page, Value, Version
from catalog.client.sessions import PREFIX, Session
from catalog.client.sources import What, on_disk, paths, spooled
from catalog.client.uploads import Said, Target, add_file, as_pairs

if TYPE_CHECKING:
    from catalog.client.sync_driver import Blocking


class Versions(Room[D]):
    """A version is named by its ordinal, or by the name of its file: then the newest of that name is meant."""

    def __init__(self, session: Session, driver: D, cache: Cache, kind: str, key: str) -> None:
        super().__init__(session, driver, cache)
        self._item = Target(session, cache, kind, key)

    @operation
    def add(
        self,
        what: What,
        *,
        name: str = "",
        description: str = "",
        metadata: Mapping[str, Value] | None = None,
        ordinal: str = "",
        progress: Progress = silent,
    ) -> Operation[Version]:
        """Make a version of a file (its path, or open for reading bytes), of a folder (its path), or of several paths.

        A file that the server has already is not sent; a large one goes on where an earlier attempt was interrupted,
        and so does a folder. `name` is the file's, if not its own. Memory is constant.

        Raises CatalogError: NotFound, Forbidden, Invalid, Conflict, OutOfSpace, Damaged, Unavailable.
        """
        said = Said(ordinal=ordinal, description=description, metadata=metadata or {})
        if several := paths(what):
            return (yield from add_files(self._item, several, said, progress))
        with ExitStack() as stack:
            if isinstance(what, str | Path):
                source = on_disk(Path(what), name)
            else:
                source = yield from work(lambda: stack.enter_context(spooled(cast("IO[bytes]", what), name)))
            return (yield from add_file(self._item, source, said, progress))

    @walk
    def list(self) -> Callable[[str], Operation[Page[Version]]]:
        """Walk through them, newest first."""
        return self._session.page(self._item.path, Version.of)

    @operation
    def get(self, which: str) -> Operation[Version]:
        """Raises CatalogError: NotFound, Forbidden."""
        return (yield from self._item.info(which))

    @operation
    def update(
        self,
        which: str,
        *,
        description: str | None = None,
        state: str | None = None,
        add: Mapping[str, Value] | None = None,
        remove: tuple[str, ...] = (),
        revision: int | None = None,
    ) -> Operation[Version]:
        """Change its description, its state (`LIVE` or `ARCHIVED`), or its metadata: `add` pairs, `remove` names.

        Raises CatalogError: NotFound, Forbidden, Invalid, Conflict.
        """
        body: dict[str, Any] = {"description": description, "state": state}
        body = {name: value for name, value in body.items() if value is not None}
        if add or remove:
            body["metadata"] = {"add": as_pairs(add or {}), "remove": [*remove]}
        headers = {} if revision is None else {"If-Match": f'"{revision}"'}
        return Version.of((yield from self._session.ask("PUT", self._item.at(which), body=body, headers=headers)))

    @operation
    def delete(self, which: str) -> Operation[None]:
        """Raises CatalogError: NotFound, Forbidden."""
        yield from self._session.ask("DELETE", self._item.at(which))

    @operation
    def download(self, which: str, to: str | Path | None = None, *, progress: Progress = silent) -> Operation[Path]:
        """Bring a version here, and say where: a file, or a folder of files.

        `to` is a folder that exists, or the path of the file or of the folder to be; without it, it goes into the
        cache, and is not fetched again. A file takes its place when it is whole and verified; interrupted, it goes on
        next time from the `.partial` that is left.

        Raises CatalogError: NotFound, Forbidden, Damaged, Unavailable.
        """
        version = yield from found(self._item, which)
        if to is None:
            return (yield from into_cache(self._item, version, progress))
        return (yield from to_place(self._item, version, Path(to), progress))

    @operation
    def link(self, which: str, *, expires_in: int = 300, path: str = "") -> Operation[Link]:
        """An address that leads to the file without a token, for so many seconds, a day at most; of a folder, to the
        file at `path`, or without it to all of it as an archive.

        Raises CatalogError: NotFound, Forbidden, Invalid.
        """
        version = yield from found(self._item, which)
        body = {"expires_in": expires_in} | ({"path": path} if path else {})
        raw = yield from self._item.session.ask("POST", f"{self._item.at(version.ordinal)}/link", body=body)
        session = self._item.session
        return Link.of({**raw, "url": session.url + session.below(raw["url"])})

    @operation
    def verify(self, which: str, *, progress: Progress = silent) -> Operation[Version]:
        """Read all bytes of a version from the server, keep none, and compare them with its digests.

        Raises CatalogError: NotFound, Forbidden, Damaged, Unavailable.
        """
        return (yield from verified(self._item, which, progress))

    @operation
    def read(self, which: str, start: int, stop: int, *, path: str = "", digest: str = "") -> Operation[bytes]:
        """Bytes `start` up to, not including, `stop` of a version's file, or of the one at `path` of a folder.

        Raises CatalogError: NotFound, Forbidden, Invalid for bytes beyond the end, Conflict when `digest` is given and
        is not the file's any more.
        """
        where = f"{PREFIX}{self._item.at(which)}" + (f"/files/{quote(path)}" if path else "")
        headers = {"Range": f"bytes={start}-{stop - 1}", "Accept-Encoding": "identity"}
        if digest:
            headers["If-Match"] = f'"{digest}"'
        answer = yield from self._session.send(Request(method="GET", path=where, headers=headers))
        return answer.content if answer.status == PARTIAL_CONTENT else answer.content[start:stop]

    def open(self: "Versions[Blocking]", which: str, path: str = "") -> io.BufferedReader:
        """A version's file, or the one at `path` of a folder, to read and seek in: only what is read is fetched.

        Of `Catalog` only; `AsyncCatalog` has `read`. Raises CatalogError: NotFound, Forbidden, Invalid for a folder
        without a path.
        """
        version = self.get(which)
        if version.folder and not path:
            raise Invalid(f"{which} is a folder", advice="Say which of its files: path=.")
        file = file_of(version, path)

        def read(start: int, stop: int) -> bytes:
            return self.read(version.ordinal, start, stop, path=path, digest=file.digest)

        return io.BufferedReader(Remote(file.size, read), BUFFER)
