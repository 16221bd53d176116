"""Tenants and their users, over HTTP and without a server."""

import uuid
from dataclasses import dataclass, field

import httpx

from catalog.domain.access import Caller
from catalog.domain.people import users
from catalog.store.tenant import Tenant
from catalog.vocabulary import Role
from tests.support.app import API_TOKEN, OURS, PASSWORD


@dataclass
class Organisation:
    """A tenant with its administrator and, as they are asked for, regular users."""

    client: httpx.AsyncClient
    name: str
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


async def organisation(client: httpx.AsyncClient, *people: str) -> Organisation:
    name = f"{OURS}-{uuid.uuid4().hex[:8]}"
    body = {"_id": name, "email": "info@example.org", "admin_username": "admin", "admin_password": PASSWORD}
    (await client.post("/v1/tenants", json=body, headers={"Authorization": API_TOKEN})).raise_for_status()
    made = Organisation(client, name)
    await made.sign_in("admin")
    await made.hire(*people)
    return made


async def somebody(tenant: Tenant, username: str = "ada", role: Role = Role.REGULAR) -> Caller:
    """A user of the tenant, as a caller."""
    user = await users.add(tenant, username, PASSWORD, role, email=f"{username}@example.org", days=0)
    return Caller(tenant, user.id, username, role)
