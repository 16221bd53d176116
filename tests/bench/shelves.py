"""Models by the thousand, as people make them: put into the database through the store, not one by one over HTTP."""

import asyncio
import random
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bson import ObjectId

from catalog.domain.access import readers
from catalog.store.database import connect
from catalog.store.documents import TenantRecord, now
from catalog.store.embedded import Embedded
from catalog.vocabulary import Status, Visibility

WORDS = 500
COMMON, SELDOM, RARE = "common", "seldom", "rare"
"""Tags of 9 in 10 models, of 1 in 100, and of three."""

BATCH = 1000
"""Documents in one insert."""


def fill(folder: Path, database: str, count: int, reader: str) -> None:
    """Put `count` models into the default tenant of a catalog in `folder` that was started before, and is stopped.

    `reader` is the id of somebody who may read four of five.
    """
    if database == "embedded":
        with Embedded(folder / "data") as embedded:
            asyncio.run(_fill(embedded.ready(), "registry-default", count, ObjectId(reader)))
    else:
        asyncio.run(_fill(database, f"{urlsplit(database).path[1:]}-tenant", count, ObjectId(reader)))


async def _fill(uri: str, name: str, count: int, reader: ObjectId) -> None:
    database = connect(uri)
    await database.open()
    tenant = database.tenant(TenantRecord(id=name, database=name))
    coming = models(count, reader)
    while batch := list(islice(coming, BATCH)):
        await tenant.models.raw.insert_many(batch, ordered=False)
    await tenant.database["counters"].update_one({"_id": "serial"}, {"$set": {"value": count}}, upsert=True)
    database.close()


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
        made = now()
        yield {
            "serial": serial,
            "name": f"model-{serial}-{dice.getrandbits(32):08x}",
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
