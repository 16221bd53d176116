"""All steps, in order. The position of a step, from 1 on, is the schema number of the tenants that it has upgraded."""

from collections.abc import Awaitable, Callable
from typing import NamedTuple

from catalog.store.migrations import indexes
from catalog.store.migrations.progress import Progress
from catalog.store.migrations.steps import (
    archived_versions,
    folder_files,
    lease_fields,
    search_keys,
    term_keys,
    term_views,
    tracked_readers,
    usernames,
    version_serials,
    version_summaries,
)
from catalog.store.tenant import Tenant


class Step(NamedTuple):
    name: str  # what it writes, for the log
    run: Callable[[Tenant, Progress], Awaitable[None]]


STEPS: tuple[Step, ...] = (
    Step("keys of usernames", usernames.run),
    Step("serials of versions", version_serials.run),
    Step("keys of terms", term_keys.run),
    Step("viewers of terms", term_views.run),
    Step("archived versions", archived_versions.run),
    Step("files of folders", folder_files.run),
    Step("indexes of lists of versions", indexes.only),
    Step("search keys of items", search_keys.run),
    Step("summaries of versions", version_summaries.run),
    Step("readers of versions and of what is tracked", tracked_readers.run),
    Step("fields of leases", lease_fields.run),
    Step("partial indexes that every engine uses", indexes.only),
)

NEWEST = len(STEPS)
"""The schema number of the records that this version writes."""
