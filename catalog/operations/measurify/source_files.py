"""The files of the registry: all tenants may keep theirs in one folder."""

from collections.abc import AsyncIterator, Collection
from pathlib import Path

import aiofiles

from catalog.blobs.protocol import BLOCK
from catalog.operations.measurify.report import one_line


class SourceFiles:
    """The folder of uploads. `shared` are the keys that versions of several tenants name."""

    def __init__(self, folder: Path, shared: Collection[str]) -> None:
        self._folder = folder.resolve()
        self._shared = shared

    def find(self, tenant: str, key: str) -> Path:
        """The file of a version: in the tenant's own folder of the registry, or in the one of all tenants.

        Raises FileNotFoundError; ValueError for a file that may be another tenant's.
        """
        own = self._folder / tenant
        name = key.removeprefix(f"{tenant}/")
        if name and "/" not in name and "\0" not in name:
            for place in (own, self._folder):
                if _is_in(place / name, place):
                    if place != own and key in self._shared:
                        raise ValueError(f"the file {one_line(key)!r} is named by versions of other tenants, too")
                    return place / name
        raise FileNotFoundError(f"there is no file {one_line(key)!r} in {self._folder}")


async def content(file: Path) -> AsyncIterator[bytes]:
    async with aiofiles.open(file, "rb") as opened:
        while block := await opened.read(BLOCK):
            yield block


def _is_in(file: Path, folder: Path) -> bool:
    """Whether the file is directly in this folder, and not a link to elsewhere."""
    try:
        return file.is_file() and file.resolve().parent == folder
    except OSError:  # the name is too long
        return False
