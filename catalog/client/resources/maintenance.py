"""What an administrator or the operator asks a running server for: its journal, its use of storage, a sweep."""

from collections.abc import Callable

from catalog.client.resources.base import D, Resource, operation, walk
from catalog.client.resources.item_filters import filter_query
from catalog.client.results import Document, JournalRecord, Page, StorageUsage, Sweep, shaped
from catalog.client.session import PAGE, as_operator, segment
from catalog.client.transport.effects import Operation

SWEEP_TIMEOUT = 86400.0
"""Seconds to wait for the answer to a sweep, which reads the list of all stored files."""


class MaintenanceMethods(Resource[D]):
    """Methods of both clients."""

    @operation
    def usage(self, tenant: str = "") -> Operation[StorageUsage]:
        """What the tenant stores, and its quota, in bytes. For administrators; of another tenant for the operator."""
        path = f"/tenants/{segment(tenant)}/usage" if tenant else "/usage"
        asked = self._session.request_json("GET", path)
        return shaped((yield from (as_operator(asked) if tenant else asked)), StorageUsage)

    @walk
    def log(
        self, *, since: int = 0, operator: bool = False, batch: int = PAGE
    ) -> Callable[[str], Operation[Page[JournalRecord]]]:
        """Iterate over the journal of the tenant, newest first. For administrators.

        With `since`, only over entries with a higher `serial`; with `operator`, over the operator's own journal.
        `batch` is the number of entries per request.
        """
        newer = {"serial": {"$gt": since}} if since else None
        path = "/log/operator" if operator else "/log"
        page = self._session.page(path, _entry, {"limit": str(batch), **filter_query({"filter": newer})})
        return (lambda cursor: as_operator(page(cursor))) if operator else page

    @operation
    def sweep(self, *, dry_run: bool = False, tenant: str = "", grace: str = "") -> Operation[Sweep]:
        """Remove the files that no version uses any more, of all tenants or of one. For the operator.

        Files that are younger than `grace`, such as `1h`, stay. With `dry_run` nothing is removed.
        """
        query = {"dry_run": "true" if dry_run else "", "tenant": tenant, "grace": grace}
        given = {name: value for name, value in query.items() if value}
        asked = self._session.request_json("POST", "/sweep", query=given, timeout=SWEEP_TIMEOUT)
        return shaped((yield from as_operator(asked)), Sweep)


def _entry(document: Document) -> JournalRecord:
    return shaped(document, JournalRecord)
