"""What belongs to items and experiments has a copy of their readers, and its own readers in a field of their own."""

from typing import Any, cast

from catalog.store.derived import reader_copies
from catalog.store.migrations.progress import Progress
from catalog.store.migrations.walk import batches
from catalog.store.records import TrackedRecord
from catalog.store.tenant import Tenant
from catalog.store.tenant_documents import BoundCollection, Update

OWN: tuple[str, ...] = ("experiments", "environments", "artifacts", "services", "served_models")
"""Collections whose records had their own readers in `readers`. Runs and metrics had those of their experiment."""


async def run(tenant: Tenant, progress: Progress) -> None:
    for bound in (
        tenant.experiments,
        tenant.environments,
        tenant.runs,
        tenant.metric_points,
        tenant.artifacts,
        tenant.services,
        tenant.served_models,
    ):
        await _separate(cast("BoundCollection[Any, TrackedRecord]", bound), progress)
    await reader_copies.repair(tenant)


async def _separate(bound: BoundCollection[Any, TrackedRecord], progress: Progress) -> None:
    async for records in batches(bound, {"readers": 1, "own_readers": 1}):
        older = [record for record in records if "own_readers" not in record]
        await bound.modify_all(
            Update(
                {"_id": record["_id"], "own_readers": None},
                {"$set": {"own_readers": record["readers"] if bound.name in OWN else []}},
            )
            for record in older
        )
        progress.add(len(older))
