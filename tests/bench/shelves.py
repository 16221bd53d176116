"""Models by the thousand, as people make them: put into the database through the store, not one by one over HTTP."""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

from bson import ObjectId

from catalog.domain.access import readers
from catalog.store.clock import now
from catalog.store.connection import connect
from catalog.store.derived.search_entries import entry_of
from catalog.store.documents.tenants import RegisteredTenant
from catalog.store.embedded.process import Embedded
from catalog.store.query.ngrams import spelling
from catalog.store.records import ItemRecord
from catalog.store.tenant import Tenant
from catalog.vocabulary import Kind, Status, Usage, VersionState, Visibility

WORDS = 500
WORD_WEIGHTS = [1 / rank for rank in range(1, WORDS + 1)]

MOST_VERSIONS = 50
VERSION_WEIGHTS = [1 / rank**2 for rank in range(1, MOST_VERSIONS + 1)]

ARCHITECTURES = ("bert", "convnext", "gpt", "lstm", "mobilenet", "resnet", "segformer", "unet", "whisper", "yolo")
SUBJECTS = ("accents", "birds", "contracts", "faces", "iris", "leaves", "news", "proteins", "streets", "x-rays")

COMMON, SELDOM, RARE = "common", "seldom", "rare"
"""Tags of 9 in 10 models, of 1 in 100, and of three."""

BATCH = 250
"""Documents in one insert: with a thousand, a busy embedded engine answers no heartbeat of the driver in time."""


def fill(folder: Path, database: str, count: int, reader: str) -> None:
    """Put `count` models into the default tenant of a catalog in `folder` that was started before, and is stopped.

    `reader` is the id of somebody who may read what is public, and some of what is not.
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
    await work(database.tenant(RegisteredTenant(id=name, database=name)))
    database.close()


async def _fill(tenant: Tenant, count: int, reader: ObjectId) -> None:
    await tenant.models.records.delete_many({})  # a database that is given is that of the row before, too
    await tenant.versions.records.delete_many({})
    await tenant.search_entries.records.delete_many({})
    coming, used, named = models(count, reader), Counter[str](), Counter[str]()
    while batch := list(islice(coming, BATCH)):
        await tenant.models.records.insert_many(batch, ordered=False)
        entries = [entry_of(Kind.MODEL, cast("ItemRecord", model)) for model in batch]
        await tenant.search_entries.records.insert_many(entries, ordered=False)
        used.update(tag for model in batch for tag in model["tags"])
        named.update(pair["name"] for model in batch for pair in model["metadata"])
        await tenant.versions.records.insert_many([each for model in batch for each in versions(model)], ordered=False)
    for terms, counts in (tenant.tags, used), (tenant.metadata, named):
        await terms.records.delete_many({})
        await terms.records.insert_many([term(name, uses) for name, uses in counts.items()])
    await tenant.database["counters"].update_one({"_id": "serial"}, {"$set": {"value": count}}, upsert=True)


def term(name: str, uses: int) -> dict[str, Any]:
    """A folk term on so many public items."""
    counts = {"uses": uses, "seen": {"public": uses}}
    return {"_id": name, "usage": Usage.FOLK.value, "timestamp": now(), **counts, **spelling(name)}


async def _coin(tenant: Tenant, count: int) -> None:
    await tenant.tags.records.delete_many({})
    coming = tags(count)
    while batch := list(islice(coming, BATCH)):
        await tenant.tags.records.insert_many(batch, ordered=False)


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
                "seen": {"public": uses} if len(seen) % 3 else {str(owner): uses},
                "timestamp": now(),
                **spelling(word),
            }


def models(count: int, reader: ObjectId) -> Iterator[dict[str, Any]]:
    """Always the same ones: a fifth private and shared with one or two, 5 to 20 pairs of metadata, 1 to 50 versions.

    Tags and versions as Zipf says: few tags are on many models, few models have many versions.
    """
    dice = random.Random(count)
    people = [ObjectId() for _ in range(50)]
    for serial in range(1, count + 1):
        owner, is_private = dice.choice(people), dice.random() < 0.2
        visibility = Visibility.PRIVATE if is_private else Visibility.PUBLIC
        users = dice.sample([reader, *people], dice.randint(1, 2)) if is_private else []
        made, name = now(), f"{dice.choice(ARCHITECTURES)}-{dice.choice(SUBJECTS)}-{serial}"
        [last_version] = dice.choices(range(1, MOST_VERSIONS + 1), VERSION_WEIGHTS)
        yield {
            "_id": ObjectId(),
            "serial": serial,
            "name": name,
            "name_key": name,
            "owner": owner,
            "users": users,
            "visibility": visibility.value,
            "tags": [*_words(dice), *_measured_tags(dice, serial, count)],
            "metadata": [
                {"name": f"measure-{number}", "value": dice.random()} for number in range(dice.randint(5, 20))
            ],
            "description": "A model like many others. " * dice.randint(0, 8),
            "timestamp": made,
            "lastmod": made,
            "revision": 1,
            "last_version": last_version,
            "readers": readers(owner, users, (), visibility),
            "status": Status.TRAINING.value,
            "datasets": [],
        }


def versions(model: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """As many as the model says. Their bytes are not there: nothing that is measured on them reads any."""
    for number in range(1, model["last_version"] + 1):
        digest = sha256(f"{model['serial']} {number}".encode()).hexdigest()
        file = {"original": f"{number}.onnx", "digest": digest, "size": 1 << 20, "mimetype": "", "encoding": "7bit"}
        yield {
            "item": model["_id"],
            "kind": Kind.MODEL.value,
            "number": number,
            "ordinal": str(number),
            "ordinal_key": str(number),
            "files": [file | {"path": file["original"]}],
            "folder": False,
            "original": file["original"],
            "file_count": 1,
            "size": file["size"],
            "digest": digest,
            "description": "",
            "metadata": [],
            "state": VersionState.LIVE.value,
            "owner": model["owner"],
            "timestamp": model["timestamp"],
            "lastmod": model["lastmod"],
            "revision": 1,
        }


def _words(dice: random.Random) -> list[str]:
    ranks = dice.choices(range(WORDS), WORD_WEIGHTS, k=dice.randint(1, 6))
    return list(dict.fromkeys(f"word-{rank}" for rank in ranks))


def _measured_tags(dice: random.Random, serial: int, count: int) -> list[str]:
    common = [COMMON] if dice.random() < 0.9 else []
    seldom = [SELDOM] if dice.random() < 0.01 else []
    return [*common, *seldom, *([RARE] if serial in {1, count // 3, count // 2} else [])]
