"""Models, datasets and algorithms: what clients send, and the fields that all answers have."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, Self

from msgspec import UNSET, Meta, Struct, UnsetType

from catalog.dialects.http.docs.schemas import at_most, at_most_elements
from catalog.dialects.v1.models.common import (
    NOT_NUL,
    ONE_LINE,
    Change,
    Digest,
    Id,
    Line,
    Moment,
    NonBlank,
    RequestBody,
    ShortText,
    Text,
    moment,
)
from catalog.dialects.v1.models.items.metadata import MetadataDelta, NewPair, PairBody
from catalog.domain.items.inputs import LISTS, TEXTS, ItemChange, ListChange, NewItem
from catalog.domain.items.reading.related import Related
from catalog.domain.limits import LONGEST_DESCRIPTION, LONGEST_LINK
from catalog.domain.validation import LONGEST_WORD, MOST_WORDS
from catalog.domain.versions.aliases.moves import names_of
from catalog.store.records import ItemRecord, VersionRecord
from catalog.vocabulary import Stage, Status, VersionState, Visibility

ItemName = Annotated[NonBlank, at_most("name", description="Unique among your items of this kind.", examples=["iris"])]
TagName = Annotated[NonBlank, at_most("tag", examples=["flowers"])]
Reference = Annotated[str, Meta(min_length=1, pattern="^[^\\x00]+$")]
Tags = Annotated[list[TagName], at_most_elements("tags")]
Pairs = Annotated[list[NewPair], at_most_elements("metadata", description="Each name once.")]
References = Annotated[list[Reference], at_most_elements("users")]
LONGEST_EMBEDDED = 1000  # characters of a version's description in its item

CARD_TEXTS = tuple(TEXTS.keys() - {"description"})
"""The fields beside a card that are texts."""

ARCHIVE = {"encoding": "binary", "mimetype": "application/zip"}
"""How a folder is downloaded."""

Count = Annotated[int, Meta(ge=0)]
State = Annotated[str, Meta(extra_json_schema={"enum": [str(state) for state in VersionState]})]

ExternalId = Annotated[Line, Meta(description="Its id in another system; empty: none.", examples=["run-4711"])]
Archived = Annotated[bool, Meta(description="Archived things are left out of lists.")]
Description = Annotated[Text, Meta(max_length=LONGEST_DESCRIPTION)]
License = Annotated[ShortText, Meta(description="Such as an SPDX identifier.", examples=["Apache-2.0"])]


Link = Annotated[str, Meta(max_length=LONGEST_LINK, pattern=NOT_NUL, examples=["https://example.org/license"])]
Word = Annotated[str, Meta(max_length=LONGEST_WORD, pattern=ONE_LINE)]
Languages = Annotated[list[Word], Meta(max_length=MOST_WORDS, description="All of them.", examples=[["en", "it"]])]
Tasks = Annotated[
    list[Word], Meta(max_length=MOST_WORDS, description="All of them.", examples=[["image-classification"]])
]
Library = Annotated[ShortText, Meta(description="Such as `transformers`.", examples=["sklearn"])]
Provider = Annotated[ShortText, Meta(description="Who provides it.")]
Logo = Annotated[Text, Meta(max_length=LONGEST_DESCRIPTION, description="The address of a picture.")]
Maturity = Annotated[ShortText, Meta(description="Such as `experimental`.")]


class CardFieldsBody(RequestBody, kw_only=True):
    """The fields that the front matter of a card can fill, as clients set them."""

    license: License | None = None
    license_link: Link | None = None
    languages: Languages | None = None
    tasks: Tasks | None = None
    library: Library | None = None
    provider: Provider | None = None
    logo: Logo | None = None
    maturity: Maturity | None = None


class NewDataset(CardFieldsBody):
    """A dataset to create."""

    name: ItemName
    visibility: Annotated[
        Visibility | None, Meta(description="Default: private. `public`: all users of the tenant may read it.")
    ] = None
    users: Annotated[
        References | None, Meta(description="Ids or names of users and groups who may read it.", examples=[["bob"]])
    ] = None
    editors: Annotated[
        References | None, Meta(description="Ids or names of users and groups who may also change its content.")
    ] = None
    tags: Tags | None = None
    metadata: Pairs | None = None
    description: Description | None = None
    external_id: Annotated[ExternalId | None, Meta(description="Unique among the items of a kind.")] = None
    archived: Archived | None = None

    def as_input(self) -> NewItem:
        return NewItem(**self._fields())

    def _fields(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "description": self.description or "",
            **{field: getattr(self, field) or "" for field in CARD_TEXTS},
            **{field: getattr(self, field) or () for field in LISTS},
            "external_id": self.external_id or "",
            "archived": self.archived or False,
            "visibility": self.visibility or Visibility.PRIVATE,
            "tags": self.tags or (),
            "metadata": [pair.as_input() for pair in self.metadata or ()],
            "users": self.users or (),
            "editors": self.editors or (),
        }


class NewModel(NewDataset):
    """A model to create."""

    status: Annotated[Status | None, Meta(description="Default: training.")] = None
    datasets: Annotated[References | None, Meta(description="Ids, names or owner/name of datasets.")] = None

    def _fields(self) -> dict[str, Any]:
        return super()._fields() | {"status": self.status, "datasets": self.datasets or ()}


class NewAlgorithm(NewModel):
    """An algorithm to create."""


class NewName(RequestBody):
    """Another name for an item."""

    name: ItemName


class TagsDelta(RequestBody):
    """Tags to remove, then tags to add."""

    remove: Tags | None = None
    add: Tags | None = None


class ReferencesDelta(RequestBody):
    """References to remove, then references to add."""

    remove: References | None = None
    add: References | None = None


class DatasetChange(CardFieldsBody, Change):
    """What changes of a dataset."""

    visibility: Annotated[Visibility | None, Meta(examples=["public"])] = None
    owner: Annotated[
        ShortText | None, Meta(description="The id or username of a new owner; only administrators change it.")
    ] = None
    description: Description | None = None
    external_id: ExternalId | None = None
    archived: Archived | None = None
    tags: Annotated[TagsDelta | None, Meta(examples=[{"add": ["flowers"], "remove": []}])] = None
    metadata: MetadataDelta | None = None
    users: ReferencesDelta | None = None
    editors: ReferencesDelta | None = None

    def as_input(self) -> ItemChange:
        return ItemChange(**self._fields())

    def _fields(self) -> dict[str, Any]:
        return {
            "owner": self.owner,
            "visibility": self.visibility,
            "description": self.description,
            **{field: getattr(self, field) for field in (*CARD_TEXTS, *LISTS)},
            "external_id": self.external_id,
            "archived": self.archived,
            "tags": _list_change(self.tags),
            "metadata": self.metadata and self.metadata.as_input(),
            "users": _list_change(self.users),
            "editors": _list_change(self.editors),
        }


class ModelChange(DatasetChange):
    """What changes of a model."""

    status: Status | None = None
    datasets: ReferencesDelta | None = None

    def _fields(self) -> dict[str, Any]:
        return super()._fields() | {"status": self.status, "datasets": _list_change(self.datasets)}


class AlgorithmChange(ModelChange):
    """What changes of an algorithm."""


def _list_change(delta: TagsDelta | ReferencesDelta | None) -> ListChange[str, str] | None:
    if delta is None:
        return None
    remove: Sequence[str] = delta.remove or ()
    return ListChange(remove, delta.add or ())


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


def version_content(record: VersionRecord, item: ItemRecord) -> dict[str, Any]:
    file: Mapping[str, Any]
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


class ItemBody(Struct, kw_only=True, rename=WIRE_NAMES):
    """What models, datasets and algorithms have in common."""

    visibility: Visibility
    tags: list[str]
    id: Id
    name: str
    description: str
    license: str
    license_link: str
    languages: list[str]
    tasks: list[str]
    library: str
    provider: str
    logo: str
    maturity: str
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


def item_fields(record: ItemRecord, related: Related) -> dict[str, Any]:
    newest = related.newest[record["_id"]]
    return {
        "visibility": record["visibility"],
        "tags": record["tags"],
        "id": str(record["_id"]),
        "name": record["name"],
        "description": record["description"],
        **{field: record.get(field, "") for field in CARD_TEXTS},
        **{field: record.get(field, []) for field in LISTS},
        "external_id": record.get("external_id"),
        "archived": record.get("archived", False),
        "metadata": record["metadata"],
        "owner": str(record["owner"]),
        "aliases": [AliasSummary(alias["name"], alias["ordinal"]) for alias in record.get("aliases", ())],
        "versions": [VersionSummary.of(found, record) for found in newest.versions],
        "versions_total": newest.total,
        "versions_total_is_exact": UNSET if newest.is_exact else False,
        "timestamp": moment(record["timestamp"]),
        "lastmod": moment(record["lastmod"]),
    }
