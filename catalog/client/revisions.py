"""References to versions: `iris@3`, `iris@latest`, `iris@production`."""

from typing import NamedTuple

from catalog.client.errors import Invalid, NotFound
from catalog.client.results import Raw, Version
from catalog.client.transfer.uploads import TargetItem
from catalog.client.transport.effects import Operation

LATEST = "latest"
STATUSES = ("training", "test", "production", "deploy")
"""Statuses of an item: `iris@production` is its newest version if its status is `production`."""

VISIBLE_STATES = ("LIVE",)
"""States in which a version counts as the newest: drafts, archived and quarantined versions do not."""


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
            f"{text!r} does not name a version", advice="Write it as iris, iris@3, iris@latest or iris@production."
        )
    return VersionReference(name, revision)


def resolve_version(item: TargetItem, revision: str) -> Operation[Raw]:
    """The record of the version that `revision` names: an ordinal, the name of a file, `latest`, or a status.

    Raises CatalogError: NotFound, also if the item has another status.
    """
    if revision in STATUSES:
        status = (yield from item.session.request_json("GET", f"{item.path.removesuffix('/versions')}")).get("status")
        if status != revision:
            raise NotFound(
                f"{item.key} is not in {revision}: its status is {status}",
                advice=f"Leave out @{revision} for its newest version, or set that status.",
            )
    if revision in (LATEST, *STATUSES):
        revision = yield from _newest(item)
    return (yield from item.document(revision))


def _newest(item: TargetItem) -> Operation[str]:
    page = item.session.page(item.path, Version.of, {"limit": "10"})
    cursor: str | None = ""
    while cursor is not None:
        found = yield from page(cursor)
        for version in found.docs:
            if version.state in VISIBLE_STATES:
                return version.ordinal
        cursor = found.next_cursor
    raise NotFound(f"{item.key} has no version yet", advice="Push a file to it first.")
