"""Who may what: the question and the filter say the same."""

from bson import ObjectId
from hypothesis import given
from hypothesis import strategies as st

from catalog.domain.access import Caller, may_change, may_read, readable_by, readers
from catalog.vocabulary import Role, Visibility

PEOPLE = [ObjectId() for _ in range(4)]
people = st.sampled_from(PEOPLE)
callers = st.builds(Caller, st.none(), people, st.just("x"), st.sampled_from(Role))


@st.composite
def items(draw):
    owner, users, visibility = draw(people), draw(st.lists(people, max_size=3)), draw(st.sampled_from(Visibility))
    return {
        "owner": owner,
        "users": users,
        "visibility": visibility,
        "readers": readers(owner, users, visibility),
    }


@given(callers, items())
def test_whoever_may_read_is_told_by_owner_users_and_visibility(caller, item):
    expected = (
        caller.role is Role.ADMIN
        or item["visibility"] == "public"
        or item["owner"] == caller.user
        or caller.user in item["users"]
    )

    assert may_read(caller, item) == expected


@given(callers, items())
def test_the_filter_and_the_question_agree(caller, item):
    assert matches(readable_by(caller), item) == may_read(caller, item)


@given(callers, items())
def test_whoever_may_change_may_read(caller, item):
    assert may_read(caller, item) or not may_change(caller, item)


def matches(query: dict, item: dict) -> bool:
    """What the database does with the one operator that the filter uses."""
    return all(any(reader in wanted["$elemMatch"]["$in"] for reader in item[field]) for field, wanted in query.items())
