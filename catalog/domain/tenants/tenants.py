"""Tenants: created, read and changed by the operator, each with a database of its own.

Each tenant that is created has a new *generation*: no handle, token or cached record of one generation is valid in the
next tenant of the same name.

A tenant is `making` until its database and its administrator exist. Only one that is `ready` can be entered, so a crash
half-way leaves nothing that could be entered. Every server regularly drops what a crash left (see `removal`), and so
does a request to create a tenant of that name.
"""

import asyncio
import re
import secrets
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import timedelta
from time import monotonic
from typing import NamedTuple

from bson import ObjectId

from catalog.blobs.protocol import Storage
from catalog.domain import naming
from catalog.domain.people import usernames, users
from catalog.domain.tenants import removal
from catalog.errors import INVALID_FIELD, NAME_TAKEN, NOT_FOUND, Refused
from catalog.store.clock import Sleep, now
from catalog.store.database import Database
from catalog.store.documents.tenants import RegisteredTenant
from catalog.store.failures import Duplicate
from catalog.store.migrations.opening import PATIENCE as PATIENCE_OF_REQUESTS
from catalog.store.migrations.opening import open_tenant
from catalog.store.migrations.steps.sequence import NEWEST
from catalog.store.records import Changes, Query, TenantRecord, UserRecord
from catalog.store.tenant import Tenant
from catalog.store.tenant_documents import SEALED_DATABASE
from catalog.vocabulary import InspectionPolicy, Role

NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}", re.IGNORECASE)
"""A name of a tenant or of its database, which MongoDB, a file system and a URL accept without escaping."""

RESTORING = "restoring"
"""The state of a tenant until all of a backup, or of another registry, is in its database. The next restore clears what
a killed one left behind."""

MOST_SHOWN = 20
"""How many administrators a refusal shows."""

RESERVED = frozenset({"admin", "local", "config", "catalog", SEALED_DATABASE})

WAITING = timedelta(seconds=15)
"""How long creating a tenant waits for the removal of one with its name: the lease of a stopped server, and a retry."""

PATIENCE = 0.5
"""Seconds between two looks at a tenant that another server is creating or removing."""


class CreatedElsewhereError(Refused):
    """Another server creates the tenant of this name, or has created it."""


class Administrator(NamedTuple):
    """The first user of a new tenant."""

    username: str
    password: str


@dataclass(frozen=True, kw_only=True)
class NewTenant:
    """A tenant to create. Without a `database` its name is that of the tenant."""

    name: str
    email: str
    administrator: Administrator
    database: str = ""
    organization: str | None = None
    address: str | None = None
    phone: str | None = None
    quota_bytes: int | None = None
    inspection: InspectionPolicy | None = None


@dataclass(frozen=True, kw_only=True)
class TenantChange:
    """New values of fields of a tenant. None leaves a field as it is."""

    organization: str | None = None
    address: str | None = None
    email: str | None = None
    phone: str | None = None
    quota_bytes: int | None = None
    inspection: InspectionPolicy | None = None


async def create(database: Database, storage: Storage, new: NewTenant) -> TenantRecord:
    """Create a tenant with its database and its administrator, whose password is not checked: the operator chose it.

    Raises Refused: INVALID_FIELD, NAME_TAKEN.
    """
    _refuse_bad_name(new.name)
    _refuse_bad_name(new.database or new.name)
    username = usernames.new_username(new.administrator.username, "admin_username")
    administrator = Administrator(username, new.administrator.password)
    if not administrator.password:
        raise Refused(INVALID_FIELD, "The administrator needs a password: the server has no default for it")
    record = RegisteredTenant(
        id=new.name,
        database=new.database or new.name,
        email=new.email,
        organization=new.organization,
        address=new.address,
        phone=new.phone,
        quota_bytes=new.quota_bytes,
        inspection=new.inspection,
    )
    return await make(database, storage, record, administrator)


async def make(
    database: Database,
    storage: Storage,
    record: RegisteredTenant,
    administrator: Administrator,
    *,
    waiting: timedelta = WAITING,
    sleep: Sleep = asyncio.sleep,
) -> TenantRecord:
    """Create a tenant from its record. Wait for at most `waiting` while one of its name or database is being removed.

    Raises Refused: INVALID_FIELD, NAME_TAKEN when a tenant has the name or the database.
    """
    if record.database.lower() == database.catalogue.lower():
        raise Refused(INVALID_FIELD, f"{record.database} is a reserved name")
    await removal.clear(database, storage, record.id)
    await _fold_older(database)
    await _register_in_time(database, storage, record, waiting, sleep)
    if await database.holds(record.database):
        await database.tenants.records.delete_one({"_id": record.id})
        raise Refused(NAME_TAKEN, f"The database {record.database} exists already and is not empty")
    mine: Query = {"_id": record.id, "state": "making", "timestamp": record.timestamp}
    tenant, ready = database.tenant(record), None
    try:
        await tenant.prepare()
        await users.add(tenant, administrator.username, administrator.password, Role.ADMIN, email=record.email, days=0)
    except Refused:
        if await database.tenants.records.find_one(mine, {"_id": 1}):
            raise
    else:
        ready = await database.tenants.modify(mine, {"$set": {"state": "ready"}})
    if ready is None:  # so slow that another server assumed that this one had died
        raise CreatedElsewhereError(NAME_TAKEN, f"Creating {record.id} took too long, please try again")
    return ready


async def _register_in_time(
    database: Database, storage: Storage, record: RegisteredTenant, waiting: timedelta, sleep: Sleep
) -> None:
    """Register a tenant, as soon as none of its name or database is being removed. Raises Refused: NAME_TAKEN."""
    until = monotonic() + waiting.total_seconds()
    while not await _register(database, record):
        holder = await _holder(database, record)
        if holder and holder["state"] not in removal.LEAVING:
            raise _taken(record.id, holder)
        name = holder["_id"] if holder else record.id  # without a holder its removal has just ended
        if monotonic() > until:
            seconds = int(removal.STALE["removing"].total_seconds())
            details = f"{name} is still being removed, please try again in {seconds} seconds"
            raise Refused(NAME_TAKEN, details, headers={"Retry-After": str(seconds)})
        await sleep(PATIENCE)
        await removal.clear(database, storage, name)


def _taken(name: str, holder: TenantRecord) -> Refused:
    if holder["state"] == RESTORING:
        return Refused(
            NAME_TAKEN, f"{holder['_id']} is being restored from a backup: if that was interrupted, repeat the restore"
        )
    refusal = CreatedElsewhereError if holder["_id"] == name else Refused
    return refusal(NAME_TAKEN, f"A tenant with this name or this database exists already ({name})")


async def _register(database: Database, record: RegisteredTenant) -> bool:
    record.timestamp = record.lastmod = now()
    record.generation = new_generation()
    record.schema_number = NEWEST
    try:
        await database.tenants.insert(record)
    except Duplicate:
        return False
    return True


async def _fold_older(database: Database) -> None:
    """Write the key that the unique index compares on older tenants. Where several have the same key, one gets it."""
    async for record in database.tenants.records.find({"name_key": None}, {"_id": 1}):
        with suppress(Duplicate):
            key = {"name_key": record["_id"].lower()}
            await database.tenants.records.update_one({"_id": record["_id"]}, {"$set": key})


async def _holder(database: Database, record: RegisteredTenant) -> TenantRecord | None:
    """The tenant that has the name or the database of the new one. One that is not being removed comes first."""
    same: list[Query] = [{"_id": record.id}, {"name_key": record.name_key}, {"database_key": record.database_key}]
    holders = await database.tenants.records.find({"$or": same}).to_list(len(same))
    return min(holders, key=lambda holder: holder["state"] in removal.LEAVING, default=None)


async def find(database: Database, name: str) -> TenantRecord:
    """The record of a tenant. Raises Refused: NOT_FOUND."""
    record = await database.tenants.records.find_one({"_id": name, "state": "ready"})
    if record is None:
        raise Refused(NOT_FOUND, name)
    return record


async def enter(database: Database, name: str, patience: float | None = PATIENCE_OF_REQUESTS) -> Tenant | None:
    """The handle of a tenant, or None when there is no such tenant. `name` may be any text that a client sent.

    Its records are upgraded first if an older version wrote them, for which it waits `patience` seconds (None: to the
    end).

    Raises Refused: TENANT_NEWER, TENANT_UPGRADING, TENANT_UPGRADE_FAILED.
    """
    if not NAME.fullmatch(name):  # the driver cannot encode half of a surrogate pair
        return None
    started = monotonic()
    record = await database.tenants.find_one({"_id": name, "state": "ready"})
    if record is None:
        return None
    if not record.generation:
        record.generation = await _write_generation(database, name)
    handle = await open_tenant(database, record, patience)
    handle.known.seen = started
    return handle


def new_generation() -> str:
    return str(ObjectId())


async def _write_generation(database: Database, name: str) -> str | None:
    """The generation of a tenant that an older version created. The first server that opens the tenant writes it."""
    fresh = {"$set": {"generation": new_generation()}}
    await database.tenants.records.update_one({"_id": name, "generation": None, "state": "ready"}, fresh)
    record = await database.tenants.records.find_one({"_id": name}, {"generation": 1})
    return record.get("generation") if record else None


async def change(database: Database, name: str, change: TenantChange) -> TenantRecord:
    """Change fields of a tenant. Raises Refused: NOT_FOUND."""
    fields: Changes = {field: value for field, value in asdict(change).items() if value is not None}
    if change.inspection:
        fields["inspection"] = change.inspection.value
    changed = await database.tenants.modify({"_id": name, "state": "ready"}, {"$set": {**fields, "lastmod": now()}})
    if changed is None:
        raise Refused(NOT_FOUND, name)
    return changed


async def set_administrator(database: Database, name: str, password: str, username: str | None = None) -> UserRecord:
    """Give an administrator a new password, without checks of it, and end all credentials.

    Where a tenant has several administrators, `username` is needed.

    Raises Refused: NOT_FOUND, INVALID_FIELD when there are several.
    """
    tenant = await enter(database, name)
    if tenant is None:
        raise Refused(NOT_FOUND, name)
    query: Query = {"role": Role.ADMIN.value}
    if username:
        query["username"] = {"$in": naming.spellings(username)}
    found = await tenant.users.records.find(query, {"username": 1}).limit(MOST_SHOWN).to_list(MOST_SHOWN)
    if not found:
        raise Refused(NOT_FOUND, f"{username} is no administrator of {name}")
    if len(found) > 1:
        raise Refused(INVALID_FIELD, f"username: which of {', '.join(sorted(user['username'] for user in found))}?")
    changed = await users.set_password(tenant, found[0]["_id"], password)
    if changed is None:
        raise Refused(NOT_FOUND, name)
    return changed


class FirstStart(NamedTuple):
    """The default tenant that was just created, with its password, which is shown once."""

    tenant: str
    username: str
    password: str


async def ensure_default(
    database: Database, storage: Storage, record: RegisteredTenant, username: str, password: str
) -> FirstStart | None:
    """Create the default tenant unless it exists. Without a `password` a random one is generated.

    Of two servers that start at once, one creates it.
    """
    administrator = Administrator(username, password or secrets.token_urlsafe(12))
    while not await database.tenants.records.find_one({"_id": record.id, "state": "ready"}, {"_id": 1}):
        try:
            await make(database, storage, record, administrator)
        except CreatedElsewhereError:
            await asyncio.sleep(PATIENCE)  # the other server may have died, so that its tenant is never ready
        else:
            return FirstStart(record.id, *administrator)
    return None


def _refuse_bad_name(name: str) -> None:
    """Raises Refused: INVALID_FIELD."""
    if not NAME.fullmatch(name):
        rule = "at most 63 letters, digits, hyphens and underscores, not a hyphen or underscore first"
        raise Refused(INVALID_FIELD, f"{name} is not a name of a tenant or a database: {rule}")
    if name.lower() in RESERVED:
        raise Refused(INVALID_FIELD, f"{name} is a reserved name")
