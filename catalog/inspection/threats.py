"""Tell dangerous imports from others, by picklescan's lists."""

from collections.abc import Iterable, Iterator
from io import BytesIO
from itertools import pairwise

from picklescan.scanner import SafetyLevel, scan_pickle_bytes

Import = tuple[str | None, str | None]
"""A module and a name in it. None: computed, so that nobody can know it without running the pickle."""

BESIDES = {"__builtin__": {"__import__"}, "builtins": {"__import__"}, "io": {"open"}, "_io": {"open"}}
MODULES_BESIDES = {"importlib", "_frozen_importlib", "_frozen_importlib_external", "multiprocessing", "zipimport"}
"""What picklescan has on no list, and nothing that is only data needs: other files, and other modules."""

TEXT, IMPORT, STOP = b"X", b"\x93", b"."
WORST = (SafetyLevel.Dangerous, SafetyLevel.Suspicious)


def judged(imports: Iterable[Import]) -> dict[Import, SafetyLevel]:
    """How each is listed: dangerous, innocuous, or suspicious, which is everything else."""
    aliases = {found: set(_aliases(found)) for found in imports}
    levels = _listed(set().union(*aliases.values()))
    return {found: _worst(levels[alias] for alias in ways) for found, ways in aliases.items()}


def _worst(levels: Iterable[SafetyLevel]) -> SafetyLevel:
    found = set(levels)
    return next((level for level in WORST if level in found), SafetyLevel.Innocuous)


def _aliases(found: Import) -> Iterator[tuple[str, str]]:
    """Itself, and what a name with dots goes through: `logging`, `os.system` ends at `os`, `system`."""
    module, name = (part or "unknown" for part in found)  # the word picklescan has for what it cannot tell
    parts = name.split(".")
    yield module, name
    if len(parts) > 1:
        yield module, parts[0]
        yield from pairwise(parts)


def _listed(imports: set[tuple[str, str]]) -> dict[tuple[str, str], SafetyLevel]:
    """Ask picklescan, which takes pickles: one that does nothing but import them, and is not run."""
    pickle = b"".join(_text(module) + _text(name) + IMPORT for module, name in imports) + STOP
    told = scan_pickle_bytes(BytesIO(pickle), "imports")
    return {
        (found.module, found.name): SafetyLevel.Dangerous if _besides(found.module, found.name) else found.safety
        for found in told.globals
    }


def _besides(module: str, name: str) -> bool:
    return name in BESIDES.get(module, ()) or module.partition(".")[0] in MODULES_BESIDES


def _text(text: str) -> bytes:
    encoded = text.encode()
    return TEXT + len(encoded).to_bytes(4, "little") + encoded
