"""What clients have recorded about a version: its artifacts, and the services that serve it."""

from typing import NamedTuple

from catalog.domain.access import Caller
from catalog.domain.tracking.access import readable
from catalog.store.query.paging.cursors import DESCENDING
from catalog.store.records import ArtifactRecord, Query, ServiceRecord, VersionRecord

MOST = 100
"""Artifacts and services that an answer has; the newest."""

NEWEST = [("serial", DESCENDING)]


class VersionTracking(NamedTuple):
    artifacts: list[ArtifactRecord]
    services: list[ServiceRecord]


NOTHING = VersionTracking([], [])


async def tracked(caller: Caller, version: VersionRecord) -> VersionTracking:
    """What the caller may read of it, newest first. A service without a version serves the newest one."""
    tenant, newest = caller.tenant, {"item": version["item"], "number": {"$gt": version["number"]}}
    served: list[Query] = [{"version": version["_id"]}]
    if await tenant.versions.records.find_one(newest, {"_id": 1}) is None:
        served.append({"version": None})
    artifacts = await tenant.artifacts.records.find({"versions": version["_id"]}).sort(NEWEST).limit(MOST).to_list(MOST)
    services: list[ServiceRecord] = []
    for query in served:
        found = tenant.services.records.find({"item": version["item"], **query}).sort(NEWEST).limit(MOST)
        services += await found.to_list(MOST)
    return VersionTracking(await readable(caller, artifacts), await readable(caller, services[:MOST]))
