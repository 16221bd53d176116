"""Two tenants, and the callers of the table in them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple

import httpx
from litestar import Litestar

from catalog.domain.people.authentication.credentials import SessionTokens
from catalog.durations import Duration
from tests.support.app import API_TOKEN
from tests.support.recycling import WRITTEN
from tests.support.tenants import Organisation, organisation, organisation_of_a_test

OPERATOR = {"Authorization": API_TOKEN}

Callers = dict[str, dict[str, str]]
"""The headers of each, by name."""

AFAR = ("203.0.113.7", 50000)


class World(NamedTuple):
    """`org` has the things; `callers` says with which headers each column of the table asks, `invalid` has headers that
    are worth nothing.

    `client` makes ready what is asked about, and `afar` asks: not from this machine, to which a server tells its
    metrics and whose attempts it does not count. `script` has a token of the administrator's, for writing.
    """

    app: Litestar
    client: httpx.AsyncClient
    afar: httpx.AsyncClient
    org: Organisation
    callers: Callers
    invalid: Callers
    script: dict[str, str]

    async def ask(self, method: str, url: str, who: str = "ada", **sent: object) -> httpx.Response:
        """A request of a user, or of the operator, that has to succeed."""
        headers = OPERATOR if who == "operator" else self.org.as_(who)
        return (await self.client.request(method, url, headers=headers, **sent)).raise_for_status()


@asynccontextmanager
async def world_of(app: Litestar, client: httpx.AsyncClient) -> AsyncIterator[World]:
    org = await organisation(client, "ada", "bob", "eve", "flo")
    await a_group(client, org, "painters", "flo")
    elsewhere = await organisation(client)
    callers: Callers = {
        "anonymous": {},
        "outsider": elsewhere.as_("admin"),
        "stranger": org.as_("eve"),
        "reader": org.as_("bob"),
        "editor": org.as_("flo"),
        "owner": org.as_("ada"),
        "read token": await access_token(client, org.as_("ada"), "read"),
        "write token": await access_token(client, org.as_("ada"), "write"),
        "administrator": org.as_("admin"),
        "operator": OPERATOR,
    }
    transport = httpx.ASGITransport(app, raise_app_exceptions=False, client=AFAR)
    async with httpx.AsyncClient(transport=transport, base_url="http://catalog") as afar:
        script = await access_token(client, org.as_("admin"), "write")
        yield World(app, client, afar, org, callers, await invalid(client, org), script)


@asynccontextmanager
async def small_world_of(app: Litestar, client: httpx.AsyncClient) -> AsyncIterator[World]:
    """Of one test, with few records, and with `ann` as another administrator, who owns nothing."""
    administrators = ("admin", "ann")
    async with organisation_of_a_test(client, "ada", "bob", "flo", administrators=administrators) as org:
        await a_group(client, org, "painters", "flo")
        yield World(app, client, client, org, {}, {}, {})


async def a_group(client: httpx.AsyncClient, org: Organisation, name: str, *members: str) -> None:
    body = {"name": name, "members": members}
    (await client.post("/v1/groups", json=body, headers=org.as_("admin"))).raise_for_status()


async def invalid(client: httpx.AsyncClient, org: Organisation) -> Callers:
    """What looks like a token of this tenant, and is none."""
    not_ours = SessionTokens("a key that is not the server's, and as long", Duration("30m"), Duration("24h"))
    revoked = await access_token(client, org.as_("bob"), "write")
    [token] = (await client.get("/v1/tokens", headers=revoked)).raise_for_status().json()["docs"]
    (await client.delete(f"/v1/tokens/{token['_id']}", headers=revoked)).raise_for_status()
    return {
        "made up": {"Authorization": "Bearer nonsense"},
        "guessed": {"Authorization": f"Bearer cat_{org.name}_{'a' * 43}"},
        "forged": {"Authorization": f"JWT {not_ours.issue(org.ids['admin'], org.name)}"},
        "revoked": revoked,
    }


async def everything(world: World) -> dict[str, list[dict]]:
    """All records of the tenant, but the journal and when tokens were used."""
    database = world.app.state.database.client[world.org.database]
    names = WRITTEN.written[database.name] - {"log", "counters"}
    unused = {"used": 0}
    return {name: await database[name].find({}, unused).sort("_id", 1).to_list(None) for name in sorted(names)}


async def access_token(client: httpx.AsyncClient, whose: dict[str, str], scope: str, name: str = "") -> dict[str, str]:
    """The headers of a script."""
    made = await client.post("/v1/tokens", json={"name": name or scope, "scopes": [scope]}, headers=whose)
    return {"Authorization": f"Bearer {made.raise_for_status().json()['token']}"}
