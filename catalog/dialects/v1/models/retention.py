"""Policies of retention, and what they remove."""

from typing import Annotated, Self

from msgspec import Meta, Struct

from catalog.dialects.v1.models.common import Id, Moment, RequestBody, moment
from catalog.dialects.v1.models.lists import Count
from catalog.domain.limits import LONGEST_INTEGER
from catalog.domain.retention.applying import Applied, OldTrash
from catalog.domain.retention.policies import RetentionPolicy
from catalog.domain.retention.versions import MOST, PrunedItem
from catalog.store.records import ItemRecord, VersionRecord
from catalog.vocabulary import Kind

Keep = Annotated[
    int, Meta(ge=0, le=1_000_000, description="How many of the newest versions are kept; 0: all.", examples=[10])
]
Newest = Annotated[
    int,
    Meta(
        ge=1,
        le=1_000_000,
        description="How many of the newest are kept. Default: what the policy in force says.",
        examples=[10],
    ),
]
Days = Annotated[int, Meta(ge=0, le=36500)]
Bytes = Annotated[int, Meta(ge=0, le=LONGEST_INTEGER - 1)]

TRASH_DAYS = "Items leave the trash after so many days, or after TRASH_DAYS if that is shorter."
TRASH_BYTES = "The oldest items leave the trash while the versions of all have more bytes."


class RetentionChange(RequestBody):
    """The policy of a tenant, which replaces the present one. A rule that is left out ends."""

    keep_versions: Keep | None = None
    trash_days: Annotated[Days | None, Meta(description=TRASH_DAYS, examples=[7])] = None
    trash_bytes: Annotated[Bytes | None, Meta(description=TRASH_BYTES)] = None
    log_days: Annotated[Days | None, Meta(description="Likewise for the journal and LOG_DAYS.")] = None
    log_bytes: Annotated[Bytes | None, Meta(description="Likewise for the journal and LOG_SIZE.")] = None
    terms_days: Annotated[
        Days | None, Meta(description="For how long a folk term stays that nothing uses. Default: SWEEP_GRACE.")
    ] = None

    def values(self) -> dict[str, int | None]:
        return {name: getattr(self, name) for name in self.__struct_fields__}


class Retention(Struct):
    """The policy of a tenant. `null` is no rule."""

    keep_versions: Annotated[Count | None, Meta(description="How many of the newest versions of each item are kept.")]
    trash_days: Annotated[Count | None, Meta(description=TRASH_DAYS)]
    trash_bytes: Annotated[Count | None, Meta(description=TRASH_BYTES)]
    log_days: Count | None
    log_bytes: Count | None
    terms_days: Count | None

    @classmethod
    def of(cls, policy: RetentionPolicy) -> Self:
        return cls(**{name: getattr(policy, name) for name in cls.__struct_fields__})


class ItemRetentionChange(RequestBody):
    """The policy of one item. Without `keep_versions` it follows that of the tenant."""

    keep_versions: Keep | None = None


class ItemRetention(Struct):
    """The policy of one item."""

    keep_versions: Annotated[Count | None, Meta(description="Its own rule; null: it follows the tenant.")]
    in_force: Annotated[Count, Meta(description="How many of its newest versions are kept; 0: all.")]


class PruneRequest(RequestBody):
    """How many versions of an item to keep."""

    keep: Newest | None = None


class PrunedVersionBody(Struct, rename={"id": "_id"}):
    """A version that was removed, or would be."""

    kind: Kind
    item: Id
    name: Annotated[str, Meta(description="Of the item.")]
    id: Id
    number: int
    ordinal: str
    size: Count
    timestamp: Moment

    @classmethod
    def of(cls, item: ItemRecord, version: VersionRecord) -> Self:
        return cls(
            kind=Kind(version["kind"]),
            item=str(item["_id"]),
            name=item["name"],
            id=str(version["_id"]),
            number=version["number"],
            ordinal=version["ordinal"],
            size=version["size"],
            timestamp=moment(version["timestamp"]),
        )


Versions = Annotated[list[PrunedVersionBody], Meta(description=f"The oldest first, at most {MOST}.")]


class PrunedVersions(Struct):
    """Old versions of an item that were removed, or would be."""

    dry_run: bool
    keep: Annotated[Count, Meta(description="How many of the newest are kept; 0: all.")]
    versions: Versions
    bytes: Annotated[Count, Meta(description="Their size. A sweep frees what no other version has.")]
    more: Annotated[bool, Meta(description="Whether there may be more: ask again.")]

    @classmethod
    def of(cls, pruned: PrunedItem, *, dry_run: bool) -> Self:
        versions = [PrunedVersionBody.of(pruned.item, version) for version in pruned.versions]
        return cls(dry_run, pruned.keep, versions, pruned.size, pruned.is_cut)


class PurgedItem(Struct, rename={"id": "_id"}):
    """An item that left the trash for good, or would."""

    id: Id
    kind: Kind
    name: str
    removed: Moment
    size: Annotated[Count, Meta(description="Bytes of its versions.")]

    @classmethod
    def of(cls, old: OldTrash) -> Self:
        entry = old.entry
        return cls(str(entry["_id"]), Kind(entry["kind"]), entry["name"], moment(entry["removed"]), old.size)


class AppliedRetention(Struct):
    """What the policies of a tenant removed, or would remove."""

    dry_run: bool
    versions: Versions
    trash: list[PurgedItem]
    log: Annotated[Count, Meta(description="How many entries of the journal.")]
    terms: Annotated[Count, Meta(description="How many unused tags and metadata names.")]
    more: Annotated[bool, Meta(description="Whether there may be more to remove: ask again. The sweep does it, too.")]

    @classmethod
    def of(cls, applied: Applied, *, dry_run: bool) -> Self:
        return cls(
            dry_run=dry_run,
            versions=[PrunedVersionBody.of(each.item, version) for each in applied.pruned for version in each.versions],
            trash=[PurgedItem.of(each) for each in applied.trash],
            log=applied.entries,
            terms=applied.terms,
            more=applied.is_cut,
        )
