"""Uploads many files: creates a draft, sends its files in parallel, then closes it."""

from collections.abc import Mapping
from urllib.parse import quote

from catalog.client.errors import NotFound, Unsafe
from catalog.client.results import Version
from catalog.client.transfer.progress import Progress, TotalProgress
from catalog.client.transfer.sources import Source
from catalog.client.transfer.uploads.batches import SMALL, batches_of, put_files
from catalog.client.transfer.uploads.contents import Content
from catalog.client.transfer.uploads.resumable_uploads import exclusively
from catalog.client.transfer.uploads.uploads import NewVersionFields, TargetItem, add_file, as_pairs, put_file
from catalog.client.transport.effects import Operation, in_parallel, in_thread

CONCURRENCY = 4
"""Files that are transferred at the same time."""

SECTION = "drafts"


def add_content(to: TargetItem, content: Content, details: NewVersionFields, progress: Progress) -> Operation[Version]:
    """Upload what a version is to have. Raises CatalogError."""
    if content.is_folder:
        return (yield from _add_files(to, content, details, progress))
    [source] = content.files.values()
    return (yield from add_file(to, source, details, progress))


def _add_files(to: TargetItem, content: Content, details: NewVersionFields, progress: Progress) -> Operation[Version]:
    """Upload many files as a new version. An interrupted upload is resumed in its draft, by one process at a time."""
    key = [
        to.session.url,
        to.session.tenant,
        to.kind,
        to.key,
        details.ordinal,
        *(str(each.resolve()) for each in content.roots),
    ]
    return (yield from exclusively(to.cache.state_file(SECTION, key), _fill_draft(to, key, content, details, progress)))


def _fill_draft(
    to: TargetItem, key: list[str], content: Content, details: NewVersionFields, progress: Progress
) -> Operation[Version]:
    sources = content.files
    draft = (yield from _find_draft(to, key)) or (yield from _create_draft(to, key, details))
    at = draft.ordinal

    existing = {file.path: file.digest for file in draft.files}
    yield from in_parallel(
        [_remove_file(to, at, path) for path in sorted(existing.keys() - sources.keys())], CONCURRENCY
    )
    total = TotalProgress(progress, content.size)
    small = {path: source for path, source in sources.items() if source.size <= SMALL}
    sending = [put_files(to, at, batch, existing, total) for batch in batches_of(small)]
    sending += [
        _upload_unless_identical(to, at, path, source, existing, total.of(path))
        for path, source in sources.items()
        if path not in small
    ]
    yield from in_parallel(sending, CONCURRENCY)
    return (yield from _close(to, key, at, strict=details.strict))


def _close(to: TargetItem, key: list[str], at: str, *, strict: bool) -> Operation[Version]:
    """Make a version of a draft. With `strict`, one with a threat is removed, and Unsafe raised."""
    try:
        closed = yield from to.session.request_json(
            "POST", f"{to.at(at)}/close", query={"strict": "true"} if strict else {}
        )
    except Unsafe:
        yield from to.session.request_json("DELETE", to.at(at))
        to.cache.forget(SECTION, key)
        raise
    to.cache.forget(SECTION, key)
    return Version.of(closed)


def _create_draft(to: TargetItem, key: list[str], details: NewVersionFields) -> Operation[Version]:
    body: dict[str, object] = {"draft": True, "ordinal": details.ordinal, "description": details.description}
    body |= {"metadata": as_pairs(details.metadata), "inputs": [*details.inputs]}
    draft = Version.of((yield from to.session.request_json("POST", to.path, body=body)))
    to.cache.save_state(SECTION, key, draft.ordinal)
    return draft


def _find_draft(to: TargetItem, key: list[str]) -> Operation[Version | None]:
    """The draft of an earlier attempt, if it is still open."""
    ordinal = to.cache.load_state(SECTION, key)
    if not isinstance(ordinal, str):
        return None
    try:
        version = yield from to.info(ordinal)
    except NotFound:
        return None
    return version if version.state == "DRAFT" else None


def _upload_unless_identical(
    to: TargetItem, draft: str, path: str, source: Source, existing: Mapping[str, str], progress: Progress
) -> Operation[None]:
    digest = yield from in_thread(source.digest, progress)
    if existing.get(path) == digest:
        progress("uploading", source.size, source.size)
    else:
        yield from put_file(to, draft, path, source, digest, progress)


def _remove_file(to: TargetItem, draft: str, path: str) -> Operation[None]:
    yield from to.session.request_json("DELETE", f"{to.at(draft)}/files/{quote(path)}")
