"""The fields of a new version besides its files, and their rules."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from catalog.domain.access import Caller
from catalog.domain.items.inputs import MetadataPair
from catalog.domain.limits import LONGEST_LINK, LONGEST_NAME, Limits
from catalog.domain.lineage.inputs import InputReference, resolve
from catalog.domain.validation import Validator
from catalog.errors import EXTERNAL_ID_TAKEN, NOT_CREATED, Refused
from catalog.store.documents.versions import InputSubdocument, RunSubdocument
from catalog.store.records import Changes, RunRecord, UploadRecord
from catalog.vocabulary import Stage

SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:.", re.DOTALL)


@dataclass(frozen=True, slots=True)
class TrainingRun:
    """The training run that made a version, as its author names it. Without both fields there is none."""

    id: str = ""
    link: str = ""

    def record(self) -> RunRecord | None:
        return {"id": self.id, "link": self.link} if self.id or self.link else None


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionDetails:
    """The fields of a new version that its client sets, besides its files. Without an `ordinal` it gets the next
    number.
    """

    ordinal: str = ""
    number: int = 0  # the one that it must get, for a copy of a version elsewhere; it is the ordinal, too
    description: str = ""
    metadata: Sequence[MetadataPair] = ()
    author: str = ""
    stage: Stage = Stage.NONE
    archived: bool = False
    external_id: str = ""  # unique among the versions of the item
    run: TrainingRun | None = None
    uri: str = ""  # where the bytes are, of a version without files
    made_from: Sequence[InputReference] = ()  # see domain.lineage
    inputs: Sequence[InputSubdocument] = ()  # what `made_from` names, once it is resolved
    origin: str = ""  # what it was made from, as its author wrote it
    strict: bool = False  # files in which the inspection finds a threat are refused, whatever the tenant's policy is

    @classmethod
    def of(cls, upload: UploadRecord) -> "VersionDetails":
        """The details that the client sent when the upload began, which were checked then."""
        run = upload.get("run")
        return cls(
            ordinal=upload["ordinal"],
            description=upload["description"],
            metadata=[MetadataPair(**pair) for pair in upload["metadata"]],
            author=upload.get("author", ""),
            stage=Stage(upload.get("stage", Stage.NONE)),
            archived=upload.get("archived", False),
            external_id=upload.get("external_id") or "",
            run=TrainingRun(**run) if run else None,
            inputs=[InputSubdocument(**each) for each in upload.get("inputs", ())],
            strict=upload.get("strict", False),
        )

    def checked(self, limits: Limits) -> "VersionDetails":
        """The details with normalized metadata names. Raises Refused: NOT_CREATED."""
        check = Validator(NOT_CREATED, limits)
        check.description(self.description)
        check_lines(check, author=self.author, external_id=self.external_id, run=self.run, uri=self.uri)
        check.line("origin", self.origin, LONGEST_LINK)
        return replace(self, metadata=check.pairs("metadata", self.metadata))

    async def resolved(self, caller: Caller) -> "VersionDetails":
        """The details with the inputs that they name. Raises Refused: NOT_CREATED, AMBIGUOUS."""
        return replace(self, inputs=await resolve(caller, self.made_from, NOT_CREATED)) if self.made_from else self

    def fields(self) -> Changes:
        """The fields that the documents of a version and of an upload share, beside the ordinal and the metadata."""
        run = self.run and self.run.record()
        return {
            "description": self.description,
            "author": self.author,
            "stage": self.stage,
            "archived": self.archived,
            "external_id": self.external_id or None,
            "run": RunSubdocument(**run) if run else None,
        }


NO_DETAILS = VersionDetails()


def check_lines(
    check: Validator,
    *,
    author: str | None = None,
    external_id: str | None = None,
    run: TrainingRun | None = None,
    uri: str | None = None,
) -> None:
    """Check fields that are one line of text. What is None is not checked. Raises Refused with the fault of `check`."""
    check.line("author", author or "", LONGEST_NAME)
    check.line("external_id", external_id or "", LONGEST_NAME)
    if run is not None:
        check.line("run.id", run.id, LONGEST_NAME)
        check.line("run.link", run.link, LONGEST_LINK)
    if uri:
        check.line("uri", uri, LONGEST_LINK)
        if not is_address(uri):
            check.refuse("uri: a scheme is needed, as in s3://bucket/model.onnx")


def is_address(text: str) -> bool:
    """Whether a text may say where the bytes of a version are."""
    return len(text) <= LONGEST_LINK and bool(SCHEME.match(text))


def external_id_taken(external_id: str) -> Refused:
    return Refused(EXTERNAL_ID_TAKEN, external_id)
