"""`push` and `pull` of both clients."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from catalog.client.loading import Loaded, load
from catalog.client.push_pull.annotations import metadata_values, selection_of, texts
from catalog.client.push_pull.pulling import Place, Pull
from catalog.client.push_pull.pushing import Push, Pushed, PushPlan
from catalog.client.resources.base import D, Resource, operation
from catalog.client.session import Session
from catalog.client.transfer.cache import Cache
from catalog.client.transfer.downloads.targets import FileSelection
from catalog.client.transfer.notebooks import default_progress
from catalog.client.transfer.progress import Progress
from catalog.client.transfer.uploads.contents import Uploadable, opened
from catalog.client.transfer.uploads.uploads import NewVersionFields
from catalog.client.transport.effects import Operation


class TransferMethods(Resource[D]):
    """Uploads and downloads under a name."""

    def __init__(self, session: Session, driver: D, cache: Cache) -> None:
        super().__init__(session, driver, cache)
        self.cache = cache

    @operation
    def push(
        self,
        name: str,
        what: Uploadable,
        *,
        kind: str = "models",
        tags: Iterable[str] | str = (),
        metrics: Mapping[str, object] | None = None,
        allow_nan: str = "",
        description: str = "",
        ordinal: str = "",
        alias: str = "",
        inputs: Sequence[str] = (),
        filename: str = "",
        include: Sequence[str] = (),
        exclude: Sequence[str] = (),
        strict: bool = False,
        progress: Progress | None = None,
    ) -> Operation[Pushed]:
        """Upload a file or folder as a new version.

        A bare name means an item of your own, which is created if it does not exist; `owner/name` or an id means that
        item. `metrics` are added to the metadata of the item and of the version. An `alias` is pointed to the version.
        `inputs` are references to the versions that it was made from, such as `datasets/petals@2`.

        Numbers of NumPy and PyTorch are numbers. NaN and infinity are refused, or kept as texts with
        `allow_nan="text"`. All is checked before anything is sent.

        `filename` is that of an open file, or replaces that of a path. `include` and `exclude` are patterns that select
        files of a folder, as in `.gitignore`; `.git`, `__pycache__`, `.DS_Store` and what its `.catalogignore` names
        stay out. An UnsafeFileWarning tells of a threat that the inspection of the server finds; with `strict` Unsafe
        is raised, and no version is created.

        Raises CatalogError: NotFound, Forbidden if you may not change the item, Invalid.
        """
        details = replace(_details(metrics, allow_nan, description, ordinal, inputs), strict=strict)
        content = opened(what, filename, selection_of(include, exclude))
        push = Push(
            session=self._session,
            cache=self.cache,
            kind=kind,
            name=name,
            what=content,
            details=details,
            tags=texts("tags", tags),
            alias=alias,
        )
        return (yield from push.run(progress or default_progress()))

    @operation
    def plan_push(
        self,
        name: str,
        what: Uploadable,
        *,
        kind: str = "models",
        tags: Iterable[str] | str = (),
        metrics: Mapping[str, object] | None = None,
        allow_nan: str = "",
        description: str = "",
        ordinal: str = "",
        alias: str = "",
        inputs: Sequence[str] = (),
        filename: str = "",
        include: Sequence[str] = (),
        exclude: Sequence[str] = (),
    ) -> Operation[PushPlan]:
        """Check a push as `push` does, and return what it would do. Nothing is uploaded or changed.

        Raises CatalogError as `push` does.
        """
        push = Push(
            session=self._session,
            cache=self.cache,
            kind=kind,
            name=name,
            what=opened(what, filename, selection_of(include, exclude)),
            details=_details(metrics, allow_nan, description, ordinal, inputs),
            tags=texts("tags", tags),
            alias=alias,
        )
        return (yield from push.plan())

    @operation
    def pull(
        self,
        reference: str,
        *files: str,
        kind: str = "models",
        to: Place = None,
        include: Sequence[str] = (),
        exclude: Sequence[str] = (),
        force: bool = False,
        strict: bool = False,
        progress: Progress | None = None,
    ) -> Operation[Path]:
        """Download a version, or some of its `files`: `iris` (the newest), `ada/iris`, `iris@3`, or `iris@champion`
        (an alias).

        `to` and `force` are as in `versions.download`, `include` and `exclude` as in `push`. An UnsafeFileWarning tells
        of a threat that the inspection of the server has found; with `strict` Unsafe is raised, and nothing downloaded.

        Raises CatalogError: NotFound, Forbidden, Offline if it is not in the cache, Invalid for a file in the way.
        """
        pull = Pull(
            session=self._session,
            cache=self.cache,
            kind=kind,
            name=reference,
            selection=FileSelection(files, selection_of(include, exclude)),
            to=to,
            force=force,
            strict=strict,
        )
        return (yield from pull.run(progress or default_progress()))

    @operation
    def load(
        self,
        reference: str,
        *,
        kind: str = "models",
        path: str = "",
        framework: str = "numpy",
        trust: bool = False,
        progress: Progress | None = None,
    ) -> Operation[Loaded]:
        """Download a version into the cache and load it with its library, which has to be installed.

        safetensors: the tensors by name, of `framework` (`numpy`, `torch`, `flax`, `tensorflow`); all shards of a
        model together. ONNX: a session of onnxruntime if that is installed, else the model of onnx. joblib and pickle:
        the object; only with `trust`, as loading it runs code of its author, and never if the inspection found a
        threat. `path` names the file of a version that has several.

        Raises CatalogError: NotFound, Unsafe, Invalid, also if a package is missing: it is named.
        """
        shown = progress or default_progress()
        return (yield from load(self._session, self.cache, kind, reference, path, framework, shown, trust=trust))


def _details(
    metrics: Mapping[str, object] | None, allow_nan: str, description: str, ordinal: str, inputs: Sequence[str]
) -> NewVersionFields:
    """Raises Invalid."""
    metadata = metadata_values(metrics, allow_nan=allow_nan)
    return NewVersionFields(
        ordinal=ordinal, description=description, metadata=metadata, inputs=tuple(texts("inputs", inputs))
    )
