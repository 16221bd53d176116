"""Which files of a folder belong to a push or a pull: patterns as in `.gitignore`.

`*.tmp` matches in every folder, `/*.tmp` and `a/*.tmp` from the root only, `cache/` a folder with all that is in it,
`**` any number of folders. `!` takes an earlier pattern back. The last pattern that matches decides.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

IGNORE_FILE = ".catalogignore"
"""A file with patterns, at the root of a folder that is pushed. It stays out itself."""

LEFT_OUT_BY_DEFAULT = (".git/", "__pycache__/", ".DS_Store", ".ipynb_checkpoints/", IGNORE_FILE)


@dataclass(frozen=True)
class Selection:
    """With `include`, only what one of its patterns matches; never what `exclude` matches."""

    include: Sequence[str] = ()
    exclude: Sequence[str] = ()
    _ignored: Sequence[str] = field(default=())

    def for_push(self, folder: Path) -> "Selection":
        """The same with what is left out by default, and with the patterns of the folder itself."""
        try:
            lines = (folder / IGNORE_FILE).read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            lines = []
        written = [line.rstrip() for line in lines if line.strip() and not line.startswith("#")]
        return Selection(self.include, self.exclude, (*LEFT_OUT_BY_DEFAULT, *written))

    def leaves_out_folder(self, path: str) -> bool:
        """Whether a whole folder, by its relative path, is left out."""
        return _decides(f"{path}/", (*self._ignored, *self.exclude))

    def leaves_out(self, path: str) -> bool:
        """Whether a file, by its relative path, is left out. Its folders decide first, from the root on."""
        parts = path.split("/")
        folders = ("/".join(parts[:depth]) for depth in range(1, len(parts)))
        if any(self.leaves_out_folder(folder) for folder in folders) or _decides(path, (*self._ignored, *self.exclude)):
            return True
        return bool(self.include) and not any(
            _decides(each, self.include) for each in (path, *(f"{'/'.join(parts[:n])}/" for n in range(1, len(parts))))
        )


EVERYTHING = Selection()


def _decides(path: str, patterns: Iterable[str]) -> bool:
    """Whether the last pattern that matches takes the path. A folder ends with a slash."""
    taken = False
    for pattern in patterns:
        is_taken_back = pattern.startswith("!")
        if taken == is_taken_back and _matches(path, pattern.removeprefix("!")):
            taken = not is_taken_back
    return taken


def _matches(path: str, pattern: str) -> bool:
    is_folder = path.endswith("/")
    if pattern.endswith("/") and not is_folder:
        return False
    return bool(_regex(pattern).fullmatch(path.removesuffix("/")))


@cache
def _regex(pattern: str) -> re.Pattern[str]:
    pattern = pattern.removesuffix("/")
    anywhere = "/" not in pattern
    return re.compile(("(?:.*/)?" if anywhere else "") + _translated(pattern.removeprefix("/")), re.DOTALL)


def _translated(pattern: str) -> str:
    tokens = {"**/": "(?:.*/)?", "/**": "/.*", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    parts = re.split(r"(\*\*/|/\*\*$|\*\*|\*|\?|\[[^]]+\])", pattern)
    return "".join(
        _set(part) if part.startswith("[") and part.endswith("]") else _token(part, tokens) for part in parts
    )


def _token(part: str, tokens: dict[str, str]) -> str:
    return tokens.get(part) or re.escape(part)


def _set(part: str) -> str:
    inner = part[1:-1].replace("\\", "\\\\")
    return f"[{'^' + inner[1:] if inner.startswith('!') else inner}]"
