"""The history of metrics: every value that a metric of a run ever had."""

from catalog.domain.access import Caller
from catalog.store.documents.tracking import MetricPointDocument
from catalog.store.ids import document_id
from catalog.store.records import ArtifactRecord, ExperimentRunRecord
from catalog.store.tenant import VERSION_SERIAL

COPIED = ("name", "owner", "description", "metadata", "state", "details")


async def keep(caller: Caller, run: ExperimentRunRecord, metric: ArtifactRecord) -> None:
    """Keep the value that a metric has now."""
    copied = {name: metric.get(name) for name in COPIED}
    point = MetricPointDocument(
        **copied,
        serial=await caller.tenant.next(VERSION_SERIAL),
        keys=[],
        readers=run["readers"],
        run=document_id(run["_id"]),
        experiments=[document_id(run["experiment"])],
    )
    await caller.tenant.metric_points.insert(point)
