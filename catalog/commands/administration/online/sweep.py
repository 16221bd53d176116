"""`catalog sweep`: what a running server has removed, as lines."""

from collections.abc import Iterator

from catalog import client
from catalog.durations import human_size


def lines(answer: "client.results.Sweep") -> Iterator[str]:
    """The answer, a line per tenant."""
    verb = "would remove" if answer["dry_run"] else "removed"
    for tenant in answer["tenants"]:
        if "refused" in tenant:
            yield f"{tenant['_id']}: not swept. {tenant['refused']}"
        else:
            yield f"{tenant['_id']}: {verb} {_counted(tenant)}"


def _counted(swept: "client.results.SweptFromTenant") -> str:
    parts = (
        (swept["blobs"], "unused file", swept["bytes"]),
        (swept["leftovers"], "interrupted upload", swept["leftover_bytes"]),
    )
    counts = [f"{_many(count, what)} ({human_size(size)})" for count, what, size in parts if count]
    others = (
        (swept.get("uploads"), "expired upload"),
        (swept.get("drafts"), "abandoned draft"),
        (swept.get("unused_words"), "unused word"),
        (swept.get("versions"), "old version"),
        (swept.get("purged"), "item of the trash"),
        (swept.get("entries"), "entry of the journal"),
    )
    counts += [_many(count, what) for count, what in others if count]
    repaired = f"; repaired the counts of {_many(swept['words'], 'word')}" if swept["words"] else ""
    lost = f"; {_many(swept['damaged'], 'file')} found damaged" if swept.get("damaged") else ""
    return (" and ".join(counts) or "nothing") + repaired + lost


def _many(count: int, what: str) -> str:
    noun, of, rest = what.partition(" of ")
    plural = f"{noun.removesuffix('y')}ies" if noun.endswith("y") else f"{noun}s"
    return f"{count} {noun if count == 1 else plural}{of}{rest}"
