"""Upgrades all tenants at once. A server does the same for each tenant when it opens it."""

from collections.abc import Callable, Collection
from typing import NamedTuple

from catalog.errors import Refused
from catalog.operations.backup.writing import UnknownTenantError
from catalog.store.database import Database
from catalog.store.documents.tenants import RegisteredTenant
from catalog.store.migrations.steps.sequence import NEWEST
from catalog.store.migrations.upgrade import missing_steps, number_of, upgrade

Tell = Callable[[str], None]


class MigrationResult(NamedTuple):
    """How many tenants there are of each condition, after the run."""

    current: int = 0
    behind: int = 0  # of an older schema; only after a dry run
    failed: int = 0  # of a newer schema, or removed meanwhile

    @property
    def is_complete(self) -> bool:
        return not self.behind and not self.failed


async def migrate(
    database: Database, names: Collection[str], tell: Tell, *, dry_run: bool = False, repeat: bool = False
) -> MigrationResult:
    """Upgrade the tenants with these `names` (none: all), with a line for each step.

    `repeat` runs all steps again: for records that a server of an older version has written since.

    Raises UnknownTenantError; DatabaseError.
    """
    counts = {"current": 0, "behind": 0, "failed": 0}
    for record in await _records(database, names):
        try:
            steps = missing_steps(record)
            if dry_run and steps:
                what = ", ".join(step.name for step in steps)
                tell(f"{record.id}: schema {number_of(record)} of {NEWEST}, would write: {what}")
                counts["behind"] += 1
                continue
            if steps or repeat:
                await upgrade(database, record.id, tell, repeat=repeat and not dry_run)
            else:
                tell(f"{record.id}: schema {NEWEST}, nothing to do")
            counts["current"] += 1
        except Refused as refused:
            tell(f"{record.id}: {refused.details if refused.details != record.id else refused}")
            counts["failed"] += 1
    return MigrationResult(**counts)


async def _records(database: Database, names: Collection[str]) -> list[RegisteredTenant]:
    query = {"state": "ready", **({"_id": {"$in": list(names)}} if names else {})}
    records = await database.tenants.find(query).sort("+_id").to_list()
    if unknown := set(names) - {record.id for record in records}:
        raise UnknownTenantError(f"There is no tenant {', '.join(sorted(unknown))}")
    return records
