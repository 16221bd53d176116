"""The versions of one item: uploads, downloads and their metadata."""

import io
import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict
from urllib.parse import quote

from msgspec.structs import replace

from catalog.client.errors import Invalid
from catalog.client.push_pull.annotations import metadata_values, selection_of, texts
from catalog.client.resources.base import D, Resource, operation, walk
from catalog.client.resources.item_filters import condition
from catalog.client.results import ComparisonResult, Link, Page, Pruned, TensorList, Value, Version, shaped
from catalog.client.revisions import explain_missing
from catalog.client.session import PREFIX, Session, if_unchanged
from catalog.client.transfer.cache import Cache
from catalog.client.transfer.downloads.downloads import (
    download_to,
    download_to_cache,
    file_of,
    find_version,
    verify_version,
)
from catalog.client.transfer.downloads.partial_downloads import PARTIAL_CONTENT
from catalog.client.transfer.downloads.remote_file import BUFFER, RemoteFile
from catalog.client.transfer.downloads.targets import FileSelection
from catalog.client.transfer.notebooks import default_progress
from catalog.client.transfer.progress import Progress
from catalog.client.transfer.uploads.contents import Uploadable, opened
from catalog.client.transfer.uploads.folder_uploads import add_content
from catalog.client.transfer.uploads.preflight import check_push
from catalog.client.transfer.uploads.uploads import NewVersionFields, TargetItem, as_pairs
from catalog.client.transport.effects import Operation, Request, in_thread

if TYPE_CHECKING:
    from catalog.client.transport.sync_driver import SyncDriver


class RetentionOfItem(TypedDict):
    in_force: int


class VersionResource(Resource[D]):
    """A version is named by its ordinal, an alias, `latest`, or a file name (the newest version with that name)."""

    def __init__(self, session: Session, driver: D, cache: Cache, kind: str, key: str) -> None:
        super().__init__(session, driver, cache)
        self._item = TargetItem(session, cache, kind, key)

    @operation
    def add(
        self,
        what: Uploadable,
        *,
        name: str = "",
        description: str = "",
        metadata: Mapping[str, Value] | None = None,
        ordinal: str = "",
        inputs: Sequence[str] = (),
        include: Sequence[str] = (),
        exclude: Sequence[str] = (),
        progress: Progress | None = None,
    ) -> Operation[Version]:
        """Upload a file (a path, or a file opened for reading bytes), a folder, or several paths as a new version.

        Bytes that the server has already are not sent. An interrupted upload of a large file or of a folder is
        resumed. `name` replaces the name of the file. `inputs` are references to the versions that it was made from,
        such as `datasets/petals@2`. `include` and `exclude` are patterns that select files of a folder, as in
        `.gitignore`. Memory use is constant.

        Raises CatalogError: NotFound, Forbidden, Invalid, Conflict, OutOfSpace, Damaged, Unavailable.
        """
        details = NewVersionFields(
            ordinal=ordinal,
            description=description,
            metadata=metadata_values(metadata),
            inputs=tuple(texts("inputs", inputs)),
        )
        with ExitStack() as stack:
            collected = opened(what, name, selection_of(include, exclude))
            content = yield from in_thread(stack.enter_context, collected)
            if details.deferred and not content.is_folder:  # which is sent once the version exists
                yield from check_push(self._session, self._item.kind, {"item": self._item.key}, details)
            return (yield from add_content(self._item, content, details, progress or default_progress()))

    @operation
    def register(
        self,
        uri: str,
        *,
        description: str = "",
        metadata: Mapping[str, Value] | None = None,
        ordinal: str = "",
        author: str = "",
        stage: str = "none",
        external_id: str = "",
        run: Mapping[str, str] | None = None,
        inputs: Sequence[str] = (),
    ) -> Operation[Version]:
        """Add a version whose bytes are not in the catalog: `uri` says where they are. `run` has `id` and `link`.

        Raises CatalogError: NotFound, Forbidden, Invalid, Conflict.
        """
        body: dict[str, object] = {"uri": uri, "description": description, "metadata": as_pairs(metadata or {})}
        body |= {"ordinal": ordinal, "author": author, "stage": stage, "external_id": external_id, "run": run}
        body["inputs"] = texts("inputs", inputs)
        return Version.of((yield from self._session.request_json("POST", self._item.path, body=body)))

    @operation
    def compare(self, *which: str) -> Operation[ComparisonResult]:
        """Compare 2 to 8 versions, each named by its ordinal, an alias, `latest` or a file name.

        Raises CatalogError: NotFound, Forbidden, Invalid.
        """
        path = f"{self._item.path}/compare"
        request = self._session.request_json("GET", path, query={"which": which})
        return shaped((yield from explain_missing(self._item, which, request)), ComparisonResult)

    @walk
    def list(
        self, *, sort: Mapping[str, str] | None = None, metadata: Mapping[str, object] | None = None, archived: str = ""
    ) -> Callable[[str], Operation[Page[Version]]]:
        """Iterate over the versions, newest first.

        `sort` is as in the API, such as `{"metadata.accuracy": "desc"}`; `metadata` has conditions such as
        `{"accuracy": "gte:0.9"}`. Archived versions are left out; `archived="true"` lists them alone, `"all"` with the
        others.
        """
        query = {f"metadata.{name}": condition(value) for name, value in (metadata or {}).items()}
        query |= {"archived": archived} if archived else {}
        query |= {"sort": json.dumps(sort)} if sort else {}
        return self._session.page(self._item.path, Version.of, query)

    @operation
    def get(self, which: str | int) -> Operation[Version]:
        """Raises CatalogError: NotFound, Forbidden."""
        return (yield from self._item.info(which))

    @operation
    def update(
        self,
        which: str | int,
        *,
        description: str | None = None,
        state: str | None = None,
        author: str | None = None,
        stage: str | None = None,
        archived: bool | None = None,
        pinned: bool | None = None,
        external_id: str | None = None,
        run: Mapping[str, str] | None = None,
        uri: str | None = None,
        inputs: Sequence[str] | None = None,
        add: Mapping[str, Value] | None = None,
        remove: tuple[str, ...] = (),
        revision: int | None = None,
    ) -> Operation[Version]:
        """Change what is said of it, its state (`LIVE` or `ARCHIVED`), or its metadata: `add` pairs, `remove` names.

        An empty text removes a value; `run` has `id` and `link`; `uri` is for a version without files.

        Raises CatalogError: NotFound, Forbidden, Invalid, Conflict.
        """
        body: dict[str, object] = {"description": description, "state": state, "author": author, "stage": stage}
        body |= {"archived": archived, "pinned": pinned, "external_id": external_id, "run": run, "uri": uri}
        body["inputs"] = None if inputs is None else texts("inputs", inputs)
        body = {name: value for name, value in body.items() if value is not None}
        if add or remove:
            body["metadata"] = {"add": as_pairs(add or {}), "remove": texts("metadata", remove)}
        headers = if_unchanged(revision)
        return Version.of(
            (yield from self._session.request_json("PUT", self._item.at(which), body=body, headers=headers))
        )

    @operation
    def delete(self, which: str | int, *, force: bool = False) -> Operation[None]:
        """Remove a version; with `force` the aliases that point to it as well, and one that a service serves.

        Raises CatalogError: NotFound, Forbidden, Conflict if it has aliases or is served.
        """
        query = {"force": "true"} if force else {}
        yield from self._session.request_json("DELETE", self._item.at(which), query=query)

    @operation
    def prune(self, keep: int | None = None, *, dry_run: bool = False) -> Operation[Pruned]:
        """Remove old versions for good, at most 1000 at once, or with `dry_run` only list them.

        The newest `keep` stay, by default as many as the policy says, and every version that has an alias, is
        deployed, is pinned, has the stage `staging` or `production`, or is the input of another version.

        Raises CatalogError: NotFound, Forbidden.
        """
        query = {"dry_run": "true"} if dry_run else {}
        body = {} if keep is None else {"keep": keep}
        path = f"{self._item.item}/prune"
        return Pruned.of((yield from self._session.request_json("POST", path, body=body, query=query)))

    @operation
    def retention(self) -> Operation[int]:
        """How many of the newest versions are kept. 0: all."""
        answer = yield from self._session.request_json("GET", f"{self._item.item}/retention")
        return shaped(answer, RetentionOfItem)["in_force"]

    @operation
    def keep(self, newest: int | None) -> Operation[int]:
        """Set how many of the newest versions the sweep keeps. 0: all; None: as the tenant says. The number in force.

        Raises CatalogError: NotFound, Forbidden.
        """
        body = {} if newest is None else {"keep_versions": newest}
        answer = yield from self._session.request_json("PUT", f"{self._item.item}/retention", body=body)
        return shaped(answer, RetentionOfItem)["in_force"]

    @operation
    def download(
        self,
        which: str | int,
        to: str | Path | None = None,
        *,
        files: Sequence[str] = (),
        include: Sequence[str] = (),
        exclude: Sequence[str] = (),
        force: bool = False,
        progress: Progress | None = None,
    ) -> Operation[Path]:
        """Download a version, or some of its `files`; return the path of its file or folder.

        `to` is a folder, if there is one or if it ends with a slash, or the path that the file or folder gets; by
        default it goes into the cache and is not downloaded again. A file appears once it is complete and verified. An
        interrupted download leaves a `.partial` file and is resumed next time. A file that is there and differs is
        replaced with `force` only, unless an earlier download wrote it and it is unchanged.

        Raises CatalogError: NotFound, Forbidden, Damaged, Unavailable, Elsewhere if the bytes are not in the catalog,
        Invalid for a file in the way.
        """
        version = yield from find_version(self._item, str(which))
        selection = FileSelection(tuple(texts("files", files)), selection_of(include, exclude))
        if to is None:
            return (yield from download_to_cache(self._item, version, progress or default_progress(), selection))
        shown = progress or default_progress()
        return (yield from download_to(self._item, version, to, shown, selection, force=force))[0]

    @operation
    def link(self, which: str | int, *, expires_in: int = 300, path: str = "") -> Operation[Link]:
        """Create a URL that serves a version without a token for `expires_in` seconds, a day at most. Of a folder it
        serves the file at `path`, or by default an archive of all files.

        Raises CatalogError: NotFound, Forbidden, Invalid.
        """
        version = yield from find_version(self._item, str(which))
        body = {"expires_in": expires_in} | ({"path": path} if path else {})
        at = f"{self._item.at(version.ordinal)}/link"
        link = Link.of((yield from self._session.request_json("POST", at, body=body)))
        return replace(link, url=self._session.url + self._session.strip_base_path(link.url))

    @operation
    def verify(self, which: str | int, *, progress: Progress | None = None) -> Operation[Version]:
        """Read all bytes of a version from the server and compare them with its digests.

        Raises CatalogError: NotFound, Forbidden, Damaged, Unavailable.
        """
        return (yield from verify_version(self._item, str(which), progress or default_progress()))

    @operation
    def read(self, which: str | int, start: int, stop: int, *, path: str = "", digest: str = "") -> Operation[bytes]:
        """Bytes `start` up to, not including, `stop` of a version's file, or of the file at `path` in a folder.

        Raises CatalogError: NotFound, Forbidden, Invalid for bytes beyond the end, Conflict if `digest` is given and
        the file has another one by now.
        """
        where = f"{PREFIX}{self._item.at(which)}" + (f"/files/{quote(path)}" if path else "")
        headers = {"Range": f"bytes={start}-{stop - 1}", "Accept-Encoding": "identity"}
        if digest:
            headers["If-Match"] = f'"{digest}"'
        response = yield from self._session.send(Request(method="GET", path=where, headers=headers))
        return response.content if response.status == PARTIAL_CONTENT else response.content[start:stop]

    @operation
    def tensors(self, which: str | int, path: str = "") -> Operation[TensorList]:
        """List the tensors of a safetensors, ONNX or GGUF file, at most 20 000, without a download. Of a folder, those
        of the file at `path`.

        Raises CatalogError: NotFound, Forbidden.
        """
        version = yield from self._item.info(which)
        at = f"{self._item.at(version.ordinal)}/tensors"
        query = {"path": file_of(version, path).path}
        return shaped((yield from self._session.request_json("GET", at, query=query)), TensorList)

    def open(self: "VersionResource[SyncDriver]", which: str | int, path: str = "") -> io.BufferedReader:
        """Open a version's file, or the file at `path` in a folder, for reading and seeking. Only the bytes that are
        read are downloaded.

        For `Catalog` only; `AsyncCatalog` has `read`. Raises CatalogError: NotFound, Forbidden, Invalid for a folder
        without a path.
        """
        version = self.get(which)
        if version.folder and not path:
            raise Invalid(f"{which} is a folder", advice="Name one of its files: path=.")
        file = file_of(version, path)

        def read(start: int, stop: int) -> bytes:
            return self.read(version.ordinal, start, stop, path=path, digest=file.digest)

        return io.BufferedReader(RemoteFile(file.size, read), BUFFER)
