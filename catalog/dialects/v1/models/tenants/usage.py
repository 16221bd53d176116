"""What a tenant uses, and the sweep."""

from typing import Annotated, Self

from msgspec import UNSET, Meta, Struct, UnsetType

from catalog.dialects.v1.models.common import Id
from catalog.dialects.v1.models.lists import Count
from catalog.domain.cleanup.sweep_schedule import TenantSweep
from catalog.domain.tenants import largest
from catalog.vocabulary import Kind


class TenantUsage(Struct):
    """What a tenant uses. What is in the trash counts until it is purged."""

    bytes: Annotated[Count, Meta(description="Bytes of distinct files.")]
    unfinished_bytes: Annotated[Count, Meta(description="Those of unfinished uploads, which `bytes` includes.")]
    quota_bytes: Annotated[Count, Meta(description="0: no limit.")]
    near_quota: Annotated[bool, Meta(description="Whether 80 % of the quota are used, or more.")]
    blobs: Count
    versions: Count
    models: Count
    datasets: Count
    algorithms: Count
    trash: Count
    users: Count


class ItemUsageBody(Struct, kw_only=True, rename={"id": "_id"}):
    """The size of all versions of an item. Bytes that two versions share count twice."""

    id: Id
    kind: Kind
    name: str
    owner: Id | None
    removed: Annotated[bool, Meta(description="It is in the trash.")]
    versions: Count
    bytes: Count

    @classmethod
    def of(cls, found: largest.ItemUsage) -> Self:
        return cls(
            id=str(found.item),
            kind=found.kind,
            name=found.name,
            owner=str(found.owner) if found.owner else None,
            removed=found.is_removed,
            versions=found.versions,
            bytes=found.bytes,
        )


class LargestItems(Struct):
    """The items that take most room, the largest first."""

    docs: list[ItemUsageBody]


Removed = Count | UnsetType


class SweptTenant(Struct, rename={"id": "_id"}):
    """What a sweep removed from a tenant, or why the tenant was not swept."""

    id: Annotated[str, Meta(description="The name of the tenant.")]
    refused: Annotated[str | UnsetType, Meta(description="Why it was not swept; then all else is absent.")] = UNSET
    blobs: Removed = UNSET
    bytes: Removed = UNSET
    leftovers: Annotated[Removed, Meta(description="Files of uploads that were cut off.")] = UNSET
    leftover_bytes: Removed = UNSET
    uploads: Annotated[Removed, Meta(description="Resumable uploads that have expired.")] = UNSET
    drafts: Annotated[Removed, Meta(description="Drafts that have expired; a later sweep removes their bytes.")] = UNSET
    words: Annotated[Removed, Meta(description="Tags and metadata names whose count of uses was corrected.")] = UNSET
    damaged: Annotated[Removed, Meta(description="Files of a wrong size. They are marked, not removed.")] = UNSET
    unused_words: Annotated[Removed, Meta(description="Tags and metadata names that nothing used.")] = UNSET
    versions: Annotated[Removed, Meta(description="Old versions, by the policies of retention.")] = UNSET
    purged: Annotated[Removed, Meta(description="Items of the trash, by the policy of retention.")] = UNSET
    entries: Annotated[Removed, Meta(description="Entries of the journal, by the policy of retention.")] = UNSET

    @classmethod
    def of(cls, sweep: TenantSweep) -> Self:
        if sweep.refused:
            return cls(sweep.tenant, refused=str(sweep.refused))
        return cls(sweep.tenant, **sweep.result._asdict())


class SweepReport(Struct):
    """What a sweep removed, tenant by tenant."""

    dry_run: bool
    tenants: list[SweptTenant]

    @classmethod
    def of(cls, sweeps: list[TenantSweep], *, dry_run: bool) -> Self:
        return cls(dry_run, [SweptTenant.of(sweep) for sweep in sweeps])
