"""Aliases: what they point to, what they pointed to, and what never comes between."""

import asyncio
from datetime import timedelta

import pytest

from catalog.domain.access import Caller
from catalog.domain.items import items, trash
from catalog.domain.items.references import Reference
from catalog.domain.items.writing import changes
from catalog.domain.versions import lookup, reading, versions
from catalog.domain.versions.aliases import aliases, history, moves
from catalog.domain.versions.drafts import drafts
from catalog.errors import (
    ALIAS_MOVED,
    ALIAS_UNKNOWN,
    ALIASED,
    CANNOT_MODIFY,
    INVALID_FIELD,
    LIMIT_REACHED,
    NOT_CREATED,
    NOT_FOUND,
    STALE,
    VERSION_DRAFT,
    Refused,
)
from catalog.store.concurrency.fence import Fence
from catalog.vocabulary import Kind, VersionState
from tests.domain.test_races import Upload, nothing, outcomes
from tests.support.inputs import item_change, new_item
from tests.support.tenants import somebody

IRIS = Reference("iris")


@pytest.fixture
async def ada(tenant):
    return await somebody(tenant)


@pytest.fixture
async def iris(ada):
    """A model with the versions 1, 2 and 3."""
    item = await items.create(ada, Kind.MODEL, new_item(name="iris", visibility="public"))
    for _ in range(3):
        await add(ada)
    return item


async def add(caller, ordinal=""):
    return await versions.add(caller, Kind.MODEL, IRIS, Upload(nothing), ordinal=ordinal)


async def point(caller, name, which, **options):
    return await aliases.point(caller, Kind.MODEL, Reference("iris", which), name, **options)


async def where(caller, name):
    """The ordinal that an alias names; empty if there is no such alias."""
    try:
        return (await reading.read(caller, Kind.MODEL, Reference("iris", name)))["ordinal"]
    except Refused:
        return ""


async def entries(caller, name):
    """The history of an alias: from, to, oldest first."""
    item = await items.read(caller, Kind.MODEL, IRIS)
    await history.complete(caller, Kind.MODEL, item)
    found = [entry async for entry in history.newest_first(caller, item, name)]
    return [(entry.get("previous"), entry.get("version")) for entry in reversed(found)]


async def refusal(attempt):
    with pytest.raises(Refused) as refused:
        await attempt
    return refused.value.fault


async def test_an_alias_names_one_version_and_moves(ada, iris):
    first = await point(ada, "champion", "1")
    after = await point(ada, "champion", "3")

    assert await where(ada, "champion") == "3"
    assert moves.names_of(after, 3) == ["champion"]
    assert (moves.names_of(after, 1), after["revision"]) == ([], first["revision"] + 1)
    assert await entries(ada, "champion") == [(None, "1"), ("1", "3")]


async def test_an_alias_that_points_there_already_does_not_move(ada, iris):
    before = await point(ada, "champion", "1")

    after = await point(ada, "champion", "1")

    assert after["revision"] == before["revision"]
    assert await entries(ada, "champion") == [(None, "1")]


async def test_which_is_an_ordinal_then_an_alias_then_latest_then_a_file(tenant, ada, iris):
    await add(ada, "best")
    await point(ada, "good", "2")
    await tenant.versions.records.update_one({"number": 1}, {"$set": {"original": "good"}})
    await tenant.versions.records.update_one({"number": 2}, {"$set": {"original": "best"}})
    await tenant.versions.records.update_one({"number": 3}, {"$set": {"original": "third.onnx"}})

    found = [await where(ada, which) for which in ("BEST", "good", "latest", "third.onnx", "Good")]

    assert found == ["best", "2", "best", "3", ""]


async def test_no_new_version_is_called_latest_but_an_imported_one_may_be(tenant, ada, iris):
    assert await refusal(add(ada, "Latest")) is NOT_CREATED

    await tenant.versions.records.update_one({"number": 1}, {"$set": {"ordinal": "latest", "ordinal_key": "latest"}})

    assert await where(ada, "latest") == "latest"


async def test_latest_passes_drafts_and_what_is_in_quarantine_or_archived(tenant, ada, iris):
    await tenant.versions.records.update_one({"number": 3}, {"$set": {"state": VersionState.QUARANTINED.value}})
    await tenant.versions.records.update_one({"number": 2}, {"$set": {"archived": True}})
    await drafts.begin(ada, Kind.MODEL, IRIS)

    assert await where(ada, "latest") == "1"


async def test_latest_is_found_below_a_gap_and_there_is_none_without_versions(tenant, ada, iris):
    await add(ada, "20260501")
    await versions.remove(ada, Kind.MODEL, Reference("iris", "20260501"))
    await items.create(ada, Kind.MODEL, new_item(name="empty"))

    assert await where(ada, "latest") == "3"
    empty = await items.read(ada, Kind.MODEL, Reference("empty"))
    assert await lookup.latest(tenant, empty) is None


@pytest.mark.parametrize("name", ["", "1", "-7", "v3", "V12", "٣", "latest", "Latest", "a b", "a/b", "a@b", "x" * 256])
async def test_a_name_that_could_mean_something_else_is_no_alias(ada, iris, name):
    assert await refusal(point(ada, name, "1")) is INVALID_FIELD


@pytest.mark.parametrize("name", ["champion", "v3-rc", "prod_eu", "güte", "x" * 255, "-"])
async def test_other_names_are_aliases(ada, iris, name):
    await point(ada, name, "2")

    assert await where(ada, name) == "2"


async def test_an_ordinal_is_no_alias_and_an_alias_no_ordinal(ada, iris):
    await add(ada, "best")
    await point(ada, "champion", "1")

    assert await refusal(point(ada, "Best", "1")) is INVALID_FIELD
    assert await refusal(add(ada, "Champion")) is NOT_CREATED


async def test_an_alias_points_to_no_draft(ada, iris):
    draft = await drafts.begin(ada, Kind.MODEL, IRIS)

    assert await refusal(point(ada, "champion", draft["ordinal"])) is VERSION_DRAFT


async def test_an_item_has_so_many_aliases(tenant, ada, iris):
    await point(ada, "champion", "1")
    [alias] = (await tenant.models.records.find_one({}))["aliases"]
    many = [{**alias, "name": f"a{number}"} for number in range(aliases.MOST)]
    await tenant.models.records.update_one({}, {"$set": {"aliases": many}})

    assert await refusal(point(ada, "one-more", "1")) is LIMIT_REACHED
    assert moves.names_of(await point(ada, "a7", "2"), 2) == ["a7"]


async def test_only_who_may_change_the_item_moves_its_aliases(tenant, ada, iris):
    bob = await somebody(tenant, "bob")
    await point(ada, "champion", "1")

    assert await refusal(point(bob, "champion", "2")) is CANNOT_MODIFY
    assert await refusal(aliases.rollback(bob, Kind.MODEL, IRIS, "champion")) is CANNOT_MODIFY
    assert await refusal(aliases.remove(bob, Kind.MODEL, IRIS, "champion")) is CANNOT_MODIFY
    assert await where(bob, "champion") == "1"


@pytest.mark.parametrize("expected", ["1", "champion", "m"])
async def test_what_was_expected_lets_an_alias_move(tenant, ada, iris, expected):
    await tenant.versions.records.update_one({"number": 1}, {"$set": {"original": "m"}})
    await point(ada, "champion", "1")

    await point(ada, "champion", "2", expected=expected)

    assert await where(ada, "champion") == "2"


@pytest.mark.parametrize("expected", ["2", "latest", "nothing of that name", ""])
async def test_what_was_not_expected_leaves_an_alias(ada, iris, expected):
    await point(ada, "champion", "1")

    assert await refusal(point(ada, "champion", "2", expected=expected)) is ALIAS_MOVED
    assert await where(ada, "champion") == "1"


async def test_an_alias_can_be_expected_not_to_exist(ada, iris):
    await point(ada, "champion", "1", expected="")

    assert await refusal(point(ada, "other", "1", expected="1")) is ALIAS_MOVED
    assert await where(ada, "champion") == "1"


async def test_an_alias_moves_only_from_the_revision_that_was_seen(ada, iris):
    seen = aliases.read(await point(ada, "champion", "1"), "champion")["revision"]
    await changes.change(ada, Kind.MODEL, IRIS, item_change(description="of something else"))
    await point(ada, "champion", "2", revisions=[seen])

    assert await refusal(point(ada, "champion", "3", revisions=[seen])) is STALE
    assert await refusal(point(ada, "other", "3", revisions=[seen])) is STALE
    assert await refusal(aliases.remove(ada, Kind.MODEL, IRIS, "champion", revisions=[seen])) is STALE
    assert await where(ada, "champion") == "2"


async def test_a_removed_alias_keeps_its_history(ada, iris):
    await point(ada, "champion", "1")

    removed = await aliases.remove(ada, Kind.MODEL, IRIS, "champion")
    await point(ada, "champion", "2")

    assert removed["ordinal"] == "1"
    assert await refusal(aliases.remove(ada, Kind.MODEL, IRIS, "other")) is ALIAS_UNKNOWN
    assert await entries(ada, "champion") == [(None, "1"), ("1", None), (None, "2")]


async def test_the_history_says_what_an_alias_pointed_to_at_a_moment(ada, iris):
    moments = [(await point(ada, "champion", which))["lastmod"] for which in ("1", "2")]
    item = await items.read(ada, Kind.MODEL, IRIS)

    async def at(moment):
        return (await history.at(ada, Kind.MODEL, item, "champion", moment))["version"]

    assert [await at(moments[0]), await at(moments[1])] == ["1" if moments[0] < moments[1] else "2", "2"]
    assert await refusal(at(moments[0] - timedelta(milliseconds=1))) is ALIAS_UNKNOWN
    removed = await aliases.remove(ada, Kind.MODEL, IRIS, "champion")
    assert await refusal(at(removed["moved"] + timedelta(days=1))) is ALIAS_UNKNOWN


async def test_a_rollback_goes_one_step_back_each_time(ada, iris):
    for which in ("1", "2", "3"):
        await point(ada, "champion", which)

    steps = []
    for _ in range(2):
        await aliases.rollback(ada, Kind.MODEL, IRIS, "champion")
        steps.append(await where(ada, "champion"))

    assert steps == ["2", "1"]
    assert await refusal(aliases.rollback(ada, Kind.MODEL, IRIS, "champion")) is INVALID_FIELD
    await point(ada, "champion", "3")
    await aliases.rollback(ada, Kind.MODEL, IRIS, "champion")
    assert await where(ada, "champion") == "1"


async def test_a_rollback_to_a_version_that_was_removed_is_refused(ada, iris):
    await point(ada, "champion", "1")
    await point(ada, "champion", "2")
    await versions.remove(ada, Kind.MODEL, Reference("iris", "1"))

    assert await refusal(aliases.rollback(ada, Kind.MODEL, IRIS, "champion")) is NOT_FOUND
    assert await refusal(aliases.rollback(ada, Kind.MODEL, IRIS, "other")) is ALIAS_UNKNOWN
    assert await where(ada, "champion") == "2"


async def test_a_version_with_aliases_is_removed_only_with_force(ada, iris):
    await point(ada, "champion", "3")
    await point(ada, "canary", "3")

    assert await refusal(versions.remove(ada, Kind.MODEL, Reference("iris", "3"))) is ALIASED
    after = await versions.remove(ada, Kind.MODEL, Reference("iris", "champion"), force=True)

    assert (after["aliases"], await where(ada, "3")) == ([], "")
    assert await entries(ada, "canary") == [(None, "3"), ("3", None)]


async def test_aliases_survive_the_trash(ada, iris):
    await point(ada, "champion", "1")
    await point(ada, "champion", "2")
    await items.remove(ada, Kind.MODEL, IRIS, days=30)

    await trash.restore(ada, str(iris["_id"]))

    assert await where(ada, "champion") == "2"
    await aliases.rollback(ada, Kind.MODEL, IRIS, "champion")
    assert await where(ada, "champion") == "1"


async def test_an_item_that_is_removed_for_good_leaves_no_history(tenant, ada, iris):
    await point(ada, "champion", "1")

    await items.remove(ada, Kind.MODEL, IRIS)

    assert await tenant.alias_moves.records.count_documents({}) == 0


class Crash(Exception):  # noqa: N818  what it is
    """The server dies here."""


class Interrupted(Fence):
    """A fence that does something else before the first write to one collection."""

    def __init__(self, collection, step):
        super().__init__(lambda _: nothing())
        self._collection, self._step = collection, step

    async def cross(self, collection):
        if collection == self._collection and self._step:
            step, self._step = self._step, None
            await step()


def interrupted(caller: Caller, collection: str, step) -> Caller:
    """The caller, who is overtaken by `step` before writing to the collection."""
    return Caller(caller.tenant.of_caller(Interrupted(collection, step)), caller.user, caller.username, caller.role)


async def test_a_crash_before_the_history_is_written_loses_no_move(tenant, ada, iris):
    async def crash():
        raise Crash

    # What follows the write on the item goes through the handle without a caller.
    dying = interrupted(ada, "alias_moves", crash)
    dying.tenant.base = dying.tenant
    with pytest.raises(Crash):
        await point(dying, "champion", "1")

    assert await where(ada, "champion") == "1"
    assert await tenant.alias_moves.records.count_documents({}) == 0
    await point(ada, "champion", "2")
    assert await entries(ada, "champion") == [(None, "1"), ("1", "2")]
    assert (await tenant.models.records.find_one({}))["alias_outbox"] == []


async def test_a_history_that_is_completed_twice_has_each_move_once(tenant, ada, iris):
    async def crash():
        raise Crash

    dying = interrupted(ada, "alias_moves", crash)
    dying.tenant.base = dying.tenant
    with pytest.raises(Crash):
        await point(dying, "champion", "1")
    item = await items.read(ada, Kind.MODEL, IRIS)

    for _ in range(2):
        await history.complete(ada, Kind.MODEL, item)

    assert await entries(ada, "champion") == [(None, "1")]


async def test_a_version_removed_while_an_alias_is_pointed_to_it_gets_none(ada, iris):
    late = interrupted(ada, "models", lambda: versions.remove(ada, Kind.MODEL, Reference("iris", "3")))

    assert await refusal(point(late, "champion", "3")) is NOT_FOUND
    assert not (await items.read(ada, Kind.MODEL, IRIS)).get("aliases")


async def test_an_alias_pointed_to_a_version_that_is_being_removed_stops_the_removal(ada, iris):
    late = interrupted(ada, "versions", lambda: point(ada, "champion", "3"))

    assert await refusal(versions.remove(late, Kind.MODEL, Reference("iris", "3"))) is ALIASED
    assert await where(ada, "champion") == "3"


async def test_a_removal_with_force_takes_an_alias_that_came_meanwhile(ada, iris):
    late = interrupted(ada, "versions", lambda: point(ada, "champion", "3"))

    after = await versions.remove(late, Kind.MODEL, Reference("iris", "3"), force=True)

    assert (after["aliases"], await where(ada, "champion")) == ([], "")
    assert await entries(ada, "champion") == [(None, "3"), ("3", None)]


async def test_an_ordinal_that_becomes_an_alias_meanwhile_is_refused(tenant, ada, iris):
    late = interrupted(ada, "versions", lambda: point(ada, "best", "3"))

    assert await refusal(add(late, "best")) is NOT_CREATED
    assert (await where(ada, "best"), await tenant.versions.records.count_documents({})) == ("3", 3)


async def test_an_alias_that_becomes_an_ordinal_meanwhile_is_refused(ada, iris):
    late = interrupted(ada, "models", lambda: add(ada, "best"))

    assert await refusal(point(late, "best", "3")) is INVALID_FIELD
    assert (await where(ada, "best"), (await items.read(ada, Kind.MODEL, IRIS)).get("aliases", [])) == ("best", [])


async def test_a_rollback_sees_a_move_that_overtakes_it(ada, iris):
    for which in ("1", "2"):
        await point(ada, "champion", which)
    late = interrupted(ada, "models", lambda: point(ada, "champion", "3"))

    await aliases.rollback(late, Kind.MODEL, IRIS, "champion")

    assert await where(ada, "champion") == "2"
    assert await entries(ada, "champion") == [(None, "1"), ("1", "2"), ("2", "3"), ("3", "2")]


@pytest.mark.parametrize("database", ["wire"], indirect=True)
async def test_moves_at_once_make_one_chain(ada, iris):
    await asyncio.gather(*(point(ada, "champion", str(number % 3 + 1)) for number in range(24)))

    chain = await entries(ada, "champion")
    assert [previous for previous, _ in chain] == [None, *(version for _, version in chain[:-1])]
    assert chain[-1][1] == await where(ada, "champion")


@pytest.mark.parametrize("database", ["wire"], indirect=True)
async def test_of_moves_that_expect_the_same_one_succeeds(ada, iris):
    await point(ada, "champion", "1")

    moved, refused = await outcomes(*(point(ada, "champion", which, expected="1") for which in ("2", "3") * 4))

    assert len({item["revision"] for item in moved}) == 1
    assert {refusal.fault for refusal in refused} == {ALIAS_MOVED}
    assert len(await entries(ada, "champion")) == 2


@pytest.mark.parametrize("database", ["wire"], indirect=True)
async def test_a_removal_and_a_move_at_once_leave_no_alias_without_its_version(tenant, ada, iris):
    for number in range(4, 7):
        await add(ada)
        which = str(number)
        await outcomes(
            versions.remove(ada, Kind.MODEL, Reference("iris", which)),
            point(ada, "champion", which),
            point(ada, "canary", which),
        )

        item = await items.read(ada, Kind.MODEL, IRIS)
        pointed = {alias["number"] for alias in item.get("aliases", ())}
        assert await tenant.versions.records.count_documents({"number": {"$in": [*pointed]}}) == len(pointed)
