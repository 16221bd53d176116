"""`catalog sweep`: asks the running server to sweep now, and prints what it removed."""

from collections.abc import Iterator
from typing import Any

import httpx

from catalog.client.session import PREFIX
from catalog.commands.administration.online.refusals import refusal
from catalog.durations import human_size


class SweepError(Exception):
    """The server did not sweep. The message says why, and what to do."""


def ask(url: str, token: str, *, dry_run: bool, tenant: str, grace: str) -> dict[str, Any]:
    """The answer of the server at `url` after the sweep, which may take minutes: there is no timeout.

    Raises SweepError.
    """
    query = {"dry_run": str(dry_run).lower(), "tenant": tenant, "grace": grace}
    try:
        answer = httpx.post(
            f"{url.rstrip('/')}{PREFIX}/sweep",
            params={name: value for name, value in query.items() if value},
            headers={"Authorization": token},
            timeout=httpx.Timeout(None, connect=10),
        )
        body = answer.json()
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as failure:
        raise SweepError(
            f"{url} cannot be reached as a catalog ({failure}): give the address of a running server with --server. "
            "A server also sweeps by itself, see SWEEP_EVERY"
        ) from failure
    if answer.is_error:
        raise SweepError(refusal(answer))
    return dict(body)


def lines(answer: dict[str, Any]) -> Iterator[str]:
    """The answer, a line per tenant."""
    verb = "would remove" if answer["dry_run"] else "removed"
    for tenant in answer["tenants"]:
        if "refused" in tenant:
            yield f"{tenant['_id']}: not swept. {tenant['refused']}"
        else:
            yield f"{tenant['_id']}: {verb} {_counted(tenant)}"


def _counted(swept: dict[str, Any]) -> str:
    parts = (
        (swept["blobs"], "unused file", swept["bytes"]),
        (swept["leftovers"], "interrupted upload", swept["leftover_bytes"]),
    )
    counts = [f"{_many(count, what)} ({human_size(size)})" for count, what, size in parts if count]
    counts += [
        _many(swept[field], what)
        for field, what in (
            ("uploads", "expired upload"),
            ("drafts", "abandoned draft"),
            ("unused_words", "unused word"),
            ("versions", "old version"),
            ("purged", "item of the trash"),
            ("entries", "entry of the journal"),
        )
        if swept.get(field)
    ]
    repaired = f"; repaired the counts of {_many(swept['words'], 'word')}" if swept["words"] else ""
    lost = f"; {_many(swept['damaged'], 'file')} found damaged" if swept.get("damaged") else ""
    return (" and ".join(counts) or "nothing") + repaired + lost


def _many(count: int, what: str) -> str:
    noun, of, rest = what.partition(" of ")
    plural = f"{noun.removesuffix('y')}ies" if noun.endswith("y") else f"{noun}s"
    return f"{count} {noun if count == 1 else plural}{of}{rest}"
