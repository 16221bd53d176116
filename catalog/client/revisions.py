"""Which version is meant: `iris@3`, `iris@latest`, `iris@production`."""

from typing import NamedTuple

from catalog.client.effects import Operation
from catalog.client.errors import Invalid, NotFound
from catalog.client.results import Raw, Version
from catalog.client.uploads import Target

LATEST = "latest"
STATUSES = ("training", "test", "production", "deploy")
"""Of an item: `iris@production` is its newest version, if it is in production."""

SHOWN = ("LIVE", "ARCHIVED")
"""States of versions that may be the newest: not of a draft, nor of one in quarantine."""


class Reference(NamedTuple):
    name: str
    revision: str


def reference(text: str) -> Reference:
    """`name` or `name@revision`; what follows the last `@` is the revision.

    Raises Invalid.
    """
    name, _, revision = text.rpartition("@") if "@" in text else (text, "", LATEST)
    if not name or not revision:
        raise Invalid(f"{text!r} names no version", advice="Write it as iris, iris@3, iris@latest or iris@production.")
    return Reference(name, revision)


def resolved(item: Target, revision: str) -> Operation[Raw]:
    """The record of the version that `revision` means: an ordinal, the name of a file, `latest`, or a status.

    Raises CatalogError: NotFound, also when the item has another status.
    """
    if revision in STATUSES:
        status = (yield from item.session.ask("GET", f"{item.path.removesuffix('/versions')}")).get("status")
        if status != revision:
            raise NotFound(
                f"{item.key} is not in {revision}: its status is {status}",
                advice=f"Leave out @{revision} for its newest version, or give it that status.",
            )
    if revision in (LATEST, *STATUSES):
        revision = yield from _newest(item)
    return (yield from item.document(revision))


def _newest(item: Target) -> Operation[str]:
    page = item.session.page(item.path, Version.of, {"limit": "10"})
    cursor: str | None = ""
    while cursor is not None:
        found = yield from page(cursor)
        for version in found.docs:
            if version.state in SHOWN:
                return version.ordinal
        cursor = found.next_cursor
    raise NotFound(f"{item.key} has no version yet", advice="Push a file to it first.")
