"""The files of a folder that is pushed: links, names and ignored files.

A link to a file is followed. A link to a folder is followed if it leads inside the folder that is pushed, and refused
if it leads outside or to a folder that it is in. Nothing is dropped in silence: what is ignored is listed, and what
cannot be pushed is refused, all of it at once.
"""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from unicodedata import category

from catalog.client.errors import Invalid
from catalog.client.transfer.patterns import EVERYTHING, Selection
from catalog.client.wording import counted

LONGEST_NAME, LONGEST_PATH = 255, 512  # bytes, as the server takes them
MOST_LISTED = 10
WINDOWS_DEVICE = re.compile(r"(?:CON|PRN|AUX|NUL|COM[0-9¹²³]|LPT[0-9¹²³])(?:\..*)?", re.IGNORECASE)
UNFIT_FOR_WINDOWS = frozenset('<>:"|?*\\')


@dataclass
class FoundFiles:
    """The files of a folder by their relative POSIX paths, and what was left out of it."""

    files: dict[str, Path] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def walk(folder: Path, selection: Selection = EVERYTHING) -> FoundFiles:
    """Raises Invalid, with the list of what cannot be pushed."""
    found = FoundFiles()
    root = folder.resolve()
    for path, entry in _entries(folder, root, "", (root,), selection.for_push(folder), found):
        if problem := problem_of(path):
            found.problems.append(f"{shown(path)} ({problem})")
        else:
            found.files[path] = entry
    if found.problems:
        raise refusal(folder, found.problems)
    return found


def refusal(folder: Path, problems: list[str]) -> Invalid:
    more = len(problems) - MOST_LISTED
    listed = "; ".join(problems[:MOST_LISTED]) + (f"; and {more} more" if more > 0 else "")
    what = counted(len(problems), "file")
    return Invalid(
        f"{what} in {shown(str(folder))} cannot be pushed: {listed}",
        advice="Rename them, or leave them out: --exclude, or a .catalogignore.",
    )


def problem_of(path: str) -> str:
    """Why a path cannot be that of a file in a version; empty if it can."""
    try:
        size = len(path.encode())
    except UnicodeEncodeError:
        return "the name is not UTF-8"
    parts = path.split("/")
    longest = max(len(part.encode()) for part in parts)
    if longest > LONGEST_NAME or size > LONGEST_PATH:
        return f"a name has at most {LONGEST_NAME} bytes, and a path {LONGEST_PATH}"
    if any(category(sign) in {"Cc", "Cs", "Zl", "Zp"} or sign in BIDI_OVERRIDES for sign in path):
        return "the name has control characters"
    return next((problem for part in parts if (problem := _unfit_for_windows(part))), "")


BIDI_OVERRIDES = frozenset(map(chr, (*range(0x202A, 0x202F), *range(0x2066, 0x206A))))


def _unfit_for_windows(name: str) -> str:
    if unfit := UNFIT_FOR_WINDOWS.intersection(name):
        return f"Windows has no {' '.join(sorted(unfit))} in names"
    if WINDOWS_DEVICE.fullmatch(name):
        return "the name is reserved on Windows"
    return "Windows drops the end of the name" if name.endswith((" ", ".")) else ""


def shown(path: str) -> str:
    """A path that can be printed."""
    return path.encode(errors="backslashreplace").decode() if path.isprintable() else ascii(path)[1:-1]


def _entries(
    folder: Path, root: Path, prefix: str, above: tuple[Path, ...], selection: Selection, found: FoundFiles
) -> Iterator[tuple[str, Path]]:
    """The files in a folder and its subfolders. `above` are the real paths of the folders that lead here."""
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        found.problems.append(f"{shown(prefix) or folder} ({error.strerror})")
        return
    for entry in entries:
        path, inner = f"{prefix}{entry.name}", Path(entry.path)
        if entry.is_dir():
            if selection.leaves_out_folder(path):
                found.left_out.append(f"{path}/")
            elif problem := _problem_of_link(inner, root, above) if entry.is_symlink() else "":
                found.problems.append(f"{shown(path)} ({problem})")
            else:
                yield from _entries(inner, root, f"{path}/", (*above, inner.resolve()), selection, found)
        elif selection.leaves_out(path):
            found.left_out.append(path)
        elif entry.is_file():
            yield path, inner
        else:
            found.problems.append(f"{shown(path)} ({_what(entry)})")


def _problem_of_link(link: Path, root: Path, above: tuple[Path, ...]) -> str:
    target = link.resolve()
    if not target.is_relative_to(root):
        return "a link to a folder outside"
    return "a link to a folder that it is in" if target in above else ""


def _what(entry: os.DirEntry[str]) -> str:
    return "a link that leads nowhere" if entry.is_symlink() else "not a file"
