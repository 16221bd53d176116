"""`catalog log`: the journal on a terminal, read through the API like by anyone else."""

import json
import time
from collections.abc import Iterator
from typing import Any

import httpx

Doc = dict[str, Any]

EVERY = 1.0
"""Seconds between two looks for new entries."""

BEHIND = 1000
"""Numbers that are looked at again: another server's entries may be written after ours that have higher ones."""

PAGE = 1000

PATIENCE = 30.0  # seconds


class CannotRead(Exception):  # noqa: N818  the sentence it reads as matters more than the suffix
    """Says why, and what to do."""


class Reader:
    """Reads the journal of whoever the token is of: an administrator's tenant, or the operator."""

    def __init__(self, url: str, token: str, *, operator: bool) -> None:
        self._path = "/v1/log/operator" if operator else "/v1/log"
        self._client = httpx.Client(base_url=url, headers={"Authorization": token}, timeout=PATIENCE)
        self._shown: dict[str, int] = {}  # the numbers of entries by their ids

    def latest(self, count: int) -> list[Doc]:
        """The last entries, the oldest of them first."""
        return self._new([self._get(limit=count)["docs"]] if count else [])

    def follow(self) -> Iterator[Doc]:
        """New entries as they come, without an end."""
        while True:
            yield from self._new(self._pages())
            time.sleep(EVERY)

    def _pages(self) -> Iterator[list[Doc]]:
        since = max(self._shown.values(), default=0) - BEHIND
        cursor: str | None = ""
        while cursor is not None:
            page = self._get(limit=PAGE, after=cursor, filter=json.dumps({"serial": {"$gt": since}}))
            yield page["docs"]
            cursor = page["nextCursor"]

    def _new(self, pages: Any) -> list[Doc]:
        found = [entry for page in pages for entry in page if entry["_id"] not in self._shown]
        self._shown |= {entry["_id"]: entry["serial"] for entry in found}
        least = max(self._shown.values(), default=0) - BEHIND
        self._shown = {key: serial for key, serial in self._shown.items() if serial > least}
        return sorted(found, key=lambda entry: entry["serial"])

    def _get(self, **query: str | int) -> Doc:
        try:
            answer = self._client.get(self._path, params=query)
            body = answer.json()
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as failure:
            raise CannotRead(f"{self._client.base_url} cannot be reached as a catalog: {failure}") from failure
        if answer.is_error:
            raise CannotRead(f"{body.get('message')} ({body.get('details', 'as CATALOG_TOKEN')})")
        return dict(body)


def line(entry: Doc) -> str:
    """An entry as a line. A path may hold whatever a client sent: what a terminal would act on is not shown."""
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
