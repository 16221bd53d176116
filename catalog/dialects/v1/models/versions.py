"""Versions and links to them, as clients ask for them."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from typing import Annotated

from msgspec import Meta

from catalog.blobs.protocol import FileHead, is_digest
from catalog.dialects.v1.models.common import ONE_LINE, Change, Line, RequestBody, ShortNonBlank, ShortText, Text
from catalog.dialects.v1.models.items.items import Archived, Description, ExternalId, Pairs
from catalog.dialects.v1.models.items.metadata import MetadataDelta
from catalog.domain.files.filenames import LONGEST_PATH, file_name, media_type
from catalog.domain.limits import LONGEST_INTEGER, LONGEST_LINK
from catalog.domain.lineage.inputs import LONGEST as LONGEST_REFERENCE
from catalog.domain.lineage.inputs import MOST as MOST_INPUTS
from catalog.domain.lineage.inputs import InputReference
from catalog.domain.versions import details
from catalog.domain.versions.details import VersionDetails
from catalog.domain.versions.files import links
from catalog.domain.versions.numbering import LONGEST_ORDINAL
from catalog.domain.versions.version_changes import STATES, VersionChange
from catalog.errors import NOT_CREATED, Refused
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


class TrainingRunBody(RequestBody):
    """The training run that made a version."""

    id: Line = ""
    link: Annotated[str, Meta(max_length=LONGEST_LINK, pattern=ONE_LINE)] = ""

    def as_input(self) -> details.TrainingRun:
        return details.TrainingRun(self.id, self.link)


class InputByNumber(RequestBody):
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


class NewVersion(RequestBody, kw_only=True):
    """What all new versions have in common."""

    ordinal: Ordinal | None = None
    description: Description | None = None
    metadata: Pairs | None = None
    author: Author | None = None
    stage: Stage | None = None
    archived: Archived | None = None
    external_id: Annotated[ExternalId | None, Meta(description="Unique among the versions of the item.")] = None
    run: TrainingRunBody | None = None
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


class SaidBesideFile(RequestBody, kw_only=True):
    """What is said of a version beside its file, and is more than a text."""

    metadata: Pairs | None = None
    inputs: Inputs | None = None


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
    strict: Annotated[bool, Meta(description="Refuse a file in which the inspection finds a threat.")] | None = None

    def details(self) -> VersionDetails:
        return replace(NewVersion.details(self), strict=self.strict or False)

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
    run: TrainingRunBody | None = None
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


class NewLink(RequestBody):
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
