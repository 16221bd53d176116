"""`catalog log`: prints the journal, which it reads through the API."""

import time
from collections.abc import Iterable, Iterator
from itertools import islice

from catalog import client

INTERVAL = 1.0
"""Seconds between two requests for new entries."""

OVERLAP = 1000
"""Serial numbers that are requested again: another server may write an entry late, with a lower number."""

PAGE = 1000


class JournalReader:
    """Reads the journal of the user's tenant, or the operator's. Its methods raise CatalogError."""

    def __init__(self, catalog: "client.Catalog", *, operator: bool) -> None:
        self._catalog = catalog
        self._operator = operator
        self._shown: dict[str, int] = {}  # serial numbers by the ids of entries

    def latest(self, count: int) -> "list[client.results.JournalRecord]":
        """The last entries, the oldest of them first."""
        found = self._catalog.log(operator=self._operator, batch=min(count, PAGE) or 1)
        return self._new(islice(found, count))

    def follow(self) -> "Iterator[client.results.JournalRecord]":
        """New entries as they arrive, forever."""
        while True:
            since = max(0, max(self._shown.values(), default=0) - OVERLAP)
            yield from self._new(self._catalog.log(since=since, operator=self._operator, batch=PAGE))
            time.sleep(INTERVAL)

    def _new(self, entries: "Iterable[client.results.JournalRecord]") -> "list[client.results.JournalRecord]":
        found = [entry for entry in entries if entry["_id"] not in self._shown]
        self._shown |= {entry["_id"]: entry["serial"] for entry in found}
        least = max(self._shown.values(), default=0) - OVERLAP
        self._shown = {key: serial for key, serial in self._shown.items() if serial > least}
        return sorted(found, key=lambda entry: entry["serial"])


def line(entry: "client.results.JournalRecord") -> str:
    """An entry as one line. Control characters, which a client may have sent, are replaced."""
    parts = (
        entry["date"],
        entry.get("user", "-"),
        entry.get("address", "-"),
        entry["method"],
        entry["path"],
        entry["result"],
        f"{entry['duration']:g}ms",
        entry["request_id"],
        *([f"and {entry['requests'] - 1} more"] if entry.get("requests") else []),
    )
    text = " ".join(map(str, parts))
    return "".join(each if each.isprintable() else "?" for each in text)
