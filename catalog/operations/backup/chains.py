"""Finds the backups that an increment continues, by the identities that they contain."""

from collections.abc import AsyncIterator

from catalog.operations.backup.archive import ArchiveError, read
from catalog.operations.backup.sources import BackupSource
from catalog.operations.backup.targets import Target


async def find_bases(source: BackupSource, beside: Target) -> list[BackupSource]:
    """The backups that one continues, the newest first, as far as they are in the same place.

    Raises ArchiveError for `source` itself, OSError, StorageUnavailableError.
    """
    with read(source) as archive:
        wanted = archive.base
    bases: list[BackupSource] = []
    known: dict[str, tuple[BackupSource, str]] = {}
    others = _described(beside)
    while wanted:
        while wanted not in known:
            found = await anext(others, None)
            if found is None:
                return bases
            identity, base, other = found
            known[identity] = other, base
        other, wanted = known.pop(wanted)
        bases.append(other)
    return bases


async def _described(target: Target) -> AsyncIterator[tuple[str, str, BackupSource]]:
    """Identity, base and source of the backups in a place. What is no backup is left out."""
    for name in reversed(await target.names()):
        source = target.source(name)
        try:
            with read(source) as archive:
                described = archive.identity, archive.base
        except (ArchiveError, FileNotFoundError):
            continue
        yield *described, source
