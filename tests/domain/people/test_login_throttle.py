"""Guessing passwords: equal answers, and ever longer waits that every server knows of."""

import asyncio
from datetime import timedelta

import httpx
import pytest

from catalog.app import create_app
from catalog.domain.people.authentication import login_throttle, sign_in
from catalog.domain.people.authentication.devices import Devices
from catalog.domain.people.authentication.login_throttle import ACCOUNT, ADDRESS, LoginThrottle, network_of
from catalog.errors import AUTHENTICATION, TOO_MANY_ATTEMPTS, Refused
from catalog.store.clock import now
from tests.support.app import OURS, PASSWORD, in_database

HOME, ABROAD = "198.51.100.7", "203.0.113.9"


@pytest.fixture
def guarded(database, clock):
    return LoginThrottle(database, clock=clock)


async def guess(attempts, username="ada", address=ABROAD, *, right=False, tenant="acme", device=""):
    """Look at a password, and say with which fault it was refused."""
    try:
        async with attempts.password_attempt(tenant, username, address, device):
            if not right:
                raise Refused(AUTHENTICATION)  # noqa: TRY301  as a wrong password is
    except Refused as refused:
        return refused.fault
    return None


class Clock:
    """Stands still until a test moves it."""

    def __init__(self):
        self.time = now()

    def __call__(self):
        return self.time

    def turn(self, seconds):
        self.time += timedelta(seconds=seconds)


@pytest.fixture
def clock():
    return Clock()


async def test_an_account_waits_longer_each_time_but_never_long(clock, guarded):
    first = [await guess(guarded) for _ in range(ACCOUNT.free)]
    next_one = await guess(guarded, right=True)
    clock.turn(1)
    then = await guess(guarded)
    clock.turn(1)
    too_soon = await guess(guarded)
    for _ in range(10):
        clock.turn(ACCOUNT.longest)
        assert await guess(guarded) is AUTHENTICATION

    assert first == [AUTHENTICATION] * ACCOUNT.free
    assert (next_one, then, too_soon) == (TOO_MANY_ATTEMPTS, AUTHENTICATION, TOO_MANY_ATTEMPTS)
    assert await guess(guarded, right=True) is TOO_MANY_ATTEMPTS
    clock.turn(ACCOUNT.longest)
    assert await guess(guarded, right=True) is None


async def test_the_right_password_ends_an_accounts_wait(clock, guarded):
    for _ in range(ACCOUNT.free):
        await guess(guarded)
    clock.turn(1)

    assert await guess(guarded, right=True) is None
    assert [await guess(guarded) for _ in range(ACCOUNT.free)] == [AUTHENTICATION] * ACCOUNT.free


async def test_an_unknown_account_waits_as_a_known_one_does(guarded):
    faults = [await guess(guarded, "nobody", tenant="nowhere") for _ in range(ACCOUNT.free + 1)]

    assert faults == [AUTHENTICATION] * ACCOUNT.free + [TOO_MANY_ATTEMPTS]


async def test_an_address_that_tries_many_accounts_waits_long(clock, guarded):
    faults = [await guess(guarded, f"user-{number}") for number in range(ADDRESS.free + 1)]

    assert faults == [AUTHENTICATION] * ADDRESS.free + [TOO_MANY_ATTEMPTS]
    assert await guess(guarded, "zoe", HOME, right=True) is None
    for _ in range(12):
        clock.turn(ADDRESS.longest)
        await guess(guarded, "zoe")
    clock.turn(ADDRESS.longest - 60)
    assert await guess(guarded, "new", right=True) is TOO_MANY_ATTEMPTS


async def test_a_stranger_does_not_shut_out_who_has_signed_in_from_home(guarded):
    assert await guess(guarded, address=HOME, right=True) is None
    for _ in range(ACCOUNT.free):
        await guess(guarded, address=ABROAD)

    assert await guess(guarded, address=ABROAD, right=True) is TOO_MANY_ATTEMPTS
    assert await guess(guarded, address=HOME, right=True) is None


async def test_home_is_no_place_to_guess_from_either(guarded):
    await guess(guarded, address=HOME, right=True)

    faults = [await guess(guarded, address=HOME) for _ in range(6)]

    assert faults == [AUTHENTICATION] * 5 + [TOO_MANY_ATTEMPTS]


def rotating(count):
    return [f"203.0.113.{number}" for number in range(count)]


async def test_strangers_with_many_addresses_do_not_shut_out_a_known_device_wherever_it_is(clock, guarded):
    for address in rotating(12):
        await guess(guarded, address=address)
        clock.turn(ACCOUNT.longest)
    await guess(guarded, address=ABROAD)

    assert await guess(guarded, address=HOME, right=True) is TOO_MANY_ATTEMPTS
    assert await guess(guarded, address=HOME, right=True, device="mine") is None


async def test_a_stolen_device_has_a_few_guesses(guarded):
    faults = [await guess(guarded, address=address, device="stolen") for address in rotating(6)]

    assert faults == [AUTHENTICATION] * 5 + [TOO_MANY_ATTEMPTS]
    assert await guess(guarded, address=HOME, right=True, device="mine") is None


async def test_who_shows_otherwise_whose_an_account_is_need_not_wait(guarded):
    for address in rotating(12):
        await guess(guarded, address=address)
    assert await guess(guarded, address=HOME, right=True) is TOO_MANY_ATTEMPTS

    await guarded.clear("acme", "ada", HOME)
    for address in rotating(12):
        await guess(guarded, address=address)

    assert await guess(guarded, address=HOME, right=True) is None


@pytest.mark.parametrize(("counts", "last"), [(False, AUTHENTICATION), (True, TOO_MANY_ATTEMPTS)])
async def test_this_machine_counts_where_a_proxy_on_it_is_trusted(database, clock, counts, last):
    guarded = LoginThrottle(database, counts_loopback=counts, clock=clock)

    faults = [await guess(guarded, f"user-{number}", "127.0.0.1") for number in range(ADDRESS.free + 1)]

    assert faults == [AUTHENTICATION] * ADDRESS.free + [last]


async def test_one_account_and_one_tenant_do_not_slow_another(guarded):
    for _ in range(ACCOUNT.free):
        await guess(guarded)

    assert await guess(guarded, "bob", right=True) is None
    assert await guess(guarded, tenant="other", right=True) is None


async def test_guesses_that_come_all_at_once_are_counted_one_by_one(guarded):
    faults = await asyncio.gather(*(guess(guarded) for _ in range(40)))

    looked_at = [fault for fault in faults if fault is AUTHENTICATION]
    assert ACCOUNT.free <= len(looked_at) <= ACCOUNT.free + login_throttle.CONCURRENCY


async def test_a_flood_is_told_at_once(guarded, monkeypatch):
    monkeypatch.setattr(login_throttle, "LONGEST_QUEUE", 1)
    inside, over = asyncio.Event(), asyncio.Event()

    async def slowly():
        async with guarded.password_attempt("acme", "ada", HOME):
            inside.set()
            await over.wait()

    looking = asyncio.create_task(slowly())
    await inside.wait()

    assert await guess(guarded, "bob", right=True) is TOO_MANY_ATTEMPTS
    over.set()
    await looking
    assert await guess(guarded, "bob", right=True) is None


async def test_what_is_kept_tells_no_name_and_does_not_stay(database, guarded):
    for number in range(3):
        await guess(guarded, f"a secret typed into the wrong field {number}")
    kept = await database.attempts.records.find({}).to_list(None)
    indexes = await database.attempts.records.index_information()

    assert kept
    assert "secret" not in str(kept)
    assert {len(record["_id"]) for record in kept} == {64}
    assert all(record["expires"] > record["last"] for record in kept)
    assert [index["expireAfterSeconds"] for index in indexes.values() if "expireAfterSeconds" in index] == [0]


async def test_most_sign_ins_write_nothing(database, guarded):
    await guess(guarded, address=HOME, right=True)
    before = await database.attempts.records.find({}).to_list(None)

    await guess(guarded, address=HOME, right=True)

    assert await database.attempts.records.find({}).to_list(None) == before


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("198.51.100.7", "198.51.100.7"),
        ("::ffff:198.51.100.7", "198.51.100.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("127.0.0.1", ""),
        ("127.8.8.8", ""),
        ("::1", ""),
        ("::ffff:127.0.0.1", ""),
        ("testclient", ""),
        ("", ""),
    ],
)
def test_an_address_is_what_one_client_may_be_taken_for(address, network):
    assert network_of(address) == network


@pytest.fixture
def from_abroad(app):
    transport = httpx.ASGITransport(app, raise_app_exceptions=False, client=(ABROAD, 1))
    return httpx.AsyncClient(transport=transport, base_url="http://catalog")


async def login(client, tenant, username, password="wrong", **headers):
    body = {"username": username, "password": password, "tenant": tenant}
    return await client.post("/v1/login", json=body, headers=headers)


async def test_over_http_the_answer_says_how_long_to_wait(client, org):
    for _ in range(ACCOUNT.free):
        assert (await login(client, org.name, "ada")).status_code == 401

    answer = await login(client, org.name, "ada", PASSWORD)

    assert (answer.status_code, answer.json()["value"]) == (429, 124)
    assert answer.headers["Retry-After"] == "1"
    assert answer.json()["details"] == "try again in 1 s"
    assert (await login(client, org.name, "bob", PASSWORD)).status_code == 200


async def test_another_server_knows_of_the_failures(client, org, mongo, settings):
    second = create_app(settings, in_database(mongo, f"{OURS}-catalogue"))
    transport = httpx.ASGITransport(second, raise_app_exceptions=False)
    await second.state.database.open()

    async with httpx.AsyncClient(transport=transport, base_url="http://catalog") as elsewhere:
        for server in (client, elsewhere, client, elsewhere, client):
            assert (await login(server, org.name, "ada")).status_code == 401
        refused = await login(elsewhere, org.name, "ada", PASSWORD)

    assert refused.status_code == 429
    second.state.database.close()


async def test_what_a_request_says_of_its_address_is_not_believed(from_abroad, org):
    statuses = [
        (await login(from_abroad, org.name, f"user-{number}", **{"X-Forwarded-For": f"192.0.2.{number}"})).status_code
        for number in range(ADDRESS.free + 1)
    ]

    assert statuses == [401] * ADDRESS.free + [429]


async def test_an_unknown_tenant_user_and_password_cost_the_same_work(client, org, monkeypatch):
    looked_at, verified = [], sign_in.verify_password

    async def counted(password, kept):
        looked_at.append(kept is not None)
        return await verified(password, kept)

    monkeypatch.setattr(sign_in, "verify_password", counted)

    answers = [
        await login(client, "nope", "ada"),
        await login(client, org.name, "nobody"),
        await login(client, org.name, "ada"),
    ]

    assert looked_at == [False, False, True]
    assert [answer.json()["details"] for answer in answers] == [
        "Incorrect tenant",
        "Incorrect username or password",
        "Incorrect username or password",
    ]


async def test_behind_a_proxy_that_nobody_named_a_known_browser_is_not_shut_out(client, org):
    client.cookies.clear()
    welcome = await login(client, org.name, "ada", PASSWORD)
    browser = dict(client.cookies)
    client.cookies.clear()
    for _ in range(ACCOUNT.free + 2):
        await login(client, org.name, "ada")

    stranger = await login(client, org.name, "ada", PASSWORD)
    known = await login(client, org.name, "ada", PASSWORD, Cookie="; ".join(f"{n}={v}" for n, v in browser.items()))
    of_another = await login(client, org.name, "bob", PASSWORD)
    client.cookies.clear()

    [cookie] = welcome.headers.get_list("set-cookie")
    assert all(part in cookie for part in ("HttpOnly", "SameSite=strict", f"Max-Age={30 * 86400}"))
    assert (stranger.status_code, known.status_code, of_another.status_code) == (429, 200, 200)


async def test_a_wrong_password_is_no_way_to_become_known(client, org):
    client.cookies.clear()

    answer = await login(client, org.name, "ada")

    assert "set-cookie" not in answer.headers


ADA, BOB = ("acme", "ada"), ("acme", "bob")


def test_a_mark_is_of_the_accounts_that_signed_in_and_cannot_be_made_up():
    devices = Devices("a secret of the tests")

    first = devices.remember("", *ADA)
    second = devices.remember(first, *BOB)

    assert devices.identify(first, *ADA) == devices.identify(second, *ADA) == devices.identify(second, *BOB) != ""
    assert [devices.identify(first, *account) for account in (BOB, ("other", "ada"))] == ["", ""]
    assert [devices.identify(made_up, *ADA) for made_up in ("", "x", "a.b.c", "\u00e9", first[:-2])] == [""] * 5
    assert Devices("another secret").identify(first, *ADA) == ""


def test_a_mark_does_not_grow_with_the_people_of_a_device():
    devices, mark = Devices("a secret of the tests"), ""

    for number in range(100):
        mark = devices.remember(mark, "acme", f"user-{number}")

    assert len(mark) < 500
    assert devices.identify(mark, "acme", "user-99")
    assert not devices.identify(mark, "acme", "user-1")
