"""Tags of MLflow as metadata of the catalog, and reserved tags for what MLflow has no field for.

A tag is a metadata pair; its value is text. A native tag shows as a tag with an empty value. A native number or boolean
shows as its JSON text.
"""

import posixpath
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from bson import ObjectId

from catalog.dialects.mlflow.models import Tag
from catalog.dialects.mlflow.search.queries import shown_value
from catalog.domain.cards.mlmodel import DERIVED
from catalog.domain.items.inputs import ItemChange, ListChange, MetadataPair, PairToRemove, TagsChange
from catalog.domain.limits import Limits
from catalog.errors import INVALID_FIELD, Refused
from catalog.store.records import ItemRecord, PairRecord
from catalog.vocabulary import Status, Visibility

LONGEST_KEY = 250
LONGEST_VALUE = 100_000
"""Characters, which MLflow allows. Its tags may be longer than native metadata, for prompts are tags."""

VISIBILITY = "catalog.visibility"
USERS = "catalog.users"
STATUS = "catalog.status"
RESERVED = frozenset({VISIBILITY, USERS, STATUS})
"""Tags of a registered model that set, and show, what is a field of its own in the catalog."""

MODEL_ID = "mlflow.model_id"
"""The metadata of a version that has its `model_id`."""

NO_TAGS = DERIVED | {MODEL_ID}
"""Metadata of a version that its clients did not set as tags."""

_KEY = re.compile(r"[/\w.\- :]+")


def allowing_tags(limits: Limits) -> Limits:
    """The limits, with metadata as large as a tag of MLflow."""
    return limits._replace(
        metadata_name=max(limits.metadata_name, LONGEST_KEY), metadata_value=max(limits.metadata_value, LONGEST_VALUE)
    )


def checked_key(key: str) -> str:
    """Raises Refused: INVALID_FIELD."""
    if len(key) > LONGEST_KEY:
        raise Refused(INVALID_FIELD, f"Invalid tag name: it has more than {LONGEST_KEY} characters")
    is_path = posixpath.normpath(key) == key and not key.startswith(("/", "..")) and key != "."
    if not _KEY.fullmatch(key) or not is_path:
        raise Refused(
            INVALID_FIELD,
            f"Invalid tag name: '{key[:80]}'. Names may only contain alphanumerics, underscores (_), dashes (-), "
            "periods (.), spaces ( ), colon(:) and slashes (/).",
        )
    return key


def checked(tags: Iterable[Tag]) -> dict[str, str]:
    """Tags by key; of several with one key the last one counts. Raises Refused: INVALID_FIELD."""
    found: dict[str, str] = {}
    for tag in tags:
        found[checked_key(tag.key)] = checked_value(tag.key, tag.value)
    return found


def checked_value(key: str, value: str) -> str:
    """Raises Refused: INVALID_FIELD."""
    if len(value) > LONGEST_VALUE:
        raise Refused(INVALID_FIELD, f"Invalid value of tag '{key[:80]}': it has more than {LONGEST_VALUE} characters")
    return value


def pairs_of(tags: Mapping[str, str]) -> list[MetadataPair]:
    return [MetadataPair(key, value) for key, value in tags.items() if key not in RESERVED]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReservedFields:
    """The values of the reserved tags of a new model. None: not set."""

    visibility: Visibility | None = None
    users: Sequence[str] = field(default=())
    status: Status | None = None

    @classmethod
    def of(cls, tags: Mapping[str, str]) -> "ReservedFields":
        """Raises Refused: INVALID_FIELD."""
        return cls(
            visibility=_visibility(tags[VISIBILITY]) if VISIBILITY in tags else None,
            users=usernames(tags.get(USERS, "")),
            status=_status(tags[STATUS]) if STATUS in tags else None,
        )


def setting(item: ItemRecord, key: str, value: str, users: Sequence[str]) -> ItemChange:
    """The change that sets a tag of a model. `users` are the ids of those with whom it is shared.

    Raises Refused: INVALID_FIELD.
    """
    match key:
        case _ if key == VISIBILITY:
            return ItemChange(visibility=_visibility(value))
        case _ if key == STATUS:
            return ItemChange(status=_status(value))
        case _ if key == USERS:
            return ItemChange(users=ListChange(remove=users, add=usernames(value)))
    if not value and key in item["tags"]:
        return ItemChange(metadata=ListChange(remove=[PairToRemove(key)]))
    return ItemChange(metadata=ListChange(add=[MetadataPair(key, checked_value(key, value))]))


def deleting(item: ItemRecord, key: str, users: Sequence[str], visibility: Visibility) -> ItemChange:
    """The change that deletes a tag of a model, also a native one. A reserved one goes back to its default."""
    match key:
        case _ if key == VISIBILITY:
            return ItemChange(visibility=visibility)
        case _ if key == STATUS:
            return ItemChange(status=Status.TRAINING)
        case _ if key == USERS:
            return ItemChange(users=ListChange(remove=users))
    native: TagsChange | None = ListChange(remove=[key]) if key in item["tags"] else None
    return ItemChange(metadata=ListChange(remove=[PairToRemove(key)]), tags=native)


def of_version(metadata: Iterable[PairRecord]) -> list[Tag]:
    return [Tag(pair["name"], shown_value(pair["value"])) for pair in metadata if pair["name"] not in NO_TAGS]


def of_model(item: ItemRecord, usernames_by_id: Mapping[ObjectId, str], default: Visibility) -> list[Tag]:
    """The tags of a model, with those reserved ones that say more than the default."""
    tags = {pair["name"]: shown_value(pair["value"]) for pair in item["metadata"]}
    if item["tags"]:
        tags |= {tag: "" for tag in item["tags"] if tag not in tags}
    if item["visibility"] != default:
        tags[VISIBILITY] = item["visibility"]
    if item["users"] and (users := [usernames_by_id[user] for user in item["users"] if user in usernames_by_id]):
        tags[USERS] = ",".join(users)
    if (status := item.get("status", Status.TRAINING)) != Status.TRAINING:
        tags[STATUS] = status
    return [Tag(key, value) for key, value in tags.items()]


def is_prompt(item: ItemRecord) -> bool:
    return any(pair["name"] == "mlflow.prompt.is_prompt" and pair["value"] == "true" for pair in item["metadata"])


def usernames(value: str) -> list[str]:
    return [name for name in (part.strip() for part in value.split(",")) if name]


def _visibility(value: str) -> Visibility:
    try:
        return Visibility(value)
    except ValueError:
        raise Refused(INVALID_FIELD, f"{VISIBILITY}: one of {', '.join(Visibility)} is needed") from None


def _status(value: str) -> Status:
    try:
        return Status(value)
    except ValueError:
        raise Refused(INVALID_FIELD, f"{STATUS}: one of {', '.join(Status)} is needed") from None
