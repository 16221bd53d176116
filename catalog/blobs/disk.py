"""What the disk is asked so that nothing is lost: names that come last, and folders that outlive a power cut."""

import os
from pathlib import Path

from catalog.blobs import BlobUnknown, is_digest


def place(folder: Path, digest: str) -> Path:
    """Raises BlobUnknown for what is not a digest: it never reaches the disk."""
    if not is_digest(digest):
        raise BlobUnknown(digest)
    return folder / digest[:2] / digest


def keep_as(source: Path, path: Path) -> None:
    """Give whole and flushed bytes their name, or let go of them where that name has them already."""
    try:
        os.utime(path)  # already here: kept once, and a sweep counts its age from now
    except FileNotFoundError:
        make_folder(path.parent)
        os.replace(source, path)  # noqa: PTH105  it stands between two flushes, and is looked for there
    else:
        source.unlink()
    flush_folder(path.parent)


def make_folder(folder: Path) -> None:
    """Make a folder that outlives a power cut: its name is safe once the folder above is flushed."""
    if not folder.is_dir():
        make_folder(folder.parent)
        folder.mkdir(exist_ok=True)
        flush_folder(folder.parent)


def flush_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_whole(file: int, block: bytes | bytearray) -> None:
    rest = memoryview(block)
    while rest:
        rest = rest[os.write(file, rest) :]
