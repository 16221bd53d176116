"""`catalog log`: prints the journal, which it reads through the API."""

import json
import time
from collections.abc import Iterator
from typing import Any

import httpx

from catalog.client.session import PREFIX
from catalog.commands.administration.online.refusals import refusal

Document = dict[str, Any]

INTERVAL = 1.0
"""Seconds between two requests for new entries."""

OVERLAP = 1000
"""Serial numbers that are requested again: another server may write an entry late, with a lower number."""

PAGE = 1000

PATIENCE = 30.0  # seconds


class JournalError(Exception):
    """The journal cannot be read. The message says why, and what to do."""


class JournalReader:
    """Reads the journal of the token's tenant, or the operator's."""

    def __init__(self, url: str, token: str, *, operator: bool) -> None:
        self._path = f"{PREFIX}/log/operator" if operator else f"{PREFIX}/log"
        self._client = httpx.Client(base_url=url, headers={"Authorization": token}, timeout=PATIENCE)
        self._shown: dict[str, int] = {}  # serial numbers by the ids of entries

    def latest(self, count: int) -> list[Document]:
        """The last entries, the oldest of them first."""
        return self._new([self._get(limit=count)["docs"]] if count else [])

    def follow(self) -> Iterator[Document]:
        """New entries as they arrive, forever."""
        while True:
            yield from self._new(self._pages())
            time.sleep(INTERVAL)

    def _pages(self) -> Iterator[list[Document]]:
        since = max(self._shown.values(), default=0) - OVERLAP
        cursor: str | None = ""
        while cursor is not None:
            page = self._get(limit=PAGE, after=cursor, filter=json.dumps({"serial": {"$gt": since}}))
            yield page["docs"]
            cursor = page["nextCursor"]

    def _new(self, pages: Any) -> list[Document]:
        found = [entry for page in pages for entry in page if entry["_id"] not in self._shown]
        self._shown |= {entry["_id"]: entry["serial"] for entry in found}
        least = max(self._shown.values(), default=0) - OVERLAP
        self._shown = {key: serial for key, serial in self._shown.items() if serial > least}
        return sorted(found, key=lambda entry: entry["serial"])

    def _get(self, **query: str | int) -> Document:
        try:
            answer = self._client.get(self._path, params=query)
            body = answer.json()
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as failure:
            raise JournalError(f"{self._client.base_url} cannot be reached as a catalog: {failure}") from failure
        if answer.is_error:
            raise JournalError(refusal(answer, "check CATALOG_TOKEN"))
        return dict(body)


def line(entry: Document) -> str:
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
