"""Tenants and their users, over HTTP and without a server."""

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache

import httpx
from bson import ObjectId

from catalog.domain.access import Caller
from catalog.domain.people import users
from catalog.domain.people.authentication import credentials
from catalog.domain.tenants.tenants import new_generation
from catalog.folding import folded
from catalog.store.database import Database
from catalog.store.documents.people import UserDocument
from catalog.store.documents.tenants import RegisteredTenant
from catalog.store.ids import document_id
from catalog.store.migrations.steps.sequence import NEWEST
from catalog.store.tenant import Tenant
from catalog.store.tenant_documents import record_of
from catalog.vocabulary import Role
from tests.support.app import OURS, PASSWORD
from tests.support.recycling import SPARE, SpareDatabases, empty, prepared

DAYS = 1092
"""For how long the passwords of regular users are valid, unless a test changes them: the default of the setting."""


@dataclass
class Organisation:
    """A tenant with its administrator and, as they are asked for, regular users."""

    client: httpx.AsyncClient
    name: str
    database: str = ""
    """The name of its database."""
    tokens: dict[str, str] = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=dict)

    async def sign_in(self, username: str) -> dict[str, str]:
        body = {"username": username, "password": PASSWORD, "tenant": self.name}
        answer = (await self.client.post("/v1/login", json=body)).raise_for_status().json()
        self.tokens[username], self.ids[username] = answer["token"], answer["user"]["_id"]
        return self.as_(username)

    async def hire(self, *usernames: str) -> None:
        for username in usernames:
            body = {
                "username": username,
                "password": PASSWORD,
                "email": f"{username}@example.org",
                "role": "regular",
            }
            (await self.client.post("/v1/users", json=body, headers=self.as_("admin"))).raise_for_status()
            await self.sign_in(username)

    def as_(self, username: str) -> dict[str, str]:
        """The headers of a request by a user."""
        return {"Authorization": self.tokens[username]}


async def organisation(
    client: httpx.AsyncClient, *people: str, administrators: tuple[str, ...] = ("admin",)
) -> Organisation:
    """A new tenant of the application behind `client`, with its administrators and these people signed in.

    It is created below HTTP, and in a database of an earlier test if there is one: what a request does for it is the
    subject of `tests/dialects/v1/test_tenants.py` and `test_people.py`.
    """
    app = client._transport.app
    tenant = await _new_tenant(app.state.database)
    made = Organisation(client, tenant.name, tenant.database.name)
    added = [*(_user(name, Role.ADMIN) for name in administrators), *(_user(name, Role.REGULAR) for name in people)]
    await tenant.users.insert_missing([record_of(user) for user in added])
    for user in added:
        made.ids[user.username] = str(user.id)
        made.tokens[user.username] = f"JWT {app.state.sessions.issue(user.id, tenant)}"
    return made


@asynccontextmanager
async def organisation_of_a_test(
    client: httpx.AsyncClient, *people: str, administrators: tuple[str, ...] = ("admin",)
) -> AsyncIterator[Organisation]:
    """The same, which another test gets the database of when this one has ended."""
    made = await organisation(client, *people, administrators=administrators)
    yield made
    database = client._transport.app.state.database
    _spare(database).give_back(made.database)


def _spare(database: Database) -> SpareDatabases:
    if database not in SPARE:
        SPARE[database] = SpareDatabases(database.client)
    return SPARE[database]


async def _new_tenant(database: Database) -> Tenant:
    """A tenant that can be entered, without users."""
    used = await _spare_database(database)
    name, database_name = f"{OURS}-{uuid.uuid4().hex[:8]}", used or f"{OURS}-{uuid.uuid4().hex[:8]}"
    record = RegisteredTenant(
        id=name,
        database=database_name,
        email="info@example.org",
        generation=new_generation(),
        schema_number=NEWEST,
        state="ready",
    )
    await database.tenants.insert(record)
    tenant = database.tenant(record)
    if not used:
        await tenant.prepare()
        prepared(database_name)
    return tenant


async def _spare_database(database: Database) -> str | None:
    """The emptied database of an earlier test, if there is one. Its tenant is gone by then."""
    while name := _spare(database).next():
        removed = await database.tenants.records.find_one_and_delete({"database": name, "state": "ready"})
        if removed:  # else the test removed it, or does so still
            database.forget(removed["_id"], name, removed.get("generation") or "")
            await empty(database.client, name)
            return name
    return None


def _user(name: str, role: Role) -> UserDocument:
    return UserDocument(
        id=document_id(ObjectId()),
        username=name,
        username_key=folded(name),
        password=_password_hash(),
        email="info@example.org" if name == "admin" else f"{name}@example.org",
        role=role,
        validityPasswordDays=0 if role is Role.ADMIN else DAYS,
    )


@cache
def _password_hash() -> str:
    return credentials._HASHES.hash(PASSWORD)


async def somebody(tenant: Tenant, username: str = "ada", role: Role = Role.REGULAR) -> Caller:
    """A user of the tenant, as a caller."""
    user = await users.add(tenant, username, PASSWORD, role, email=f"{username}@example.org", days=0)
    return Caller(tenant, user.id, username, role)
