"""Organisations: made, found, changed and removed by the operator, each with a database of its own.

A tenant is `making` until its database and its administrator are there, and `removing`
from the first step of its removal on. In neither state does anyone see it, so a crash
half-way leaves nothing that could be entered; the next server to start, or the next
request to make a tenant of that name, clears it away.
"""

import asyncio
import re
import secrets
from datetime import timedelta
from typing import Any, NamedTuple

from pymongo import ReturnDocument

from catalog.blobs import Storage
from catalog.domain import users
from catalog.domain.credentials import LONGEST_PASSWORD
from catalog.domain.forms import Form, change_form
from catalog.errors import NOT_CREATED, NOT_DELETED, NOT_FOUND, Refused
from catalog.store.database import Database, Duplicate, Tenant
from catalog.store.documents import TenantRecord, now
from catalog.store.seam import NOBODY, Raw
from catalog.vocabulary import Role

FIELDS = frozenset(
    {"_id", "organization", "address", "email", "phone", "database", "admin_username", "admin_password", "passwordhash"}
)
CHANGEABLE = frozenset({"organization", "address", "email", "phone"})

NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}", re.IGNORECASE)
"""Of a tenant and of its database: what MongoDB, a file system and a URL all take as it is."""

RESERVED = frozenset({"admin", "local", "config", "catalog", NOBODY})

STALE = {"making": timedelta(seconds=20), "removing": timedelta(minutes=10)}
"""After this long in a state its server must have died: making takes a second, removing a huge one half a minute."""

PATIENCE = 0.5
"""Seconds between two looks at a tenant that another server is making."""


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
    record = TenantRecord(
        id=name,
        database=_name(form, "database", form.text("database") or name),
        email=form.required("email", "Please, supply a valid email"),
        organization=form.text("organization"),
        address=form.text("address"),
        phone=form.text("phone"),
    )
    administrator = Administrator(
        form.text("admin_username") or default.username,
        form.text("admin_password", LONGEST_PASSWORD) or default.password,
    )
    if not administrator.password:
        form.refuse("admin_password: Please, supply one (DEFAULT_TENANT_ADMIN_TEMPORARY_PASSWORD is not set)")
    return await make(database, storage, record, administrator)


async def make(database: Database, storage: Storage, record: TenantRecord, administrator: Administrator) -> Raw:
    """Make what `record` says.

    Raises Refused: NOT_CREATED when the name or the database is taken.
    """
    if record.database.lower() == database.catalogue.lower():
        raise Refused(NOT_CREATED, f"database: {record.database} is a reserved name")
    await _clear(database, storage, {"_id": record.id, **_stale()})
    try:
        await database.tenants.insert(record)
    except Duplicate:
        raise Refused(NOT_CREATED, f"A tenant with this name or this database exists already ({record.id})") from None
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


async def find(database: Database, name: str) -> Raw:
    """A tenant's record.

    Raises Refused: NOT_FOUND.
    """
    record: Raw | None = await database.tenants.raw.find_one({"_id": name, "state": "ready"})
    if record is None:
        raise Refused(NOT_FOUND, name)
    return record


async def enter(database: Database, name: str) -> Tenant | None:
    """The handle of a tenant, or None when there is no such tenant."""
    record = await database.tenants.find_one({"_id": name, "state": "ready"})
    return database.tenant(record) if record else None


async def change(database: Database, name: str, body: Any) -> Raw:
    """Change what is said about a tenant.

    Raises Refused: NOT_FOUND, EMPTY_BODY, NO_VALID_FIELDS, NOT_CHANGED.
    """
    form = change_form(body, CHANGEABLE)
    fields = {field: form.text(field) for field in CHANGEABLE if field in form}
    changed: Raw | None = await database.tenants.raw.find_one_and_update(
        {"_id": name, "state": "ready"},
        {"$set": {**fields, "lastmod": now()}},
        return_document=ReturnDocument.AFTER,
    )
    if changed is None:
        raise Refused(NOT_FOUND, name)
    return changed


async def remove(database: Database, storage: Storage, name: str, default: str) -> Raw:
    """Remove a tenant with everything in it: from the first step on nobody can enter it any more.

    Raises Refused: NOT_FOUND, NOT_DELETED for the default tenant.
    """
    if name == default:
        raise Refused(NOT_DELETED, f"{name} is the default tenant")
    removed: Raw | None = await database.tenants.raw.find_one_and_update(
        {"_id": name, "state": "ready"}, {"$set": {"state": "removing", "lastmod": now()}}
    )
    if removed is None:
        raise Refused(NOT_FOUND, name)
    await _clear(database, storage, {"_id": name, "state": "removing"})
    return removed


async def clear(database: Database, storage: Storage) -> None:
    """Finish what a crash left half-way: removals, and tenants that were never made whole."""
    await _clear(database, storage, _stale())


def _stale() -> Raw:
    return {"$or": [{"state": state, "lastmod": {"$lt": now() - long}} for state, long in STALE.items()]}


async def _clear(database: Database, storage: Storage, query: Raw) -> None:
    async for record in database.tenants.raw.find(query):
        # One server clears it: another that saw it too would drop what has been made anew meanwhile.
        seen = {field: record[field] for field in ("_id", "state", "lastmod")}
        claim = {"$set": {"state": "removing", "lastmod": now()}}
        if await database.tenants.raw.find_one_and_update(seen, claim):
            await database.drop(record["database"])
            await storage.forget(record["_id"])
            await database.tenants.raw.delete_one({"_id": record["_id"], "state": "removing"})


class FirstStart(NamedTuple):
    """The default tenant, just made. Its password is told once."""

    tenant: str
    username: str
    password: str


async def ensure_default(
    database: Database, storage: Storage, record: TenantRecord, username: str, password: str
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


def _name(form: Form, field: str, name: str) -> str:
    if not NAME.fullmatch(name):
        form.refuse(f"{field}: at most 63 letters, digits, hyphens and underscores, not a hyphen or underscore first")
    if name.lower() in RESERVED:
        form.refuse(f"{field}: {name} is a reserved name")
    return name
