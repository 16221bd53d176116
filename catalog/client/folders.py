"""Many files up: a draft that gets its files, several at once, and is closed when they are all there."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import quote

from catalog.client.effects import Operation, together, work
from catalog.client.errors import NotFound
from catalog.client.progress import Progress, Sum
from catalog.client.results import Version
from catalog.client.sources import Source, gathered
from catalog.client.uploads import Said, Target, as_pairs, put_file

WIDTH = 4
"""Files that are on their way at once."""

ROOM = "drafts"


def add_files(to: Target, several: Sequence[Path], said: Said, tell: Progress) -> Operation[Version]:
    """A new version of a folder, or of several files. One that was interrupted goes on in its draft.

    Raises CatalogError.
    """
    sources = yield from work(gathered, several)
    key = [to.session.url, to.session.tenant, to.kind, to.key, said.ordinal, *(str(each.resolve()) for each in several)]
    draft = (yield from _unfinished(to, key)) or (yield from _begin(to, key, said))
    at = draft.ordinal

    there = {file.path: file.digest for file in draft.files}
    yield from together([_drop(to, at, path) for path in sorted(there.keys() - sources.keys())], WIDTH)
    total = Sum(tell, sum(source.size for source in sources.values()))
    sending = [_put(to, at, path, source, there, total.of(path)) for path, source in sources.items()]
    yield from together(sending, WIDTH)

    closed = yield from to.session.ask("POST", f"{to.at(at)}/close")
    to.cache.forget(ROOM, key)
    return Version.of(closed)


def _begin(to: Target, key: list[str], said: Said) -> Operation[Version]:
    body = {"draft": True, "ordinal": said.ordinal, "description": said.description}
    draft = Version.of((yield from to.session.ask("POST", to.path, body={**body, "metadata": as_pairs(said.metadata)})))
    to.cache.remember(ROOM, key, draft.ordinal)
    return draft


def _unfinished(to: Target, key: list[str]) -> Operation[Version | None]:
    """The draft that an earlier attempt left, if it is still one."""
    ordinal = to.cache.recall(ROOM, key)
    if not ordinal:
        return None
    try:
        version = yield from to.info(ordinal)
    except NotFound:
        return None
    return version if version.state == "DRAFT" else None


def _put(
    to: Target, draft: str, path: str, source: Source, there: Mapping[str, str], tell: Progress
) -> Operation[None]:
    digest = yield from work(source.digest, tell)
    if there.get(path) == digest:
        tell("uploading", source.size, source.size)
    else:
        yield from put_file(to, draft, path, source, digest, tell)


def _drop(to: Target, draft: str, path: str) -> Operation[None]:
    yield from to.session.ask("DELETE", f"{to.at(draft)}/files/{quote(path)}")
