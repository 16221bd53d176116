"""Models by the thousand, as people make them: put into the database through the store, not one by one over HTTP."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bson import ObjectId

from catalog.domain.access import readers
from catalog.store.database import Tenant, connect
from catalog.store.documents import TenantRecord, now
from catalog.store.embedded import Embedded
from catalog.store.pieces import spelling
from catalog.vocabulary import Status, Usage, Visibility

WORDS = 500
COMMON, SELDOM, RARE = "common", "seldom", "rare"
"""Tags of 9 in 10 models, of 1 in 100, and of three."""

BATCH = 1000
"""Documents in one insert."""


def fill(folder: Path, database: str, count: int, reader: str) -> None:
    """Put `count` models into the default tenant of a catalog in `folder` that was started before, and is stopped.

    `reader` is the id of somebody who may read four of five.
    """
    _in_tenant(folder, database, lambda tenant: _fill(tenant, count, ObjectId(reader)))


def coin(folder: Path, database: str, count: int) -> None:
    """Put `count` tags there, likewise, in the place of those that are."""
    _in_tenant(folder, database, lambda tenant: _coin(tenant, count))


def _in_tenant(folder: Path, database: str, work: Callable[[Tenant], Awaitable[None]]) -> None:
    if database == "embedded":
        with Embedded(folder / "data") as embedded:
            asyncio.run(_done(embedded.ready(), "registry-default", work))
    else:
        asyncio.run(_done(database, f"{urlsplit(database).path[1:]}-tenant", work))


async def _done(uri: str, name: str, work: Callable[[Tenant], Awaitable[None]]) -> None:
    database = connect(uri)
    await database.open()
    await work(database.tenant(TenantRecord(id=name, database=name)))
    database.close()


async def _fill(tenant: Tenant, count: int, reader: ObjectId) -> None:
    await tenant.models.raw.delete_many({})  # a database that is given is that of the row before, too
    coming = models(count, reader)
    while batch := list(islice(coming, BATCH)):
        await tenant.models.raw.insert_many(batch, ordered=False)
    await tenant.database["counters"].update_one({"_id": "serial"}, {"$set": {"value": count}}, upsert=True)


async def _coin(tenant: Tenant, count: int) -> None:
    await tenant.tags.raw.delete_many({})
    coming = tags(count)
    while batch := list(islice(coming, BATCH)):
        await tenant.tags.raw.insert_many(batch, ordered=False)


def tags(count: int) -> Iterator[dict[str, Any]]:
    """Words that can be spoken, as different as they are many; few are used often, as Zipf says."""
    dice = random.Random(count)
    syllables = [consonant + vowel for consonant in "bdfghklmnprstvz" for vowel in "aeiou"]
    owner, seen = ObjectId(), set[str]()
    while len(seen) < count:
        word = "".join(dice.choices(syllables, k=dice.randint(2, 5)))
        if word not in seen:
            seen.add(word)
            usage = Usage.DEFAULT if dice.random() < 0.05 else Usage.FOLK
            uses = count // dice.randint(1, count)
            yield {
                "_id": word,
                "usage": usage.value,
                "owner": owner,
                "uses": uses,
                "timestamp": now(),
                **spelling(word),
            }


def models(count: int, reader: ObjectId) -> Iterator[dict[str, Any]]:
    """Always the same ones: a fifth private, a fifth of those shared, tags as Zipf says, 5 to 20 pairs of metadata."""
    dice = random.Random(count)
    owners = [ObjectId() for _ in range(50)]
    rarity = [1 / (rank + 1) for rank in range(WORDS)]
    for serial in range(1, count + 1):
        owner, is_private = dice.choice(owners), dice.random() < 0.2
        visibility = Visibility.PRIVATE if is_private else Visibility.PUBLIC
        users = [reader] if is_private and dice.random() < 0.2 else []
        words = dice.choices(range(WORDS), rarity, k=dice.randint(1, 6))
        made, name = now(), f"model-{serial}-{dice.getrandbits(32):08x}"
        yield {
            "serial": serial,
            "name": name,
            "name_key": name,
            "owner": owner,
            "users": users,
            "visibility": visibility.value,
            "tags": [*dict.fromkeys(f"word-{word}" for word in words), *_measured_tags(dice, serial, count)],
            "metadata": [
                {"name": f"measure-{number}", "value": dice.random()} for number in range(dice.randint(5, 20))
            ],
            "description": "A model like many others. " * dice.randint(0, 8),
            "timestamp": made,
            "lastmod": made,
            "revision": 1,
            "last_version": 0,
            "readers": readers(owner, users, visibility),
            "status": Status.TRAINING.value,
            "datasets": [],
        }


def _measured_tags(dice: random.Random, serial: int, count: int) -> list[str]:
    common = [COMMON] if dice.random() < 0.9 else []
    seldom = [SELDOM] if dice.random() < 0.01 else []
    return [*common, *seldom, *([RARE] if serial in {1, count // 3, count // 2} else [])]
