"""The soak runs, compares, and tells what is wrong. Half an hour of it is for `make soak`."""

from tests.soak.__main__ import soak
from tests.soak.user import User, client_of
from tests.soak.watch import Sample, verdict
from tests.support.serving import Server


async def test_a_short_soak_finds_everything_as_it_should_be(tmp_path):
    assert await soak(tmp_path, seconds=3, seed=7) == []


async def test_a_soak_tells_what_is_otherwise_than_remembered(tmp_path):
    with Server(tmp_path) as server:
        async with client_of(server.url, server.login().json()["token"]) as client:
            user = User(client, 0, 7)
            await user.work(until=0)
            [model] = user.models.values()
            model.description = "what nobody wrote"

            [wrong] = await user.compared()

    assert "what nobody wrote" in wrong


def test_what_grows_is_told_of_and_what_fills_at_first_is_not():
    level = [Sample(50, 10, 90)] * 10 + [Sample(100, 30, 90)] * 20
    leaking = [Sample(100 + 5 * step, 30 + step, 90) for step in range(30)]

    assert verdict(level) == []
    assert [grown.split(" grew")[0] for grown in verdict(leaking)] == ["memory in MiB", "handles"]
