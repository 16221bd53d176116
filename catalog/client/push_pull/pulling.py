"""Pull a version under a name: into the cache, or to a place of the user's."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from catalog.client.errors import CatalogWarning
from catalog.client.push_pull.pushing import shape_of
from catalog.client.push_pull.threats import refuse_threat, warn_of
from catalog.client.results import Version
from catalog.client.revisions import parse_reference
from catalog.client.session import Session
from catalog.client.transfer.cache import Cache
from catalog.client.transfer.downloads.downloads import download_to, download_to_cache, find_version
from catalog.client.transfer.downloads.targets import FileSelection
from catalog.client.transfer.progress import Progress
from catalog.client.transfer.uploads.uploads import TargetItem
from catalog.client.transport.effects import Operation
from catalog.client.wording import counted, listed

Place = str | Path | Callable[[Version], str | Path] | None
"""Where a pull goes: a path, a function of the version that returns one, or None for the cache."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pull:
    session: Session
    cache: Cache
    kind: str
    name: str
    selection: FileSelection
    to: Place = None
    force: bool = False
    """Replace files that differ."""

    strict: bool = False
    """Refuse a version in which the inspection has found a threat."""

    def run(self, progress: Progress) -> Operation[Path]:
        """Raises CatalogError: NotFound, Offline if it is not in the cache, Unsafe, Invalid for what is in the way."""
        shape_of(self.kind)
        named = parse_reference(self.name)
        item = TargetItem(self.session, self.cache, self.kind, named.name)
        version = yield from find_version(item, named.revision)
        reference = f"{named.name}@{version.ordinal}"
        if self.strict:
            refuse_threat(version, reference)
        warn_of(version, reference)
        to = self.to(version) if callable(self.to) else self.to
        if to is None:
            return (yield from download_to_cache(item, version, progress, self.selection))
        path, removed, kept = yield from download_to(item, version, to, progress, self.selection, force=self.force)
        if removed:
            _tell(f"Removed {counted(len(removed), 'file')} of an earlier version from {path}: {listed(removed)}")
        if kept:
            _tell(f"Kept what was changed of an earlier version in {path}: {listed(kept)}")
        return path


def _tell(sentence: str) -> None:
    warnings.warn(sentence, CatalogWarning, stacklevel=2)
