"""The fields that all answers about models, datasets and algorithms have."""

from collections.abc import Mapping
from operator import itemgetter
from typing import Annotated, Literal, Self

from msgspec import UNSET, Meta, Struct, UnsetType

from catalog.dialects.http.encoded import StructFields
from catalog.dialects.v1.models.common import Digest, Id, Moment, moment
from catalog.dialects.v1.models.items.card_fields import CARD_TEXTS, ShownCardFields
from catalog.dialects.v1.models.items.metadata import PairBody
from catalog.domain.items.inputs import LISTS
from catalog.domain.items.reading.related import Related
from catalog.domain.versions.aliases.moves import names_of
from catalog.store.records import ItemRecord, VersionRecord
from catalog.vocabulary import Stage, VersionState, Visibility

LONGEST_EMBEDDED = 1000  # characters of a version's description in its item

ARCHIVE = {"encoding": "binary", "mimetype": "application/zip"}
"""How a folder is downloaded."""


Count = Annotated[int, Meta(ge=0)]
State = Annotated[str, Meta(extra_json_schema={"enum": [str(state) for state in VersionState]})]


class VersionContent(Struct, kw_only=True):
    """What every answer shows of a version. A folder is shown as the archive that a download of it is."""

    ordinal: Annotated[str, Meta(description="The label of the version.")]
    key: Id
    original: Annotated[str, Meta(description="The name of its file, or of the archive of a folder.")]
    encoding: str
    mimetype: str
    size: Annotated[Count, Meta(description="Bytes of all files together.")]
    description: str
    timestamp: Moment
    digest: Digest
    state: State
    aliases: Annotated[list[str], Meta(description="The aliases that point to it.")]


NO_FILE = {"original": "", "encoding": "", "mimetype": ""}


def version_content(record: VersionRecord, item: ItemRecord) -> StructFields:
    file: Mapping[str, object]
    if record["folder"]:
        file = ARCHIVE | {"original": f"{record['ordinal']}.zip"}
    else:
        file = record["files"][0] if record["files"] else NO_FILE
    return {
        "ordinal": record["ordinal"],
        "key": str(record["_id"]),
        "original": file["original"],
        "encoding": file["encoding"],
        "mimetype": file["mimetype"],
        "size": record["size"],
        "description": record["description"],
        "timestamp": moment(record["timestamp"]),
        "digest": record["digest"],
        "state": record["state"],
        "aliases": names_of(item, record["number"]),
    }


class VersionSummary(VersionContent, kw_only=True):
    """A version, as its item shows it."""

    file_count: Annotated[Count | UnsetType, Meta(description="Only of a folder.")] = UNSET
    stage: Annotated[Stage | UnsetType, Meta(description="Unless it is `none`.")] = UNSET
    archived: Annotated[bool | UnsetType, Meta(description="Only where true.")] = UNSET
    uri: Annotated[str | UnsetType, Meta(description="Only where the bytes are kept elsewhere.")] = UNSET
    description_truncated: Annotated[
        bool | UnsetType, Meta(description="True: the description is longer, the version's own record has all of it.")
    ] = UNSET

    @classmethod
    def of(cls, record: VersionRecord, item: ItemRecord) -> Self:
        summary = cls(**version_content(record, item))
        if record["folder"]:
            summary.file_count = record["file_count"]
        if (stage := record.get("stage", Stage.NONE)) != Stage.NONE:
            summary.stage = Stage(stage)
        summary.archived = record.get("archived") or UNSET
        summary.uri = record.get("uri") or UNSET
        if len(summary.description) > LONGEST_EMBEDDED:
            summary.description = summary.description[:LONGEST_EMBEDDED]
            summary.description_truncated = True
        return summary


class AliasSummary(Struct):
    """An alias, as its item shows it."""

    name: str
    version: Annotated[str, Meta(description="The ordinal of the version.")]


WIRE_NAMES = {
    "id": "_id",
    "versions_total": "versionsTotal",
    "versions_total_is_exact": "versionsTotalIsExact",
}


class ItemBody(ShownCardFields, kw_only=True, rename=WIRE_NAMES):
    """What models, datasets and algorithms have in common."""

    visibility: Visibility
    tags: list[str]
    id: Id
    name: str
    description: str
    external_id: str | None
    archived: bool
    metadata: list[PairBody]
    owner: Id
    aliases: Annotated[list[AliasSummary], Meta(description="By name.")]
    versions: Annotated[
        list[VersionSummary], Meta(description="The newest 100, with descriptions of at most 1000 characters.")
    ]
    versions_total: Annotated[Count, Meta(description="How many versions there are, or about how many.")]
    versions_total_is_exact: Annotated[
        Literal[False] | UnsetType, Meta(description="They are many: removed ones and drafts may be among them.")
    ] = UNSET
    timestamp: Moment
    lastmod: Moment


MAY_LACK: dict[str, object] = {
    **dict.fromkeys(CARD_TEXTS, ""),
    **{field: [] for field in LISTS},
    "external_id": None,
    "archived": False,
}
"""The fields that a record may lack, with what is shown then."""

AS_STORED = ("visibility", "tags", "name", "description", "metadata", *MAY_LACK)
"""The fields that are shown as a record has them."""

_stored = itemgetter(*AS_STORED)


def item_fields(record: ItemRecord, related: Related) -> StructFields:
    newest = related.newest[record["_id"]]
    return dict(zip(AS_STORED, _stored(MAY_LACK | record), strict=True)) | {
        "id": str(record["_id"]),
        "owner": str(record["owner"]),
        "aliases": [AliasSummary(alias["name"], alias["ordinal"]) for alias in record.get("aliases", ())],
        "versions": [VersionSummary.of(found, record) for found in newest.versions],
        "versions_total": newest.total,
        "versions_total_is_exact": UNSET if newest.is_exact else False,
        "timestamp": moment(record["timestamp"]),
        "lastmod": moment(record["lastmod"]),
    }
