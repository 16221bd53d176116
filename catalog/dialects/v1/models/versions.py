"""Versions, their files and links to them."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from typing import Annotated, Any, Literal, Self

from msgspec import UNSET, Meta, Struct, UnsetType

from catalog.blobs.protocol import FileHead, is_digest
from catalog.dialects.v1.errors import details_of, native
from catalog.dialects.v1.models.common import (
    ONE_LINE,
    Body,
    Change,
    Digest,
    Id,
    Line,
    Moment,
    ShortNonBlank,
    ShortText,
    Text,
    moment,
)
from catalog.dialects.v1.models.items.items import (
    Archived,
    Count,
    Description,
    ExternalId,
    Pairs,
    VersionContent,
    version_content,
)
from catalog.dialects.v1.models.items.metadata import MetadataDelta, Pair
from catalog.domain.files.blob_records import Condition
from catalog.domain.files.filenames import LONGEST_PATH, file_name, media_type
from catalog.domain.limits import LONGEST_INTEGER, LONGEST_LINK
from catalog.domain.lineage.inputs import LONGEST as LONGEST_REFERENCE
from catalog.domain.lineage.inputs import MOST as MOST_INPUTS
from catalog.domain.lineage.inputs import InputReference
from catalog.domain.versions import details
from catalog.domain.versions.details import VersionDetails
from catalog.domain.versions.drafts.batches import Outcome
from catalog.domain.versions.files import links
from catalog.domain.versions.files.version_files import SHOWN
from catalog.domain.versions.numbering import LONGEST_ORDINAL
from catalog.domain.versions.version_changes import STATES, VersionChange
from catalog.errors import NOT_CREATED, Refused
from catalog.inspection.inspector import Inspection
from catalog.store.records import FileRecord, ItemRecord, VersionRecord
from catalog.vocabulary import Kind, Stage, VersionState

SHORTEST, USUAL, LONGEST = (int(life.total_seconds()) for life in (links.SHORTEST, links.USUAL, links.LONGEST))
"""Seconds that a link lives."""

NEEDED_DIGEST = "digest: sha256: and 64 hexadecimal characters are needed"

Ordinal = Annotated[
    ShortText,
    Meta(description="The label of the version; default: the next number.", examples=["v2"]),
    Meta(extra_json_schema={"maxLength": LONGEST_ORDINAL}),
]
Author = Annotated[Line, Meta(description="Who made it, as a text.")]
Uri = Annotated[str, Meta(max_length=LONGEST_LINK, pattern="^(?:[A-Za-z][A-Za-z0-9+.-]*:[^\\x00-\\x1f\\x7f]+)?$")]
NewState = Annotated[VersionState, Meta(extra_json_schema={"enum": list(map(str, STATES))}, examples=["ARCHIVED"])]


class TrainingRun(Body):
    """The training run that made a version."""

    id: Line = ""
    link: Annotated[str, Meta(max_length=LONGEST_LINK, pattern=ONE_LINE)] = ""

    def as_input(self) -> details.TrainingRun:
        return details.TrainingRun(self.id, self.link)


class InputByNumber(Body):
    """A version that another one was made from, as answers show it."""

    kind: Kind
    item: Annotated[str, Meta(min_length=1, max_length=LONGEST_REFERENCE, description="An id, name or owner/name.")]
    number: Annotated[int, Meta(ge=1, le=LONGEST_INTEGER - 1)]


InputText = Annotated[
    str,
    Meta(min_length=1, max_length=LONGEST_REFERENCE, pattern="^[^\\x00]+$"),
    Meta(description="`[kind/][owner/]name[@which]`: without a kind a dataset, then a model, then an algorithm."),
    Meta(examples=["datasets/petals@2"]),
]
Inputs = Annotated[list[InputText | InputByNumber], Meta(max_length=MOST_INPUTS, description="What it was made from.")]


def input_references(inputs: Iterable[str | InputByNumber]) -> list[InputReference]:
    return [
        InputReference(each) if isinstance(each, str) else InputReference(each.item, each.kind, each.number)
        for each in inputs
    ]


class NewVersion(Body, kw_only=True):
    """What all new versions have in common."""

    ordinal: Ordinal | None = None
    description: Description | None = None
    metadata: Pairs | None = None
    author: Author | None = None
    stage: Stage | None = None
    archived: Archived | None = None
    external_id: Annotated[ExternalId | None, Meta(description="Unique among the versions of the item.")] = None
    run: TrainingRun | None = None
    inputs: Inputs | None = None

    def details(self) -> VersionDetails:
        return VersionDetails(
            ordinal=(self.ordinal or "").strip(),
            description=self.description or "",
            metadata=[pair.as_input() for pair in self.metadata or ()],
            author=self.author or "",
            stage=self.stage or Stage.NONE,
            archived=self.archived or False,
            external_id=self.external_id or "",
            run=self.run.as_input() if self.run else None,
            made_from=input_references(self.inputs or ()),
        )


class NewDraft(NewVersion, kw_only=True):
    """A version whose files are uploaded one by one."""

    draft: Annotated[bool, Meta(extra_json_schema={"const": True}, examples=[True])]


class StoredBytes(NewVersion, kw_only=True):
    """A version of bytes that the catalog stores already, in a file that the caller may read."""

    digest: Annotated[str, Meta(extra_json_schema={"pattern": "^(sha256:)?[0-9a-fA-F]{64}$"})]
    size: Annotated[int, Meta(ge=0, le=LONGEST_INTEGER - 1, description="Ignored: the stored size counts.")] | None = (
        None
    )
    name: Annotated[ShortNonBlank, Meta(description="The name of the file.")]
    mimetype: ShortText | None = None

    def digest_and_head(self) -> tuple[str, FileHead]:
        """Raises Refused: NOT_CREATED."""
        digest = self.digest.removeprefix("sha256:").lower()
        if not is_digest(digest):
            raise Refused(NOT_CREATED, NEEDED_DIGEST)
        name = file_name(self.name)
        return digest, FileHead(name, media_type(self.mimetype or "", name), "binary")


class BytesElsewhere(NewVersion, kw_only=True):
    """A version whose bytes are not stored in the catalog."""

    uri: Annotated[
        Uri,
        Meta(min_length=1, description="Where they are: any scheme. The server never opens it."),
        Meta(examples=["s3://models/iris/model.onnx"]),
    ]

    def details(self) -> VersionDetails:
        return replace(NewVersion.details(self), uri=self.uri)


class VersionUpdate(Change):
    """What changes of a version."""

    description: Annotated[Description | None, Meta(examples=["the one of the paper"])] = None
    metadata: MetadataDelta | None = None
    state: NewState | None = None
    author: Author | None = None
    stage: Annotated[Stage | None, Meta(examples=["staging"])] = None
    archived: Archived | None = None
    pinned: Annotated[bool | None, Meta(description="No policy of retention removes it.")] = None
    external_id: ExternalId | None = None
    run: TrainingRun | None = None
    uri: Annotated[Uri | None, Meta(description="Of a version without files.")] = None
    inputs: Annotated[Inputs | None, Meta(description="In the place of those that it has.")] = None

    def as_input(self) -> VersionChange:
        return VersionChange(
            description=self.description,
            metadata=self.metadata.as_input() if self.metadata else None,
            state=self.state,
            author=self.author,
            stage=self.stage,
            archived=self.archived,
            pinned=self.pinned,
            external_id=self.external_id,
            run=self.run.as_input() if self.run else None,
            uri=self.uri,
            made_from=None if self.inputs is None else input_references(self.inputs),
        )


class NewLink(Body):
    """A link to create."""

    expires_in: Annotated[
        int | None,
        Meta(
            description=f"Seconds; default: {USUAL}.",
            examples=[USUAL],
            extra_json_schema={"minimum": SHORTEST, "maximum": LONGEST},
        ),
    ] = None
    path: Annotated[Text, Meta(max_length=LONGEST_PATH, description="One file of a folder.")] | None = None

    def life(self) -> timedelta:
        return timedelta(seconds=USUAL if self.expires_in is None else self.expires_in)


def refuse_lifetime(seconds: object) -> None:
    """Raises Refused: NOT_CREATED."""
    if not isinstance(seconds, int) or isinstance(seconds, bool) or not SHORTEST <= seconds <= LONGEST:
        raise Refused(NOT_CREATED, f"expires_in: {SHORTEST} to {LONGEST} seconds are possible")


class DownloadLink(Struct):
    """A link that opens without a token."""

    url: str
    token: str
    expires: Moment


class FileInfo(Struct, kw_only=True):
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
    """What became of each of many files."""

    files: Annotated[list[FileInfo], Meta(description="The files that are in the draft now.")]
    errors: Annotated[list[RefusedFile], Meta(description="The files that are not.")]

    @classmethod
    def of(cls, outcomes: Iterable[Outcome]) -> Self:
        files, errors = [], []
        for outcome in outcomes:
            if outcome.file:
                files.append(FileInfo.of(outcome.file))
            elif outcome.refusal:
                error = native(outcome.refusal.fault, "PUT")
                reason = (error.status, error.value, error.message, details_of(outcome.refusal))
                errors.append(RefusedFile(outcome.path[:LONGEST_PATH], *reason))
        return cls(files, errors)


class InspectionReport(Struct, kw_only=True):
    """The findings in the files. No file is ever called safe."""

    format: str
    summary: Annotated[dict[str, Any], Meta(description="What the header of the format says.")]
    findings: list[dict[str, Any]]
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
    metadata: list[Pair]
    owner: Id
    lastmod: Moment
    inspection: InspectionReport | None

    @classmethod
    def of(cls, record: VersionRecord, item: ItemRecord) -> Self:
        return cls(**listed_fields(record, item))


class WholeVersion(ListedVersion, kw_only=True):
    """A version, with its files."""

    files: Annotated[list[FileInfo], Meta(description=f"The first {SHOWN}, by path; the list of files has all.")]
    truncated: Annotated[Literal[True] | UnsetType, Meta(description="It has more files than are shown.")] = UNSET

    @classmethod
    def of(cls, record: VersionRecord, item: ItemRecord) -> Self:
        """What `version_files.shown` returns."""
        files = [FileInfo.of(file) for file in record["files"]]
        truncated: Literal[True] | UnsetType = True if len(files) < record["file_count"] else UNSET
        return cls(**listed_fields(record, item), files=files, truncated=truncated)


def listed_fields(record: VersionRecord, item: ItemRecord) -> dict[str, Any]:
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
    condition: Condition


class Verification(Struct):
    """The condition of each file of a version."""

    intact: bool
    files: list[VerifiedFile]

    @classmethod
    def of(cls, found: list[tuple[FileRecord, Condition]]) -> Self:
        files = [VerifiedFile(file["path"], file["digest"], file["size"], condition) for file, condition in found]
        return cls(all(file.condition is Condition.INTACT for file in files), files)
