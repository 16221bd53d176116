"""What a tenant uses, and the sweep."""

from typing import Annotated, Self

from msgspec import UNSET, Meta, Struct, UnsetType

from catalog.dialects.v1.models.lists import Count
from catalog.domain.cleanup.sweep_schedule import TenantSweep


class TenantUsage(Struct):
    """What a tenant uses. What is in the trash counts until it is purged."""

    bytes: Annotated[Count, Meta(description="Bytes of distinct files.")]
    unfinished_bytes: Annotated[Count, Meta(description="Those of unfinished uploads, which `bytes` includes.")]
    quota_bytes: Annotated[Count, Meta(description="0: no limit.")]
    blobs: Count
    versions: Count
    models: Count
    datasets: Count
    algorithms: Count
    trash: Count
    users: Count


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
