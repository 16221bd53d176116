"""Versions of several files: one digest, one size and one inspection for all of them.

The digest of a folder is the SHA-256 of what `sha256sum` prints of its files, in the order of their paths.
"""

from collections.abc import Iterable, Sequence
from hashlib import sha256
from pathlib import PurePosixPath

from catalog.errors import NOT_CHANGED, Refused
from catalog.inspection.findings import NOTHING
from catalog.inspection.inspector import Inspection
from catalog.store.clock import now
from catalog.store.records import FileRecord

FORMAT = "folder"
"""The format of an inspection that sums up those of the files."""

MOST_FINDINGS = 100


def in_order(files: Iterable[FileRecord]) -> list[FileRecord]:
    """The files by path. Raises Refused: NOT_CHANGED without files, or when one is a folder too."""
    ordered = sorted(files, key=lambda file: file["path"].encode())
    if not ordered:
        raise Refused(NOT_CHANGED, "a version without files cannot be closed")
    paths = {file["path"] for file in ordered}
    folders = {str(folder) for path in paths for folder in PurePosixPath(path).parents}
    if both := sorted(paths & folders):
        raise Refused(NOT_CHANGED, f"{both[0]} is a file, and a folder with files in it")
    return ordered


def digest_of(files: Iterable[FileRecord]) -> str:
    listed = "".join(f"{file['digest']}  {file['path']}\n" for file in files)
    return sha256(listed.encode()).hexdigest()


def inspection_of(files: Sequence[FileRecord]) -> Inspection:
    """One inspection for all files: how many there are of each format, and which ones a policy may hold back."""
    formats: dict[str, int] = {}
    for file in files:
        formats[file["format"]] = formats.get(file["format"], 0) + 1
    held = [file for file in files if file["held"]]
    verdicts = (
        [file["verdict"] for file in held] or sorted({file["verdict"] for file in files} - {NOTHING}) or [NOTHING]
    )
    return {
        "format": FORMAT,
        "summary": {"formats": [{"format": name, "files": count} for name, count in sorted(formats.items())]},
        "findings": [{"kind": "held", "what": file["verdict"], "where": file["path"]} for file in held[:MOST_FINDINGS]],
        "verdict": verdicts[0] if len(verdicts) == 1 else f"{verdicts[0]}; and {len(verdicts) - 1} more",
        "inspected": now(),
    }
