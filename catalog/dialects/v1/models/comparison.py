"""Versions compared with each other."""

from typing import Annotated, Self

from msgspec import Meta, Struct

from catalog.dialects.v1.models.common import Digest
from catalog.dialects.v1.models.items.item_body import Count, VersionContent
from catalog.dialects.v1.models.shown_versions import ShownRun, listed_fields
from catalog.domain.versions.comparison.compare import (
    FileState,
    TensorDifferences,
    VersionComparison,
    VersionDifferences,
)
from catalog.domain.versions.comparison.differences import MOST_LISTED, Differences
from catalog.domain.versions.comparison.metadata import ComparedPair
from catalog.domain.versions.files.tensors import Tensor
from catalog.store.records import ItemRecord, VersionRecord
from catalog.vocabulary import Stage

LISTED = f"The first {MOST_LISTED}; `counts` is of all."


class ComparedVersion(VersionContent, kw_only=True):
    """A version that is compared."""

    which: Annotated[str, Meta(description="As the request named it.")]
    author: str
    stage: Stage
    uri: str
    run: ShownRun | None
    folder: bool
    file_count: Count

    @classmethod
    def of(cls, which: str, record: VersionRecord, item: ItemRecord) -> Self:
        known = {field: value for field, value in listed_fields(record, item).items() if field in cls.__struct_fields__}
        return cls(which=which, **known)


class ComparedMetadata(Struct):
    """A metadata name in all versions."""

    name: str
    values: Annotated[
        list[str | int | float | bool | None],
        Meta(description="In the order of the versions; null where it is absent."),
    ]
    differs: bool
    change: Annotated[
        list[int | float | None], Meta(description="Of numbers: how much more than in the first version.")
    ]

    @classmethod
    def of(cls, pair: ComparedPair) -> Self:
        return cls(pair.name, pair.values, pair.differs, pair.change)


class Counts(Struct):
    """How many there are of each."""

    added: Count
    removed: Count
    changed: Count
    same: Count

    @classmethod
    def of(cls, found: Differences[FileState] | Differences[Tensor]) -> Self:
        return cls(found.added_count, found.removed_count, found.changed_count, found.same_count)


class ComparedFile(Struct):
    """A file that one of the two versions lacks."""

    path: str
    digest: Digest
    size: Count


class ChangedFile(Struct):
    """A file whose bytes differ."""

    path: str
    digest_before: Digest
    digest: Digest
    size_before: Count
    size: Count


class FileDifferences(Struct, kw_only=True):
    """The files that differ."""

    counts: Counts
    added: Annotated[list[ComparedFile], Meta(description=LISTED)]
    removed: Annotated[list[ComparedFile], Meta(description=LISTED)]
    changed: Annotated[list[ChangedFile], Meta(description=LISTED)]

    @classmethod
    def of(cls, found: Differences[FileState]) -> Self:
        return cls(
            counts=Counts.of(found),
            added=[ComparedFile(path, *state) for path, state in found.added.items()],
            removed=[ComparedFile(path, *state) for path, state in found.removed.items()],
            changed=[
                ChangedFile(each.name, each.before.digest, each.after.digest, each.before.size, each.after.size)
                for each in found.changed
            ],
        )


class ComparedTensor(Struct):
    """A tensor that one of the two files lacks."""

    name: str
    dtype: str
    shape: list[int]


class ChangedTensor(Struct):
    """A tensor of another type or shape."""

    name: str
    dtype_before: str
    dtype: str
    shape_before: list[int]
    shape: list[int]


class FileTensorsBody(Struct, kw_only=True):
    """The tensors of a file that differ."""

    path: str
    path_before: Annotated[str, Meta(description="The file in the first version.")]
    format: str
    complete: Annotated[bool, Meta(description="False: a header has more than could be read.")]
    counts: Counts
    added: Annotated[list[ComparedTensor], Meta(description=LISTED)]
    removed: Annotated[list[ComparedTensor], Meta(description=LISTED)]
    changed: Annotated[list[ChangedTensor], Meta(description=LISTED)]

    @classmethod
    def of(cls, file: TensorDifferences) -> Self:
        found = file.found
        return cls(
            path=file.path,
            path_before=file.path_before,
            format=file.format,
            complete=file.is_whole,
            counts=Counts.of(found),
            added=[ComparedTensor(name, each.dtype, list(each.shape)) for name, each in found.added.items()],
            removed=[ComparedTensor(name, each.dtype, list(each.shape)) for name, each in found.removed.items()],
            changed=[
                ChangedTensor(
                    each.name, each.before.dtype, each.after.dtype, list(each.before.shape), list(each.after.shape)
                )
                for each in found.changed
            ],
        )


class FromFirst(Struct, kw_only=True):
    """How a version differs from the first one."""

    which: str
    files: FileDifferences
    tensors: Annotated[
        list[FileTensorsBody],
        Meta(description="Of safetensors, ONNX and GGUF files whose bytes differ: their tensors."),
    ]
    skipped: Annotated[list[str], Meta(description="Model files that were not compared: there are too many.")]

    @classmethod
    def of(cls, which: str, found: VersionDifferences) -> Self:
        return cls(
            which=which,
            files=FileDifferences.of(found.files),
            tensors=[FileTensorsBody.of(file) for file in found.tensors],
            skipped=found.skipped,
        )


class ComparedVersions(Struct):
    """Versions side by side, and how each differs from the first."""

    versions: list[ComparedVersion]
    metadata: list[ComparedMetadata]
    differences: Annotated[list[FromFirst], Meta(description="Of each version but the first.")]

    @classmethod
    def of(cls, which: list[str], found: VersionComparison) -> Self:
        pairs = zip(which, found.versions, strict=True)
        return cls(
            [ComparedVersion.of(name, version, found.item) for name, version in pairs],
            [ComparedMetadata.of(pair) for pair in found.metadata],
            [FromFirst.of(name, each) for name, each in zip(which[1:], found.differences, strict=True)],
        )
