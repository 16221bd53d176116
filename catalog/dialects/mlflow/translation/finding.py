"""Finding models and versions as MLflow names them, and the sentences that its clients expect where there are none."""

import posixpath
import re
from collections.abc import Collection
from typing import NamedTuple

from catalog.dialects.mlflow.requests import Call, no_model
from catalog.domain import naming
from catalog.domain.access import may_change, may_read, readable_by
from catalog.domain.items.reading import lookup as items_lookup
from catalog.domain.items.references import Reference
from catalog.domain.versions import lookup, numbering
from catalog.errors import CANNOT_MODIFY, INVALID_FIELD, NOT_FOUND, Refused
from catalog.store.ids import object_id
from catalog.store.records import ItemRecord, VersionRecord
from catalog.vocabulary import Kind, VersionState

MODEL = Kind.MODEL
LONGEST_ALIAS = 255
MOST_OF_NAMES = 1000
"""Models that are read for several names at once."""

LARGEST_NUMBER = 2**53

_NUMBER = re.compile(r"[0-9]{1,16}")
_ALIAS = re.compile(r"[\w\-]+")
_LIKE_A_NUMBER = re.compile(r"[vV]\d+")


class RequestedModel(NamedTuple):
    """A model, and the name by which the client knows it."""

    item: ItemRecord
    name: str

    @property
    def reference(self) -> Reference:
        return Reference(str(self.item["_id"]))


class RequestedVersion(NamedTuple):
    model: RequestedModel
    version: VersionRecord

    @property
    def reference(self) -> Reference:
        return Reference(str(self.model.item["_id"]), self.version["ordinal"])


async def find_model(call: Call, name: str) -> RequestedModel | None:
    """The model of a name that the caller may read; None: there is none. Raises Refused: AMBIGUOUS."""
    item = await items_lookup.find(call.caller, MODEL, Reference(name))
    if item is None or item.get("archived") or not may_read(call.caller, item):
        return None
    return RequestedModel(item, name if name.endswith(f"/{item['name']}") else item["name"])


async def find_models(call: Call, names: Collection[str]) -> dict[str, RequestedModel | None]:
    """Each as `find_model` finds it. What a name alone means is asked for all names together.

    Raises Refused: AMBIGUOUS.
    """
    plain = [name for name in names if "/" not in name and not object_id(name) and naming.normalized(name) == name]
    records, caller = call.caller.tenant.items(MODEL).records, call.caller
    own = await records.find({"owner": caller.user, "name": {"$in": plain}}).to_list(len(plain) or None)
    found = {item["name"]: [item] for item in own}
    rest = [name for name in plain if name not in found]
    others = {"name": {"$in": rest}, **readable_by(caller)}
    readable = await records.find(others).limit(MOST_OF_NAMES).to_list(MOST_OF_NAMES)
    for item in readable:
        found.setdefault(item["name"], []).append(item)
    known = set(plain) if len(readable) < MOST_OF_NAMES else set(plain).difference(rest)
    models: dict[str, RequestedModel | None] = {}
    for name in names:
        items = found.get(name, [])
        if name not in known or len(items) > 1:
            models[name] = await find_model(call, name)
        else:
            models[name] = next((RequestedModel(item, name) for item in items if not item.get("archived")), None)
    return models


async def model(call: Call, name: str) -> RequestedModel:
    """Raises Refused: NOT_FOUND, AMBIGUOUS."""
    found = await find_model(call, name)
    if found is None:
        raise no_model(name)
    return found


async def changeable_model(call: Call, name: str) -> RequestedModel:
    """Raises Refused: NOT_FOUND, AMBIGUOUS, CANNOT_MODIFY."""
    found = await model(call, name)
    if not may_change(call.caller, found.item):
        raise Refused(CANNOT_MODIFY, name)
    return found


async def version(call: Call, name: str, number: str | int) -> RequestedVersion:
    """Raises Refused: NOT_FOUND, AMBIGUOUS, INVALID_FIELD."""
    wanted = number_of(number)
    return await version_of(call, await model(call, name), wanted)


async def version_of(call: Call, found: RequestedModel, number: int) -> RequestedVersion:
    """Raises Refused: NOT_FOUND."""
    record = await lookup.numbered(call.caller.tenant, found.item["_id"], number)
    if record is None or record.get("archived") or record["state"] == VersionState.DRAFT:
        raise no_version(found.name, number)
    return RequestedVersion(found, record)


async def changeable_version(call: Call, name: str, number: str | int) -> RequestedVersion:
    """Raises Refused: NOT_FOUND, AMBIGUOUS, INVALID_FIELD, CANNOT_MODIFY."""
    found = await version(call, name, number)
    if not may_change(call.caller, found.model.item):
        raise Refused(CANNOT_MODIFY, name)
    return found


def no_version(name: str, number: int) -> Refused:
    return Refused(NOT_FOUND, f"Model Version (name={name[:300]}, version={number}) not found")


def number_of(text: str | int) -> int:
    """Raises Refused: INVALID_FIELD."""
    number = int(text) if _NUMBER.fullmatch(str(text)) else LARGEST_NUMBER
    if number >= LARGEST_NUMBER:
        raise Refused(INVALID_FIELD, f"Parameter 'version' must be an integer, got '{str(text)[:80]}'.")
    return number


def number_to_take(text: str | int) -> int:
    """The number that a new version must get; 0: any. Raises Refused: INVALID_FIELD."""
    number = number_of(text) if text != "" else 0
    most = 10**numbering.LONGEST_NUMBER - 1
    if text != "" and not 0 < number <= most:
        raise Refused(INVALID_FIELD, f"Parameter 'version' must be from 1 to {most}, got '{str(text)[:80]}'.")
    return number


def checked_name(name: str) -> str:
    """The name of a model to create. Raises Refused: INVALID_FIELD."""
    is_path = posixpath.normpath(name) == name and not name.startswith("..") and name != "."
    if not name.strip() or "/" in name or ":" in name or not is_path:
        raise Refused(
            INVALID_FIELD,
            f"Invalid name: '{name[:80]}'. Registered model name cannot be empty, "
            "or contain a slash (/) or a colon (:), or be a relative path.",
        )
    return name


def checked_alias(alias: str) -> str:
    """Raises Refused: INVALID_FIELD."""
    if len(alias) > LONGEST_ALIAS or not _ALIAS.fullmatch(alias):
        raise Refused(
            INVALID_FIELD,
            f"Invalid alias name: '{alias[:80]}'. Names may only contain alphanumerics, underscores (_) and dashes "
            f"(-), at most {LONGEST_ALIAS} of them.",
        )
    if alias.lower() == "latest":
        raise Refused(INVALID_FIELD, "'latest' alias name (case insensitive) is reserved.")
    if _LIKE_A_NUMBER.fullmatch(alias):
        raise Refused(INVALID_FIELD, f"Version alias name '{alias}' is reserved.")
    return alias
