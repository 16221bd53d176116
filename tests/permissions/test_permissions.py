"""Who may what: each route, asked as each caller, answers what docs/permissions.md says."""

import re
from collections.abc import AsyncIterator, Iterable

import httpx
import pytest
from litestar.routes import HTTPRoute

from tests.permissions import things
from tests.permissions.requests import REQUESTS
from tests.permissions.table import NOT_SHOWN, Row, rows
from tests.permissions.things import SECRET, Thing
from tests.permissions.world import Callers, World, access_token, everything, small_world_of, world_of
from tests.support.slow_requests import sent_slowly

ROWS = rows()
REPEATED = {"datasets", "algorithms"}
"""Kinds whose routes are those of models, answered by the same code."""

OF_AN_ITEM = [row for row in ROWS if row.path.startswith("/v1/{kind}/{key}") and row.word not in REPEATED]
OF_OTHER_DIALECTS = ("/api/model_registry/", "/ajax-api/")
"""Routes with a test of their own for who may call them, or the same as those below `/api`."""
CHANGES_NOTHING = {"GET", "HEAD", "OPTIONS"}

OF_ADMINISTRATORS = [
    row
    for row in ROWS
    if (row.cells["anonymous"], row.cells["administrator"]) == ("401", "200") and not row.path.endswith("/login")
]
WITH_BODY = [
    row for row in OF_ADMINISTRATORS if REQUESTS[f"{row.method} {row.path}"].has_body and row.word not in REPEATED
]
IN_PERSON = ("/v1/users", "/v1/groups", "/v1/tokens", "/v1/robots")
BY_SCRIPTS = [row for row in WITH_BODY if not row.path.startswith(IN_PERSON)]

each_route_of_an_item = pytest.mark.parametrize("row", OF_AN_ITEM, ids=str)


@pytest.fixture(scope="module")
async def world(app, client) -> AsyncIterator[World]:
    async with world_of(app, client) as world:
        yield world


@pytest.fixture
async def small_world(app, client) -> AsyncIterator[World]:
    async with small_world_of(app, client) as world:
        yield world


async def thing_of(world: World, row: Row, **wanted: str) -> Thing:
    """What a request of this route is about, made new."""
    return await REQUESTS[f"{row.method} {row.path}"].make(world, {"kind": row.word, "words": row.word, **wanted})


async def answer(world: World, row: Row, thing: Thing, credentials: dict[str, str]) -> httpx.Response:
    sent = REQUESTS[f"{row.method} {row.path}"].filled(thing)
    headers = sent.pop("headers", {}) | credentials
    return await world.afar.request(row.method, row.path.format_map(thing), headers=headers, **sent)


async def answers(world: World, row: Row, callers: Callers) -> dict[str, tuple[Thing, httpx.Response]]:
    """One request of each caller. What somebody has changed is not asked about again."""
    found, thing = {}, None
    for caller, credentials in callers.items():
        thing = thing or await thing_of(world, row)
        mine = {"Authorization": thing[caller]} if caller in thing else credentials
        found[caller] = thing, await answer(world, row, thing, mine)
        if found[caller][1].is_success and row.method not in CHANGES_NOTHING:
            thing = None
    return found


def cell(row: Row, thing: Thing, response: httpx.Response) -> str:
    """What the table would say of an answer."""
    hidden = row.shows_or_hides and response.status_code == 200 and thing["shown"] not in response.text
    return NOT_SHOWN if hidden else str(response.status_code)


def tells_a_secret(response: httpx.Response) -> bool:
    return SECRET in response.text or any(SECRET in value for value in response.headers.values())


def real_routes(app) -> Iterable[tuple[str, str]]:
    """All but the OPTIONS that the framework adds to each path."""
    for route in app.routes:
        if isinstance(route, HTTPRoute):
            for handler in route.route_handlers if not route.path.startswith(OF_OTHER_DIALECTS) else ():
                if handler.fn.__module__.startswith("catalog."):
                    yield from ((str(method), route.path_format) for method in handler.http_methods)


@pytest.mark.sample
def test_the_table_has_each_route_once(app):
    assert sorted(map(unnamed, (row.route for row in ROWS))) == sorted(map(unnamed, real_routes(app)))


def unnamed(route: tuple[str, str]) -> tuple[str, str]:
    """A route without the names of its parameters, which the table need not share."""
    method, path = route
    return method, re.sub(r"\{[^}]*\}", "{}", path)


@pytest.mark.parametrize("row", ROWS, ids=str)
async def test_each_caller_is_answered_as_the_table_says_and_an_invalid_token_as_none(world, row):
    callers, by_script, invalid = world.callers, {}, world.invalid
    if row.word in REPEATED:
        callers, invalid = {name: callers[name] for name in ("anonymous", "stranger", "reader", "owner")}, {}
    elif row in OF_ADMINISTRATORS:
        by_script = {"a script": world.script}

    found = await answers(world, row, callers | by_script | invalid)

    told = {caller: cell(row, thing, response) for caller, (thing, response) in found.items()}
    expected = {name: row.cells[name] for name in callers}
    expected |= dict.fromkeys(by_script, of_script(row)) | dict.fromkeys(invalid, row.cells["anonymous"])
    assert told == expected
    refused = [caller for caller in told if told[caller] == NOT_SHOWN or found[caller][1].is_error]
    assert [caller for caller in refused if tells_a_secret(found[caller][1])] == []


def of_script(row: Row) -> str:
    """An administrator's token may what its owner may, but neither make nor end people and tokens."""
    in_person = row.path.startswith(IN_PERSON) and row.method not in CHANGES_NOTHING
    return "403" if in_person else row.cells["administrator"]


@each_route_of_an_item
async def test_every_user_of_the_tenant_is_a_reader_of_what_is_public(world, row):
    thing = await thing_of(world, row, visibility="public")

    asked = [await answer(world, row, thing, world.callers[caller]) for caller in ("anonymous", "outsider", "stranger")]

    columns = ("anonymous", "outsider", "reader")
    assert [str(response.status_code) for response in asked] == [row.cells[column] for column in columns]


@each_route_of_an_item
async def test_by_its_name_a_private_thing_is_not_there_for_a_stranger(world, row):
    thing = await thing_of(world, row)
    by_name, unknown = {**thing, "key": thing["title"]}, {**thing, "key": things.fresh()}

    of_this, of_none = [await answer(world, row, key, world.callers["stranger"]) for key in (by_name, unknown)]

    assert (of_this.status_code, of_none.status_code) == (404, 404)
    assert without_key(of_this, by_name) == without_key(of_none, unknown)


def without_key(response: httpx.Response, thing: Thing) -> str:
    return response.text.replace(thing["key"], "")


async def removed(world: World, name: str) -> None:
    await world.ask("DELETE", f"/v1/users/{name}", "admin")


async def demoted(world: World, name: str) -> None:
    await world.ask("PUT", f"/v1/users/{name}", "admin", json={"role": "regular"})


async def answer_to_a_slow(world: World, row: Row, thing: Thing, credentials: dict[str, str], meanwhile) -> tuple:
    """The answer to somebody of whom something becomes `meanwhile`, and whether anything was changed after that."""
    sent = REQUESTS[f"{row.method} {row.path}"].filled(thing)
    headers = sent.pop("headers", {}) | credentials
    before = {}

    async def happens() -> None:
        await meanwhile()
        before.update(await everything(world))

    response = await sent_slowly(world.client, row.method, row.path.format_map(thing), happens, headers=headers, **sent)
    return response, await everything(world) != before


@pytest.mark.parametrize("becomes", [removed, demoted], ids=lambda fate: fate.__name__)
@pytest.mark.parametrize("row", WITH_BODY, ids=str)
async def test_an_administrator_who_is_none_any_more_while_sending_changes_nothing(small_world, row, becomes):
    world, ann = small_world, small_world.org.as_("ann")
    thing = await thing_of(world, row)

    response, has_changed = await answer_to_a_slow(world, row, thing, ann, lambda: becomes(world, "ann"))

    assert (response.status_code, is_unauthenticated(response), has_changed) == (401, True, False)


def is_unauthenticated(response: httpx.Response) -> bool:
    """Whether a refusal says so, in the words of its dialect."""
    error = response.json()
    return error.get("value") == 3 or error.get("error_code") == "UNAUTHENTICATED"


@pytest.mark.parametrize("row", BY_SCRIPTS, ids=str)
async def test_a_token_that_is_revoked_while_it_sends_changes_nothing(small_world, row):
    world = small_world
    thing = await thing_of(world, row)
    token = await access_token(world.client, world.org.as_("admin"), "write", things.fresh())
    [made, *_] = (await world.ask("GET", "/v1/tokens", "admin")).json()["docs"]

    async def revoked() -> None:
        await world.ask("DELETE", f"/v1/tokens/{made['_id']}", "admin")

    response, has_changed = await answer_to_a_slow(world, row, thing, token, revoked)

    assert (response.status_code, is_unauthenticated(response), has_changed) == (401, True, False)
