"""`catalog.load`: a version as an object of its library, such as a dictionary of arrays."""

import re
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path, PurePosixPath
from typing import Any, TypeAlias

from msgspec.structs import replace

from catalog.client.errors import Invalid, Unsafe
from catalog.client.results import File, Version
from catalog.client.revisions import parse_reference
from catalog.client.session import Session
from catalog.client.transfer.cache import Cache
from catalog.client.transfer.downloads.downloads import download_to_cache, file_of, find_version, refuse_elsewhere
from catalog.client.transfer.progress import Progress
from catalog.client.transfer.uploads.uploads import TargetItem
from catalog.client.transport.effects import Operation, in_thread
from catalog.client.wording import listed

SAFETENSORS, ONNX, PICKLE, JOBLIB = "safetensors", "onnx", "pickle", "joblib"
BY_SUFFIX = {".safetensors": SAFETENSORS, ".onnx": ONNX, ".pkl": PICKLE, ".pickle": PICKLE, ".joblib": JOBLIB}
PROGRAMS = {PICKLE, JOBLIB}
"""Formats that run code of their author when they are loaded."""

SHARD = re.compile(r"-\d{5}-of-\d{5}\.safetensors$")
THREAT = "threat found"
"""The beginning of a verdict that names a threat."""

Loaded: TypeAlias = Any
"""An object of the library that reads the format."""


def load(
    session: Session,
    cache: Cache,
    kind: str,
    reference: str,
    path: str,
    framework: str,
    progress: Progress,
    *,
    trust: bool,
) -> Operation[Loaded]:
    """Download a version into the cache and load it with its library; see `Catalog.load`."""
    named = parse_reference(reference)
    item = TargetItem(session, cache, kind, named.name)
    version = yield from find_version(item, named.revision)
    refuse_elsewhere(item, version)
    files = _files_to_load(version, path)
    format_ = _format(files[0])
    if format_ in PROGRAMS:
        _refuse_untrusted(version, files[0], trust=trust)
    read = _reader(format_, framework)

    # An ONNX model may refer to other files of its folder.
    needed = version if format_ == ONNX else replace(version, files=tuple(files), size=sum(file.size for file in files))
    place = yield from download_to_cache(item, needed, progress)
    paths = [place / file.path for file in files] if version.folder else [place]
    return (yield from in_thread(_read_all, read, paths, format_))


def _files_to_load(version: Version, path: str) -> Sequence[File]:
    """The one file to load, or all shards of a model. Raises Invalid, NotFound."""
    if path:
        return [file_of(version, path)]
    if not version.folder:
        return version.files
    known = [file for file in version.files if _format(file)]
    if len(known) == 1 or (known and all(SHARD.search(file.path) for file in known)):
        return known
    if not known:
        return version.files[:1]
    several = listed([file.path for file in known])
    raise Invalid(f"{version.ordinal} has several files that can be loaded ({several})", advice="Name one: path=.")


def _format(file: File) -> str:
    suffix = BY_SUFFIX.get(PurePosixPath(file.path or file.original).suffix.lower(), "")
    return suffix or (file.format if file.format in BY_SUFFIX.values() else "")


def _refuse_untrusted(version: Version, file: File, *, trust: bool) -> None:
    """Raises Unsafe if the inspection found a threat, Invalid if the caller does not trust the file."""
    verdict = file.verdict or version.inspection.get("verdict") or "not inspected"
    name = file.path or version.original
    if verdict.startswith(THREAT):
        raise Unsafe(f"{name} is not loaded: {verdict}")
    if not trust:
        raise Invalid(
            f"Loading {name} runs code of its author (the inspection says: {verdict})",
            advice="If you trust the author, pass trust=True.",
        )


def _reader(format_: str, framework: str) -> Callable[[Path], Loaded]:
    """The function of the library that reads this format. Raises Invalid, also if the library is not installed."""
    match format_:
        case "safetensors":
            return _imported(f"safetensors.{framework}", "load_file")
        case "onnx":
            return _onnx_reader()
        case "joblib":
            return _imported("joblib", "load")
        case "pickle":
            return _pickle_reader()
    raise Invalid(
        "The file is of no format that load knows",
        advice="It loads safetensors, ONNX, joblib and pickle; catalog.pull downloads any file.",
    )


def _onnx_reader() -> Callable[[Path], Loaded]:
    """With onnxruntime a session that predicts, else the model as onnx reads it."""
    try:
        session = _imported("onnxruntime", "InferenceSession")
    except Invalid:
        return _imported("onnx", "load")
    return lambda path: session(str(path))


def _pickle_reader() -> Callable[[Path], Loaded]:
    """Many pickles are written by joblib, which reads the others as well."""
    try:
        return _imported("joblib", "load")
    except Invalid:
        loads = _imported("pickle", "loads")
        return lambda path: loads(path.read_bytes())


def _imported(module: str, function: str) -> Callable[..., Loaded]:
    try:
        found: Callable[..., Loaded] = getattr(import_module(module), function)
    except ImportError as error:
        package = error.name if error.name and error.name != module else module.partition(".")[0]
        raise Invalid(f"This needs the package {package}", advice=f"pip install {package}") from None
    return found


def _read_all(read: Callable[[Path], Loaded], paths: Sequence[Path], format_: str) -> Loaded:
    """Raises Invalid for any error of the library, for example if the file is damaged or needs another package."""
    try:
        if len(paths) == 1:
            return read(paths[0])
        return {name: tensor for path in paths for name, tensor in read(path).items()}
    except Exception as error:
        names = listed([path.name for path in paths])
        raise Invalid(f"{names} cannot be loaded as {format_} ({type(error).__name__}: {error})") from error
