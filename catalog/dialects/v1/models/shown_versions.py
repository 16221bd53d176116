"""Versions, their files and links to them, as they are shown."""

from collections.abc import Iterable
from typing import Annotated, Literal, Self

from msgspec import UNSET, Meta, Struct, UnsetType

from catalog.dialects.http.encoded import StructFields
from catalog.dialects.v1.errors import details_of, native
from catalog.dialects.v1.models.common import Digest, Id, JsonObject, Moment, moment
from catalog.dialects.v1.models.items.item_body import Count, VersionContent, version_content
from catalog.dialects.v1.models.items.metadata import PairBody
from catalog.domain.files.blob_records import BlobCondition
from catalog.domain.files.filenames import LONGEST_PATH
from catalog.domain.versions.drafts.batches import Outcome
from catalog.domain.versions.files.tensors import MOST, FileTensors
from catalog.domain.versions.files.version_files import SHOWN
from catalog.inspection.inspector import Inspection
from catalog.store.records import FileRecord, ItemRecord, VersionRecord
from catalog.vocabulary import Kind, Stage


class DownloadLink(Struct):
    """A link that opens without a token."""

    url: str
    token: str
    expires: Moment


class FileInfoBody(Struct, kw_only=True):
    """A file of a version."""

    path: Annotated[str, Meta(description="Its path within the version.")]
    original: Annotated[str, Meta(description="The name of the file.")]
    size: Annotated[Count, Meta(description="bytes")]
    digest: Digest
    mimetype: str
    encoding: str
    format: Annotated[str | UnsetType, Meta(description="The format that an inspection recognised.")] = UNSET
    verdict: Annotated[str | UnsetType, Meta(description="What the inspection found.")] = UNSET

    @classmethod
    def of(cls, record: FileRecord) -> Self:
        return cls(
            path=record["path"],
            original=record["original"],
            size=record["size"],
            digest=record["digest"],
            mimetype=record["mimetype"],
            encoding=record["encoding"],
            format=record.get("format") or UNSET,
            verdict=record.get("verdict") or UNSET,
        )


class RefusedFile(Struct):
    """A file that is not stored, and why."""

    path: str
    status: int
    value: Annotated[int, Meta(description="The number of the error.")]
    message: str
    details: str


class AddedFiles(Struct):
    """The result for each of several files."""

    files: Annotated[list[FileInfoBody], Meta(description="The files that are in the draft now.")]
    errors: Annotated[list[RefusedFile], Meta(description="The files that are not.")]

    @classmethod
    def of(cls, outcomes: Iterable[Outcome]) -> Self:
        files, errors = [], []
        for outcome in outcomes:
            if outcome.file:
                files.append(FileInfoBody.of(outcome.file))
            elif outcome.refusal:
                error = native(outcome.refusal.fault, "PUT")
                reason = (error.status, error.value, error.message, details_of(outcome.refusal))
                errors.append(RefusedFile(outcome.path[:LONGEST_PATH], *reason))
        return cls(files, errors)


class TensorBody(Struct):
    """A tensor of a file."""

    name: str
    dtype: str
    shape: list[int]


class TensorListBody(Struct, rename="camel"):
    """The tensors of a file."""

    format: Annotated[str, Meta(description="`safetensors`, `onnx`, `gguf`, or nothing for another one.")]
    tensors: Annotated[list[TensorBody], Meta(description=f"At most {MOST}.")]
    is_whole: Annotated[bool, Meta(description="False: there are more, or the header could not be read to its end.")]

    @classmethod
    def of(cls, found: FileTensors) -> Self:
        tensors = [TensorBody(name, tensor.dtype, [*tensor.shape]) for name, tensor in found.tensors.items()]
        return cls(found.format, tensors, found.is_whole)


class InspectionReport(Struct, kw_only=True):
    """The findings in the files. No file is ever called safe."""

    format: str
    summary: Annotated[JsonObject, Meta(description="What the header of the format says.")]
    findings: list[JsonObject]
    verdict: Annotated[str, Meta(description="A sentence for people.")]
    inspected: Moment

    @classmethod
    def of(cls, record: Inspection) -> Self:
        return cls(
            format=record["format"],
            summary=record["summary"],
            findings=[dict(finding) for finding in record["findings"]],
            verdict=record["verdict"],
            inspected=moment(record["inspected"]),
        )


class ShownInput(Struct):
    """A version that this one was made from."""

    kind: Kind
    item: Id
    number: int


class ShownRun(Struct):
    """The training run that made a version, as its author names it."""

    id: str
    link: str


class ListedVersion(VersionContent, kw_only=True, rename={"id": "_id"}):
    """A version, without its files."""

    id: Id
    serial: Annotated[int | None, Meta(description="A number that no other version of the tenant has.")]
    author: str
    stage: Stage
    archived: bool
    pinned: Annotated[bool, Meta(description="No policy of retention removes it.")]
    external_id: str | None
    run: ShownRun | None
    inputs: Annotated[list[ShownInput], Meta(description="What it was made from.")]
    uri: Annotated[str, Meta(description="Where the bytes are, of a version without files.")]
    folder: Annotated[bool, Meta(description="Whether its files have paths.")]
    file_count: Count
    metadata: list[PairBody]
    owner: Id
    lastmod: Moment
    inspection: InspectionReport | None

    @classmethod
    def of(cls, record: VersionRecord, item: ItemRecord) -> Self:
        return cls(**listed_fields(record, item))


class WholeVersion(ListedVersion, kw_only=True):
    """A version, with its files."""

    files: Annotated[list[FileInfoBody], Meta(description=f"The first {SHOWN}, by path; the list of files has all.")]
    truncated: Annotated[Literal[True] | UnsetType, Meta(description="It has more files than are shown.")] = UNSET

    @classmethod
    def of(cls, record: VersionRecord, item: ItemRecord) -> Self:
        """What `version_files.shown` returns."""
        files = [FileInfoBody.of(file) for file in record["files"]]
        truncated: Literal[True] | UnsetType = True if len(files) < record["file_count"] else UNSET
        return cls(**listed_fields(record, item), files=files, truncated=truncated)


def listed_fields(record: VersionRecord, item: ItemRecord) -> StructFields:
    inspection, run, inputs = record.get("inspection"), record.get("run"), record.get("inputs", ())
    return version_content(record, item) | {
        "id": str(record["_id"]),
        "serial": record.get("serial"),
        "author": record.get("author", ""),
        "stage": Stage(record.get("stage", Stage.NONE)),
        "archived": record.get("archived", False),
        "pinned": record.get("pinned", False),
        "uri": record.get("uri", ""),
        "external_id": record.get("external_id"),
        "run": ShownRun(run["id"], run["link"]) if run else None,
        "inputs": [ShownInput(Kind(each["kind"]), str(each["item"]), each["number"]) for each in inputs],
        "folder": record["folder"],
        "file_count": record["file_count"],
        "metadata": record["metadata"],
        "owner": str(record["owner"]),
        "lastmod": moment(record["lastmod"]),
        "inspection": InspectionReport.of(inspection) if inspection else None,
    }


class VerifiedFile(Struct):
    """A file whose bytes were compared with its digest."""

    path: str
    digest: str
    size: Count
    condition: BlobCondition


class Verification(Struct):
    """The condition of each file of a version."""

    intact: bool
    files: list[VerifiedFile]

    @classmethod
    def of(cls, found: list[tuple[FileRecord, BlobCondition]]) -> Self:
        files = [VerifiedFile(file["path"], file["digest"], file["size"], condition) for file, condition in found]
        return cls(all(file.condition is BlobCondition.INTACT for file in files), files)
