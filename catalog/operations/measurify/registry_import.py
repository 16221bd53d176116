"""Imports a Measurify registry: its tenants with their users, terms, items, versions and files.

Records that exist already, by their id, stay as they are: an import can be repeated after an interruption, or to add
what is new in the registry. Ids are preserved, so that links stay valid.
"""

import re
from collections.abc import Callable, Collection, Iterable
from pathlib import Path

from catalog.domain.tenants import tenants
from catalog.domain.tenants.tenants import RESTORING
from catalog.errors import Refused
from catalog.operations.measurify.report import TenantImport, one_line
from catalog.operations.measurify.source_files import SourceFiles
from catalog.operations.measurify.tenant_import import TenantImporter, versions_of
from catalog.operations.restore import RestoreError, refuse_name
from catalog.store.clock import now
from catalog.store.database import Database
from catalog.store.documents.tenants import RegisteredTenant
from catalog.store.failures import UNAVAILABLE, DatabaseError, Duplicate
from catalog.store.foreign import ForeignDatabase, ForeignRecord
from catalog.store.migrations.steps.sequence import NEWEST
from catalog.store.migrations.upgrade import upgrade
from catalog.store.tenant import Tenant
from catalog.vocabulary import Kind

DATABASE = re.compile(r"""[^ ./\\$"\0]+""")  # what can be the name of one


async def import_registry(
    database: Database,
    source: ForeignDatabase,
    uploads: Path,
    names: Collection[str],
    report: Callable[[TenantImport], None],
) -> None:
    """Import the tenants with these `names` (none: all) from the default database and the `uploads` of a registry.

    The registry is only read. Files and tenants that cannot be imported are reported as problems.

    Raises RestoreError for a tenant that is not there, and when the storage is full; StorageUnavailableError;
    ForeignDatabaseError.
    """
    left = set(names)
    records = [record async for record in source.by_id(source.default, "tenants")]
    files = SourceFiles(uploads, await _shared_keys(source, records))
    for record in records:
        if not names or record["_id"] in names:
            left.discard(record["_id"])
            report(await _imported(database, source, files, record))
    if left or not records:
        missing = f"no tenant {', '.join(sorted(left))}" if left else "no tenants"
        raise RestoreError(
            f"{source.default} has {missing}: name the registry's catalogue database in the path of its URI"
        )


async def _imported(
    database: Database, source: ForeignDatabase, files: SourceFiles, record: ForeignRecord
) -> TenantImport:
    """Import one tenant. One that cannot be created is a problem of the report."""
    try:
        tenant, is_ready = await _tenant(database, record)
    except UNAVAILABLE:
        raise
    except (Refused, RestoreError, DatabaseError, TypeError, ValueError) as problem:
        failed = TenantImport(one_line(str(record["_id"])))
        failed.add_problem("the tenant itself", problem)
        return failed
    done = TenantImport(tenant.name)
    await TenantImporter(tenant, source, database_of(record), files, done).run()
    if not is_ready:
        await tenant.prepare()
        await upgrade(database, tenant.name, state=RESTORING)  # what an older version began to import
        ready = {"$set": {"state": "ready", "lastmod": now()}}
        await database.tenants.records.update_one({"_id": tenant.name, "state": RESTORING}, ready)
    return done


async def _shared_keys(source: ForeignDatabase, records: Iterable[ForeignRecord]) -> set[str]:
    """The keys that versions of several tenants name. All files of a registry lie in one folder, so the owner of such a
    file is unknown.
    """
    owners: dict[str, str] = {}
    shared = set()
    for record in records:
        name, database = str(record["_id"]), database_of(record)
        for kind in Kind if DATABASE.fullmatch(database) else ():
            async for item in source.by_id(database, kind.value, {"versions.key": 1}):
                for key in (version.get("key") for version in versions_of(item) if isinstance(version, dict)):
                    if isinstance(key, str) and owners.setdefault(key, name) != name:
                        shared.add(key)
    return shared


async def _tenant(database: Database, record: ForeignRecord) -> tuple[Tenant, bool]:
    """The tenant to import into, and whether it is ready for users already."""
    known = await tenants.enter(database, record["_id"], None)
    if known is not None:
        return known, True
    begun = await database.tenants.find_one({"_id": record["_id"], "state": RESTORING})
    if begun is not None:
        return database.tenant(begun), False
    return await _new_tenant(database, record), False


async def _new_tenant(database: Database, record: ForeignRecord) -> Tenant:
    """Raises RestoreError."""
    wished = database_of(record)
    # The registry's own database may be on the very same server: ours stands beside it then.
    name = f"{wished}-catalog" if await database.holds(wished) else wished
    for each in (record["_id"], name):
        refuse_name(database, each)
    contact = {each: record[each] for each in ("organization", "address", "email", "phone") if record.get(each)}
    fresh = RegisteredTenant(
        id=record["_id"],
        database=name,
        state=RESTORING,
        generation=tenants.new_generation(),
        schema_number=NEWEST,
        **contact,
    )
    try:
        await database.tenants.insert(fresh)
    except Duplicate:
        raise RestoreError(
            f"{record['_id']}: a tenant with its name or its database is being made or removed"
        ) from None
    tenant = database.tenant(fresh)
    await tenant.prepare()
    return tenant


def database_of(record: ForeignRecord) -> str:
    return str(record.get("database") or record["_id"])
