"""References to versions: `iris@3`, `iris@champion`, `iris@latest`."""

import re
import shlex
from typing import NamedTuple

from catalog.client.errors import Invalid, NotFound
from catalog.client.results import Raw
from catalog.client.transfer.uploads.uploads import TargetItem
from catalog.client.transport.effects import Operation

LATEST = "latest"
STATUSES = ("training", "test", "production", "deploy")
"""Statuses of an item. They name no version; once they did."""

ALIAS = re.compile(r"(?![vV]?\d+$)[\w-]+")
"""What can be an alias."""


class VersionReference(NamedTuple):
    name: str
    revision: str


def parse_reference(text: str) -> VersionReference:
    """`name` or `name@revision`; what follows the last `@` is the revision.

    Raises Invalid.
    """
    name, _, revision = text.rpartition("@") if "@" in text else (text, "", LATEST)
    if not name or not revision:
        raise Invalid(
            f"{text!r} does not name a version", advice="Write it as iris, iris@3, iris@latest or iris@champion."
        )
    return VersionReference(name, revision)


def resolve_version(item: TargetItem, revision: str) -> Operation[Raw]:
    """The record of the version that `revision` names: an ordinal, an alias, `latest`, or the name of a file.

    Raises CatalogError: NotFound, which says how to set an alias of that name.
    """
    try:
        return (yield from item.document(revision))
    except NotFound as missing:
        if missing.details != revision:  # of the item itself
            raise
        raise _unknown_version(item, revision, missing) from None


def _unknown_version(item: TargetItem, revision: str, missing: NotFound) -> NotFound:
    if revision == LATEST:
        return NotFound(f"{item.key} has no version yet", status=missing.status, advice="Push a file to it first.")
    sentence, advice = f"{item.key} has no version or alias {revision}", ""
    if revision in STATUSES:
        sentence += ", and a status names no version"
    if ALIAS.fullmatch(revision):
        kind = () if item.kind == "models" else ("--kind", item.kind)
        command = shlex.join(["catalog", "alias", "set", item.key, revision])
        advice = f"To set the alias: {command} VERSION{' '.join(('', *kind))}"
    return NotFound(sentence, status=missing.status, value=missing.value, request_id=missing.request_id, advice=advice)
