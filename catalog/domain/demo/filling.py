"""Fills a tenant with the demo: creates what is missing, and leaves what exists.

After an interruption, another run completes the demo. Records without an id of the demo are not changed.
"""

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from catalog.domain.access import USERS, Caller, refuse_out_of_scope
from catalog.domain.demo import building, content
from catalog.domain.demo.marks import Sort, identity
from catalog.domain.items.inputs import ListChange
from catalog.domain.people import groups, usernames, users
from catalog.domain.people.groups import GroupChange, NewGroup
from catalog.errors import CANNOT_CREATE, NAME_TAKEN, Refused
from catalog.store.records import UserRecord
from catalog.vocabulary import Role

MOST_NAMES = 20
"""How many names are tried for a person or a group, when others have them."""

Report = Callable[[str], None]


class Filled(NamedTuple):
    """What one run created, and which items it skipped because their owner has others of that name."""

    people: int
    items: int
    versions: int
    skipped: list[str]


async def fill(caller: Caller, models: int = content.MODELS, report: Report | None = None) -> Filled:
    """Make what the tenant lacks of the demo with so many models. `report` gets a line for each item that is complete.

    Raises Refused: CANNOT_CREATE for a personal access token, and what the creation of an item or a version raises.
    """
    refuse_out_of_scope(caller, USERS, CANNOT_CREATE)
    people, new_people = [], 0
    for number, username in enumerate(content.PEOPLE):
        person, is_new = await _person(caller, number, username)
        people.append(person)
        new_people += is_new
    for number, (name, members) in enumerate(content.TEAMS.items()):
        await _group(caller, number, name, [str(people[member]["_id"]) for member in members])
    new_items, new_versions, skipped = 0, 0, []
    for planned in content.items(models):
        person = people[planned.owner]
        # The rights are the administrator's: an item may belong to another user by now.
        owner = caller._replace(user=person["_id"], username=person["username"], groups=frozenset())
        item, is_new = await building.item(owner, planned)
        if item is None:
            skipped.append(planned.new.name)
            continue
        new_items += is_new
        new_versions += await building.complete(owner, planned, item)
        if report:
            report(f"{planned.kind.one} {item['name']}")
    return Filled(new_people, new_items, new_versions, skipped)


async def _person(caller: Caller, number: int, username: str) -> tuple[UserRecord, bool]:
    """A person of the demo, who can sign in only when an administrator sets a password: this one is not shown."""
    same = {"_id": identity(Sort.PERSON, number)}
    for attempt in range(1, MOST_NAMES + 1):
        if found := await caller.tenant.users.records.find_one(same):
            return found, False
        password = secrets.token_urlsafe(32)
        with _taken_names_skipped():
            await users.add(
                caller.tenant,
                _free_name(username, attempt),
                password,
                Role.REGULAR,
                email=None,
                days=0,
                identity=same["_id"],
            )
            return await usernames.find(caller.tenant, str(same["_id"])), True
    raise Refused(NAME_TAKEN, username)


async def _group(caller: Caller, number: int, name: str, members: list[str]) -> None:
    same = identity(Sort.GROUP, number)
    for attempt in range(1, MOST_NAMES + 1):
        if await caller.tenant.groups.records.find_one({"_id": same}, {"_id": 1}):
            present = {str(member["_id"]) for member in await groups.members_of(caller.tenant, same)}
            if missing := [member for member in members if member not in present]:
                await groups.change(caller, str(same), GroupChange(members=ListChange(add=missing)))
            return
        with _taken_names_skipped():
            new = NewGroup(identity=same, name=_free_name(name, attempt), description="Of the demo", members=members)
            await groups.create(caller, new)
            return
    raise Refused(NAME_TAKEN, name)


@contextmanager
def _taken_names_skipped() -> Iterator[None]:
    try:
        yield
    except Refused as refused:
        if refused.fault is not NAME_TAKEN:
            raise


def _free_name(name: str, attempt: int) -> str:
    return name if attempt == 1 else f"{name}-demo-{attempt}"
