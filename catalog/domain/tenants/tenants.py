"""Organisations: made, found, changed and removed by the operator, each with a database of its own.

Each time that a tenant is made it is of another *generation*: a handle, a token or a memory of one is worth nothing in
the next one of the same name.

A tenant is `making` until its database and its administrator are there, `removing` from the
first step of its removal on, and `removed` for as long as another server may still believe in
it and write into what has just been dropped; then all of it is dropped once more. In none of
these states does anyone see it, so a crash half-way leaves nothing that could be entered. Every
server looks now and then for what is to be cleared away, and so does a request to make a tenant
of that name. A removal is a lease: the server that does it renews `lastmod`, and another takes
over soon after it stops doing so.
"""

import asyncio
import logging
import re
import secrets
from contextlib import suppress
from datetime import timedelta
from time import monotonic
from typing import Any, NamedTuple, Never, cast

from bson import ObjectId
from pymongo import ReturnDocument

from catalog.blobs.protocol import Storage, StorageAway
from catalog.domain import naming
from catalog.domain.body_fields import Form, change_form
from catalog.domain.limits import LONGEST_NAME
from catalog.domain.people import users
from catalog.domain.people.credentials import LONGEST_PASSWORD
from catalog.errors import NOT_CONFIRMED, NOT_CREATED, NOT_DELETED, NOT_FOUND, Refused
from catalog.store.database import UNAVAILABLE, Database, DatabaseError, Duplicate, Tenant
from catalog.store.documents import RegisteredTenant, now
from catalog.store.fence import FRESH
from catalog.store.leases import Lease, LeaseLostError
from catalog.store.records import TenantRecord, UserRecord
from catalog.store.tenant_documents import NOBODY, Raw
from catalog.vocabulary import InspectionPolicy, Role

logger = logging.getLogger(__name__)

FIELDS = frozenset(
    {
        *("_id", "organization", "address", "email", "phone", "quota_bytes", "inspection"),
        *("database", "admin_username", "admin_password", "passwordhash"),
    }
)
TEXTS = frozenset({"organization", "address", "email", "phone"})
CHANGEABLE = TEXTS | {"quota_bytes", "inspection"}

NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}", re.IGNORECASE)
"""Of a tenant and of its database: what MongoDB, a file system and a URL all take as it is."""

MOST_NAMED = 20
"""How many administrators a refusal names."""

RESERVED = frozenset({"admin", "local", "config", "catalog", NOBODY})

LINGERING = timedelta(seconds=FRESH + 1)
"""After this long nobody writes into a removed tenant any more: a second is for requests that had begun."""

STALE = {"making": timedelta(seconds=20), "removing": timedelta(seconds=10), "removed": LINGERING}
"""After this long in a state a tenant is cleared away: making takes a second, a removal is renewed each BEAT, so
the server that did it must have died."""

BEAT = 2.0
"""Seconds between two renewals of a removal."""

WAITING = timedelta(seconds=15)
"""How long a new tenant waits for one of its name to be gone: a lease that nobody renews, and a second look."""

PATIENCE = 0.5
"""Seconds between two looks at a tenant that another server is making or removing."""

CLEARED_EVERY = 10.0
"""Seconds between two looks for what is to be cleared away."""


class Administrator(NamedTuple):
    """Who a new tenant's first user is."""

    username: str
    password: str


async def create(database: Database, storage: Storage, body: Any, default: Administrator) -> Raw:
    """Make a tenant with its database and its administrator.

    The administrator's password may be any: the operator vouches for it. Raises Refused: NOT_CREATED.
    """
    form = Form(body, NOT_CREATED, FIELDS)
    name = _name(form, "_id", form.required("_id", "Please, supply a valid name"))
    record = RegisteredTenant(
        id=name,
        database=_name(form, "database", form.text("database") or name),
        email=form.required("email", "Please, supply a valid email"),
        organization=form.text("organization"),
        address=form.text("address"),
        phone=form.text("phone"),
        quota_bytes=form.size("quota_bytes"),
        inspection=form.one_of("inspection", InspectionPolicy),
    )
    administrator = Administrator(
        _username(form) or default.username,
        form.text("admin_password", LONGEST_PASSWORD) or default.password,
    )
    if not administrator.password:
        form.refuse("admin_password: Please, supply one (DEFAULT_TENANT_ADMIN_TEMPORARY_PASSWORD is not set)")
    return await make(database, storage, record, administrator)


async def make(database: Database, storage: Storage, record: RegisteredTenant, administrator: Administrator) -> Raw:
    """Make what `record` says.

    Where the name or the database was another tenant's until just now, waits for some seconds.

    Raises Refused: NOT_CREATED when the name or the database is taken.
    """
    if record.database.lower() == database.catalogue.lower():
        raise Refused(NOT_CREATED, f"database: {record.database} is a reserved name")
    await _clear(database, storage, {"_id": record.id})
    await _fold_older(database)
    until = monotonic() + WAITING.total_seconds()
    while not await _register(database, record):
        before = await _lingering(database, record)
        if before is None:
            raise Refused(NOT_CREATED, f"A tenant with this name or this database exists already ({record.id})")
        if monotonic() > until:
            seconds = int(STALE["removing"].total_seconds())
            details = f"{before} is still being removed, please try again in {seconds} seconds"
            raise Refused(NOT_CREATED, details, headers={"Retry-After": str(seconds)})
        await asyncio.sleep(PATIENCE)
        await _clear(database, storage, {"_id": before})
    if await database.holds(record.database):
        await database.tenants.raw.delete_one({"_id": record.id})
        raise Refused(NOT_CREATED, f"database: {record.database} is there already, with something in it")
    tenant = database.tenant(record)
    await tenant.prepare()
    await users.add(tenant, administrator.username, administrator.password, Role.ADMIN, email=record.email, days=0)
    ready: Raw | None = await database.tenants.raw.find_one_and_update(
        {"_id": record.id, "state": "making", "timestamp": record.timestamp},
        {"$set": {"state": "ready"}},
        return_document=ReturnDocument.AFTER,
    )
    if ready is None:  # so slow that another server took this one for dead
        raise Refused(NOT_CREATED, f"Making {record.id} took too long, please try again")
    return ready


async def _register(database: Database, record: RegisteredTenant) -> bool:
    record.timestamp = record.lastmod = now()
    record.generation = new_generation()
    try:
        await database.tenants.insert(record)
    except Duplicate:
        return False
    return True


async def _fold_older(database: Database) -> None:
    """Give older tenants the key that the unique index compares. Where several have one key, one of them gets it."""
    async for record in database.tenants.raw.find({"name_key": None}, {"_id": 1}):
        with suppress(Duplicate):
            key = {"name_key": record["_id"].lower()}
            await database.tenants.raw.update_one({"_id": record["_id"]}, {"$set": key})


async def _lingering(database: Database, record: RegisteredTenant) -> str | None:
    """The removed tenant that stands in the way, if it is one."""
    for query in ({"_id": record.id}, {"name_key": record.name_key}, {"database_key": record.database_key}):
        if found := await database.tenants.raw.find_one({**query, "state": {"$in": ["removing", "removed"]}}):
            return str(found["_id"])
    return None


async def find(database: Database, name: str) -> Raw:
    """A tenant's record.

    Raises Refused: NOT_FOUND.
    """
    record: Raw | None = await database.tenants.raw.find_one({"_id": name, "state": "ready"})
    if record is None:
        raise Refused(NOT_FOUND, name)
    return record


async def enter(database: Database, name: str) -> Tenant | None:
    """The handle of a tenant, or None when there is no such tenant. `name` may be anything that a client sent."""
    if not NAME.fullmatch(name):  # half of a surrogate pair cannot even be asked for
        return None
    asked = monotonic()
    record = await database.tenants.find_one({"_id": name, "state": "ready"})
    if record is None:
        return None
    if not record.generation:
        record.generation = await _given_generation(database, name)
    handle = database.tenant(record)
    handle.known.seen = asked
    return handle


def new_generation() -> str:
    return str(ObjectId())


async def _given_generation(database: Database, name: str) -> str | None:
    """The generation of a tenant that an older version made, given to it by the first server that asks."""
    fresh = {"$set": {"generation": new_generation()}}
    await database.tenants.raw.update_one({"_id": name, "generation": None, "state": "ready"}, fresh)
    record: Raw | None = await database.tenants.raw.find_one({"_id": name}, {"generation": 1})
    return record.get("generation") if record else None


async def change(database: Database, name: str, body: Any) -> Raw:
    """Change what is said about a tenant.

    Raises Refused: NOT_FOUND, EMPTY_BODY, NO_VALID_FIELDS, NOT_CHANGED.
    """
    form = change_form(body, CHANGEABLE)
    fields: Raw = {field: form.text(field) for field in TEXTS if field in form}
    if "quota_bytes" in form:
        fields["quota_bytes"] = form.size("quota_bytes")
    if policy := form.one_of("inspection", InspectionPolicy):
        fields["inspection"] = policy.value
    changed: Raw | None = await database.tenants.raw.find_one_and_update(
        {"_id": name, "state": "ready"},
        {"$set": {**fields, "lastmod": now()}},
        return_document=ReturnDocument.AFTER,
    )
    if changed is None:
        raise Refused(NOT_FOUND, name)
    return changed


async def set_administrator(database: Database, name: str, body: Any) -> UserRecord:
    """Give an administrator who lost it another password, any, and sign him out everywhere.

    Where there are several, `username` says which. Raises Refused: NOT_FOUND, EMPTY_BODY, NO_VALID_FIELDS, NOT_CHANGED.
    """
    tenant = await enter(database, name)
    if tenant is None:
        raise Refused(NOT_FOUND, name)
    form = change_form(body, {"username", "password"})
    password = form.required("password", "a password is needed", LONGEST_PASSWORD)
    username = form.text("username")
    named: Raw = {"username": {"$in": naming.spellings(username)}} if username else {}
    query = {"role": Role.ADMIN.value, **named}
    found = await tenant.users.raw.find(query, {"username": 1}).limit(MOST_NAMED).to_list(MOST_NAMED)
    if not found:
        raise Refused(NOT_FOUND, f"{username} is no administrator of {name}")
    if len(found) > 1:
        form.refuse(f"username: which of {', '.join(sorted(user['username'] for user in found))}?")
    changed = await users.set_password(tenant, found[0]["_id"], password)
    if changed is None:
        raise Refused(NOT_FOUND, name)
    return changed


async def remove(database: Database, storage: Storage, name: str, default: str, confirmed: str | None = None) -> Raw:
    """Remove a tenant with everything in it: from the first step on nobody can enter it any more.

    A client may say `confirmed`, the name once more. Raises Refused: NOT_FOUND, NOT_CONFIRMED when that is another one,
    NOT_DELETED for the default tenant.
    """
    if name == default:
        raise Refused(NOT_DELETED, f"{name} is the default tenant")
    if confirmed not in {None, name}:
        raise Refused(NOT_CONFIRMED, f"confirm: to remove {name}, its name is needed here")
    lease = _removal(database, name)
    removed = cast("Raw | None", await lease.take({"state": "ready"}, {"state": "removing"}))
    if removed is None:
        raise Refused(NOT_FOUND, name)
    database.forget(name, removed["database"], removed.get("generation") or "")
    if await _emptied(database, storage, removed, lease):
        await lease.release({"state": "removed"})
    return removed


async def clear(database: Database, storage: Storage) -> None:
    """Finish removals, and what a crash left half-way: also tenants that were never made whole."""
    await _clear(database, storage, {})


async def keep_clear(database: Database, storage: Storage) -> Never:
    """Do so for as long as the server runs."""
    while True:
        await asyncio.sleep(CLEARED_EVERY)
        try:
            await clear(database, storage)
        except UNAVAILABLE:
            continue  # whoever asks for something is told; here the next look will do
        except DatabaseError as failure:
            logger.warning("a removed tenant could not be cleared away: %s", failure)


async def _clear(database: Database, storage: Storage, query: Raw) -> None:
    for state, long in STALE.items():
        async for record in database.tenants.raw.find({**query, "state": state, "lastmod": {"$lt": now() - long}}):
            # One server clears it: another that saw it too would drop what has been made anew meanwhile.
            seen = {field: record[field] for field in ("state", "lastmod")}
            lease = _removal(database, record["_id"])
            try:
                if await lease.take(seen, {"state": "removing"}) and await _emptied(database, storage, record, lease):
                    await database.tenants.records.delete_one(lease.mine)
            except (StorageAway, OSError) as failure:
                if query:
                    raise
                # The next one may be cleared. This one is tried again when the lease is over.
                logger.warning("the files of %s, which is removed, cannot be cleared away: %s", record["_id"], failure)


async def _emptied(database: Database, storage: Storage, record: Raw, lease: Lease[TenantRecord]) -> bool:
    """Drop all that a tenant has. False when another server took the removal over, and goes on with it."""
    try:
        async with lease.renewed(BEAT):
            # Checked right before each: a tenant of the same name may be there since this server was last awake.
            await lease.check()
            await database.drop(record["database"])
            await lease.check()
            await storage.forget(record["_id"])
    except LeaseLostError:
        return False
    return True


def _removal(database: Database, name: str) -> Lease[TenantRecord]:
    """The lease of a removal. `lastmod` says when it was renewed; STALE says how long it holds from then on."""
    where = {"state": "removing"}
    return Lease(database.tenants.records, name, timedelta(), until="lastmod", owner="remover", where=where)


class FirstStart(NamedTuple):
    """The default tenant, just made. Its password is told once."""

    tenant: str
    username: str
    password: str


async def ensure_default(
    database: Database, storage: Storage, record: RegisteredTenant, username: str, password: str
) -> FirstStart | None:
    """Make the default tenant, if it is not there yet.

    Without a `password` one is made up. Two servers may start at once: one of them makes it.
    """
    administrator = Administrator(username, password or secrets.token_urlsafe(12))
    while await enter(database, record.id) is None:
        try:
            await make(database, storage, record, administrator)
        except Refused:
            if not await database.tenants.raw.find_one({"_id": record.id}):
                raise
            await asyncio.sleep(PATIENCE)  # somebody else is making it, or died doing so
        else:
            return FirstStart(record.id, *administrator)
    return None


def _username(form: Form) -> str:
    field, missing = "admin_username", "a username is needed"
    return form.named(field, missing, LONGEST_NAME, naming.username) if form.text(field) else ""


def _name(form: Form, field: str, name: str) -> str:
    if not NAME.fullmatch(name):
        form.refuse(f"{field}: at most 63 letters, digits, hyphens and underscores, not a hyphen or underscore first")
    if name.lower() in RESERVED:
        form.refuse(f"{field}: {name} is a reserved name")
    return name
