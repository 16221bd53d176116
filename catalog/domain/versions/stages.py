"""Stages that one version of an item takes over from all others.

Each takeover has a turn, a number that only grows. A version archives the others that had the stage in an earlier turn,
and itself if another has it in a later one: however many take a stage over at once, on whatever server, the one of the
latest turn keeps it.
"""

from catalog.domain.access import Caller
from catalog.domain.items.references import Reference
from catalog.domain.versions import touching, version_changes
from catalog.domain.versions.version_changes import VersionChange
from catalog.store.clock import now
from catalog.store.records import Changes, Query, VersionRecord
from catalog.vocabulary import Kind, Stage

TURN = "stage_turn"
"""The counter of takeovers of a tenant, and the field of a version."""


async def take_over(caller: Caller, kind: Kind, reference: Reference, stage: Stage) -> VersionRecord:
    """Give a version a stage, archive the others that have it, and return the version as it is then.

    Raises Refused: what `version_changes.change` raises.
    """
    tenant = caller.tenant
    turn = await tenant.next(TURN)
    version = await version_changes.change(caller, kind, reference, VersionChange(stage=stage, stage_turn=turn))
    versions = tenant.versions.records
    others: Query = {"item": version["item"], "stage": stage.value, "_id": {"$ne": version["_id"]}}
    archived: Changes = {
        "$set": {"stage": Stage.ARCHIVED.value},
        "$max": {"lastmod": now()},
        "$inc": {"revision": 1},
    }
    earlier = {**others, TURN: {"$not": {"$gt": turn}}}
    is_touched = bool((await versions.update_many(earlier, archived)).modified_count)
    if await versions.find_one({**others, TURN: {"$gt": turn}}, {"_id": 1}):
        mine = {"_id": version["_id"], "stage": stage.value, TURN: turn}
        is_touched |= bool((await versions.update_one(mine, archived)).modified_count)
        version = await versions.find_one({"_id": version["_id"]}) or version
    if is_touched:
        await touching.touch(tenant, kind, version["item"])
    return version
