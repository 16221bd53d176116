"""What an inspection found, in words. Nothing is ever called safe."""

from collections.abc import Iterable
from typing import Any, TypedDict

from picklescan.scanner import SafetyLevel

from catalog.inspection.formats.told import brief
from catalog.inspection.process import Dissected
from catalog.inspection.threats import Import, judged

MOST_FINDINGS = 100
MOST_IN_A_VERDICT = 3
NOTHING = "no known threat found"
SENTENCES = {
    "dangerous": "threat found: {what}",
    "failed": "could not be inspected: {what}",
    "unfinished": "only the first part was looked at, with nothing found there: {what}",
    "malformed": "malformed: {what}",
    "opaque": "not all was looked into: {what}",
    "abridged": NOTHING + "; its header was not read whole: {what}",
    "suspicious": NOTHING + "; {count} suspicious: {what}",
}
"""The first that applies is the verdict."""


class Finding(TypedDict):
    """One thing found.

    `dangerous` is on the list of what attacks use, `suspicious` on no list. `unfinished`: pickles of which
    not all was looked at; `failed`: nothing could be. `abridged`: a header too long to be read whole. `malformed`: not
    what its format says. `opaque`: packed in a way that is not looked into.
    """

    kind: str
    what: str  # a phrase that stands after "it"
    where: str  # the file in the archive, the tensor, or nothing


def finding(kind: str, what: str, where: str = "") -> Finding:
    return Finding(kind=kind, what=brief(what), where=brief(where))


def of_pickles(told: Dissected) -> list[Finding]:
    """Every import that is not known to be harmless, and why not all could be looked at, if so."""
    sure = [(where, (module, name)) for where, module, name in told["imports"]]
    doubtful = [(where, (module, name)) for where, module, name in told["doubtful"]]
    levels = judged({found for _, found in sure + doubtful})
    dangerous = [row for row in sure + doubtful if levels[row[1]] is SafetyLevel.Dangerous]
    suspicious = [row for row in sure if levels[row[1]] is SafetyLevel.Suspicious]
    return [
        *_rows("dangerous", dangerous),
        *_rows("suspicious", suspicious),
        *(finding(note["kind"], note["what"], note["where"]) for note in told["notes"][:MOST_FINDINGS]),
    ]


def _rows(kind: str, rows: list[tuple[str, Import]]) -> Iterable[Finding]:
    yield from (finding(kind, f"imports {spelt(found)}", where) for where, found in rows[:MOST_FINDINGS])
    if len(rows) > MOST_FINDINGS:
        yield finding(kind, f"and {len(rows) - MOST_FINDINGS} imports more")


def spelt(found: Import) -> str:
    if None in found:
        return "something that it computes"
    return f"{found[0]}.{found[1]}"


def verdict(findings: list[Finding]) -> str:
    """The sentence for people."""
    by_kind: dict[str, list[str]] = {}
    for one in findings:
        by_kind.setdefault(one["kind"], []).append(one["what"])
    for kind, sentence in SENTENCES.items():
        if phrases := by_kind.get(kind):
            return sentence.format(what=_first(phrases), count=len(phrases))
    return NOTHING


def _first(phrases: list[str]) -> str:
    different: list[Any] = list(dict.fromkeys(phrases))
    more = len(different) - MOST_IN_A_VERDICT
    return "; ".join(different[:MOST_IN_A_VERDICT]) + (f"; and {more} more" if more > 0 else "")
