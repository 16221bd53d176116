"""The tensors of model files: their names, types and shapes, from the headers of the files."""

from collections.abc import Mapping
from typing import NamedTuple

from catalog.blobs.protocol import StorageUnavailableError, UnknownBlobError
from catalog.domain.access import Caller
from catalog.domain.items.references import Reference
from catalog.domain.versions import reading
from catalog.domain.versions.files import version_files
from catalog.inspection.inspector import Inspection, inspect_header
from catalog.store.records import FileRecord
from catalog.store.tenant import Tenant
from catalog.vocabulary import Kind

MOST = 20_000
"""Tensors of a file that are read."""

FORMATS = frozenset({"safetensors", "onnx", "gguf"})
ENDINGS = (".safetensors", ".onnx", ".gguf")


class Tensor(NamedTuple):
    dtype: str
    shape: tuple[int, ...]


class FileTensors(NamedTuple):
    format: str
    tensors: Mapping[str, Tensor]
    is_whole: bool  # false: there are more of them, or the header could not be read to its end


def may_have_tensors(file: FileRecord, format_: str = "") -> bool:
    """Whether a file is worth a look at its header."""
    known = file["format"] or format_
    return known in FORMATS if known else file["original"].lower().endswith(ENDINGS)


async def read_tensors(tenant: Tenant, file: FileRecord, inspection: Inspection | None) -> FileTensors | None:
    """The tensors of a file, from its `inspection` if that lists all of them. None for a file of another format."""
    if inspection is None or inspection["format"] not in FORMATS or inspection["summary"].get("truncated", True):
        try:
            inspection = await inspect_header(tenant.blobs, file["digest"], file["size"], file["original"], MOST)
        except (UnknownBlobError, StorageUnavailableError, OSError, TimeoutError):
            return FileTensors("", {}, is_whole=False)
    if inspection is None or inspection["format"] not in FORMATS:
        return None
    summary = inspection["summary"]
    tensors = {row["name"]: Tensor(row["dtype"], tuple(row["shape"])) for row in summary.get("shown", ())}
    is_whole = not summary.get("truncated", True) and not inspection["findings"]
    return FileTensors(inspection["format"], tensors, is_whole)


async def of_file(caller: Caller, kind: Kind, reference: Reference, path: str) -> FileTensors:
    """The tensors of a file of a version. A file of another format has none.

    Raises Refused: NOT_FOUND, CANNOT_READ, QUARANTINED.
    """
    version = await reading.read_content(caller, kind, reference)
    file = await version_files.at(caller.tenant, version, path)
    inspection = None if version["folder"] else version.get("inspection")
    return await read_tensors(caller.tenant, file, inspection) or FileTensors("", {}, is_whole=True)
