"""Who may what: each question and its filter say the same."""

from bson import ObjectId
from hypothesis import given
from hypothesis import strategies as st

from catalog.domain.access import (
    Caller,
    Reach,
    fields_that_let_change,
    manageable_by,
    may_change,
    may_manage,
    may_read,
    readable_by,
    readers_of,
)
from catalog.vocabulary import Role, Visibility

PEOPLE, GROUPS = [ObjectId() for _ in range(4)], [ObjectId() for _ in range(3)]
people, groups = st.sampled_from(PEOPLE), st.frozensets(st.sampled_from(GROUPS))
parties = st.lists(st.sampled_from([*PEOPLE, *GROUPS]), max_size=3)
ITEMS, TAGS = [ObjectId() for _ in range(3)], ["nightly", "iron"]


def callers_of(roles: st.SearchStrategy[Role], reach: st.SearchStrategy[Reach | None]) -> st.SearchStrategy[Caller]:
    """Callers with a session, of no tenant."""
    session = {"scope": st.none(), "token": st.none()}
    return st.builds(Caller, st.none(), people, st.just("x"), roles, groups=groups, reach=reach, **session)


callers = callers_of(st.sampled_from(Role), st.none())
reaches = st.builds(Reach, st.frozensets(st.sampled_from(ITEMS)), st.frozensets(st.sampled_from(TAGS)))
robots = callers_of(st.just(Role.REGULAR), reaches)


@st.composite
def items(draw):
    item = {
        "_id": draw(st.sampled_from(ITEMS)),
        "tags": draw(st.lists(st.sampled_from(TAGS))),
        "owner": draw(people),
        "users": draw(parties),
        "editors": draw(parties),
        "visibility": draw(st.sampled_from(Visibility)),
    }
    return item | {"readers": readers_of(item)}


def is_among(caller: Caller, ids: list[ObjectId]) -> bool:
    return caller.user in ids or any(group in ids for group in caller.groups)


@given(callers, items())
def test_who_may_read_follows_from_owner_users_editors_groups_and_visibility(caller, item):
    expected = (
        caller.role is Role.ADMIN
        or item["visibility"] == "public"
        or item["owner"] == caller.user
        or is_among(caller, [*item["users"], *item["editors"]])
    )

    assert may_read(caller, item) == expected


@given(callers, items())
def test_only_owner_editors_and_administrators_change(caller, item):
    may = caller.role is Role.ADMIN or item["owner"] == caller.user or is_among(caller, item["editors"])

    assert may_change(caller, item) == may


@given(robots, items())
def test_a_limited_robot_reads_and_changes_its_items_those_with_its_tags_and_its_own(robot, item):
    is_named = item["_id"] in robot.reach.items or any(tag in robot.reach.tags for tag in item["tags"])

    assert may_read(robot, item) == may_change(robot, item) == (is_named or item["owner"] == robot.user)
    assert may_manage(robot, item) == (item["owner"] == robot.user)


@given(callers | robots, items())
def test_each_filter_and_its_question_agree(caller, item):
    assert matches(readable_by(caller), item) == may_read(caller, item)
    assert matches(manageable_by(caller), item) == may_manage(caller, item)


@given(callers | robots, items(), items())
def test_a_right_to_change_stays_with_the_fields_that_it_follows_from(caller, before, other):
    after = {
        **other,
        "_id": before["_id"],
        **{field: before[field] for field in fields_that_let_change(caller, before)},
    }
    after["readers"] = readers_of(after)

    assert may_change(caller, after) or not may_change(caller, before)


@given(callers, items())
def test_each_right_includes_the_smaller_ones(caller, item):
    assert may_read(caller, item) or not may_change(caller, item)
    assert may_change(caller, item) or not may_manage(caller, item)


def test_an_item_from_before_there_were_editors_has_none():
    ada, bob = (Caller(None, person, "x", Role.REGULAR) for person in PEOPLE[:2])
    item = {"owner": ada.user, "users": [bob.user], "visibility": "private"}

    item["readers"] = readers_of(item)

    assert (may_change(ada, item), may_change(bob, item), may_read(bob, item)) == (True, False, True)


def matches(query: dict, item: dict) -> bool:
    """What the database does with the few operators that the filters use."""
    combine = {"$or": any, "$and": all}
    return all(
        combine[field](matches(each, item) for each in wanted) if field in combine else fits(wanted, item.get(field))
        for field, wanted in query.items()
    )


def fits(wanted: object, value: object) -> bool:
    match wanted:
        case {"$elemMatch": {"$in": ids}} | {"$in": ids}:
            return any(each in ids for each in (value if isinstance(value, list) else [value]))
    return value == wanted
