"""Interprets the `source` of a new version: files in the catalog, or an address that it stores and never opens."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from urllib.parse import SplitResult, unquote, urlsplit

from catalog.dialects.mlflow.requests import Call
from catalog.dialects.mlflow.translation import finding, tags
from catalog.dialects.mlflow.translation.finding import RequestedModel
from catalog.dialects.mlflow.translation.shown import download_uri
from catalog.dialects.mlflow.translation.stages import stage_of
from catalog.domain.artifacts import paths, reading
from catalog.domain.files.intake import StoredFile
from catalog.domain.versions import lookup
from catalog.domain.versions.across.newest import newest_of_stages
from catalog.domain.versions.aliases import moves
from catalog.errors import INVALID_FIELD, NOT_FOUND, Refused
from catalog.store.records import VersionRecord
from catalog.vocabulary import Stage

LONGEST = 4096  # characters
LAYERS = 8  # of percent-encoding

MODELS = "models:/"
LOGGED_MODEL = re.compile(r"m-[0-9a-zA-Z]+")
ARTIFACTS = re.compile(r"(?:/ajax-api|/api)/2\.0/mlflow-artifacts/artifacts/(.*)", re.DOTALL)

NO_SCHEME = (
    "Invalid model version source: '{}'. A local path means nothing to this server: give the address of a storage, or "
    "an address of the artifact service (mlflow-artifacts:/...). With modelregistry://... as MLFLOW_REGISTRY_URI, "
    "log_model(registered_model_name=...) uploads the files."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionSource:
    """What a version is made from: `files` that are stored here, or the `uri` of bytes elsewhere.

    `text` is the source as it is shown. The rest is inherited from a version that is copied.
    """

    text: str
    files: Sequence[StoredFile] = field(default=())
    uri: str = ""
    run_id: str = ""
    model_id: str = ""


async def read(call: Call, source: str, *, is_text: bool) -> VersionSource:
    """With `is_text` a source may be a text that leads nowhere, as those of prompts and of copies.

    Raises Refused: INVALID_FIELD, NOT_FOUND, and what `reading.stored_files` raises.
    """
    _refuse_traversal(source)
    if source.startswith(MODELS):
        return await _of_model(call, source)
    parts = _split(source)
    if parts.scheme == "mlflow-artifacts":
        return await _of_artifacts(call, source, parts)
    if parts.scheme in {"http", "https"} and (path := _own_path(call, parts)) is not None:
        return VersionSource(text=source, files=await reading.stored_files(call.caller, path))
    if not parts.scheme or len(parts.scheme) == 1 or parts.scheme == "file":
        if is_text:
            return VersionSource(text=source)
        raise Refused(INVALID_FIELD, NO_SCHEME.format(source[:200]))
    return VersionSource(text=source, uri=source)


async def _of_artifacts(call: Call, source: str, parts: SplitResult) -> VersionSource:
    """`mlflow-artifacts:/path` is of the tracking server, which may be this one: then the files are here."""
    is_here = not parts.netloc or parts.netloc == urlsplit(call.server_url).netloc
    path = unquote(parts.path).strip("/")
    if is_here and path:
        try:
            return VersionSource(text=source, files=await reading.stored_files(call.caller, path))
        except Refused as refused:
            if refused.fault is not NOT_FOUND:
                raise
    return VersionSource(text=source, uri=source)


async def _of_model(call: Call, source: str) -> VersionSource:
    rest = unquote(source[len(MODELS) :].lstrip("/"))
    if "/" not in rest and "@" not in rest:
        if LOGGED_MODEL.fullmatch(rest):  # a model of the tracking server, which resolves it
            return VersionSource(text=source, uri=source)
        raise Refused(INVALID_FIELD, f"Invalid model version source: '{source[:200]}'. Use models:/name/version.")
    name, sign, which = rest.rpartition("@") if "@" in rest else rest.rpartition("/")
    model = await finding.model(call, name)
    version = await (_with_alias(call, model, which) if sign == "@" else _with_number(call, model, which))
    run = version.get("run")
    pairs = {pair["name"]: str(pair["value"]) for pair in version["metadata"]}
    copied = VersionSource(
        text=f"{MODELS}{name}/{version['number']}",
        run_id=run["id"] if run else "",
        model_id=pairs.get(tags.MODEL_ID, ""),
    )
    if version["file_count"] and not version.get("uri"):
        files = await reading.stored_files(call.caller, paths.of_version(version["_id"]))
        return replace(copied, files=files)
    return replace(copied, uri=download_uri(call, version))


async def _with_alias(call: Call, model: RequestedModel, alias: str) -> VersionRecord:
    if alias.lower() == "latest":
        return await _with_number(call, model, alias)
    found = moves.find(model.item, alias)
    if found is None:
        raise Refused(NOT_FOUND, f"Registered model alias {alias[:300]} not found.")
    return (await finding.version_of(call, model, found["number"])).version


async def _with_number(call: Call, model: RequestedModel, which: str) -> VersionRecord:
    if which.isascii() and which.isdigit():
        return (await finding.version_of(call, model, finding.number_of(which))).version
    tenant, item = call.caller.tenant, model.item
    if which.lower() == "latest":
        version = await lookup.latest(tenant, item)
    else:
        stage = stage_of(which)
        staged = (await newest_of_stages(tenant, [item]))[item["_id"]]
        version = next((each for each in staged if each.get("stage", Stage.NONE) == stage), None)
    if version is None:
        raise Refused(NOT_FOUND, f"No versions of model with name '{model.name[:300]}' and stage '{which[:80]}' found")
    return version


def _own_path(call: Call, parts: SplitResult) -> str | None:
    """The path in the artifact service of this server that an address leads to; None for any other address."""
    own = urlsplit(call.server_url)
    if parts.netloc.rpartition("@")[2] != own.netloc or not parts.path.startswith(own.path):
        return None
    found = ARTIFACTS.fullmatch(parts.path[len(own.path) :])
    return unquote(found[1]).strip("/") if found else None


def own_version(call: Call, source: str) -> str | None:
    """The id of the version whose files an address of this server leads to."""
    path = _own_path(call, _split(source)) if source.startswith(("http://", "https://")) else None
    found = paths.version_path(path) if path else None
    return str(found.version) if found and not found.path else None


def _split(source: str) -> SplitResult:
    try:
        return urlsplit(source)
    except ValueError:
        raise Refused(INVALID_FIELD, f"Invalid model version source: '{source[:200]}'") from None


def _refuse_traversal(source: str) -> None:
    """Raises Refused: INVALID_FIELD for what could mean another place than it shows, however often it is encoded."""
    if len(source) > LONGEST:
        raise Refused(INVALID_FIELD, f"Invalid model version source: it has more than {LONGEST} characters")
    for text in _decoded(source):
        leads_out = any(part == ".." for part in re.split(r"[/\\]", text))
        if leads_out or any(ord(sign) < ord(" ") for sign in text):
            raise Refused(
                INVALID_FIELD,
                f"Invalid model version source: '{source[:200]}'. It must not have '..' or control characters.",
            )


def _decoded(text: str) -> Iterator[str]:
    """The text, and what it becomes when its percent-encoding is undone again and again."""
    for _ in range(LAYERS):
        yield text
        text, before = unquote(text), text
        if text == before:
            return
    raise Refused(INVALID_FIELD, f"Invalid model version source: it is percent-encoded more than {LAYERS} times")
