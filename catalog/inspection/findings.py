"""The findings of an inspection, and its verdict. No file is ever called safe."""

from collections.abc import Iterable
from typing import TypedDict

from picklescan.scanner import SafetyLevel

from catalog.inspection.formats.summary import brief
from catalog.inspection.sandbox.containers import PickleReport
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
"""The first sentence that applies is the verdict."""


class InspectionFinding(TypedDict):
    """One finding.

    `dangerous`: on the lists of what attacks use; `suspicious`: on no list. `unfinished`: pickles that were not
    scanned completely; `failed`: the file could not be inspected. `abridged`: a header too long to be read completely.
    `malformed`: violates its format. `opaque`: packed in an unsupported way.
    """

    kind: str
    what: str  # a phrase that continues "it"
    where: str  # the file in the archive, the tensor, or nothing


def finding(kind: str, what: str, where: str = "") -> InspectionFinding:
    return InspectionFinding(kind=kind, what=brief(what), where=brief(where))


def of_pickles(report: PickleReport) -> list[InspectionFinding]:
    """Return every import that is not known to be harmless, and the notes of the scan."""
    sure = [(where, (module, name)) for where, module, name in report["imports"]]
    doubtful = [(where, (module, name)) for where, module, name in report["doubtful"]]
    levels = judged({found for _, found in sure + doubtful})
    dangerous = [row for row in sure + doubtful if levels[row[1]] is SafetyLevel.Dangerous]
    suspicious = [row for row in sure if levels[row[1]] is SafetyLevel.Suspicious]
    return [
        *_rows("dangerous", dangerous),
        *_rows("suspicious", suspicious),
        *(finding(note["kind"], note["what"], note["where"]) for note in report["notes"][:MOST_FINDINGS]),
    ]


def _rows(kind: str, rows: list[tuple[str, Import]]) -> Iterable[InspectionFinding]:
    yield from (finding(kind, f"imports {dotted(found)}", where) for where, found in rows[:MOST_FINDINGS])
    if len(rows) > MOST_FINDINGS:
        yield finding(kind, f"and {len(rows) - MOST_FINDINGS} imports more")


def dotted(found: Import) -> str:
    if None in found:
        return "something that it computes"
    return f"{found[0]}.{found[1]}"


def verdict(findings: list[InspectionFinding]) -> str:
    """Return the sentence for people."""
    by_kind: dict[str, list[str]] = {}
    for one in findings:
        by_kind.setdefault(one["kind"], []).append(one["what"])
    for kind, sentence in SENTENCES.items():
        if phrases := by_kind.get(kind):
            return sentence.format(what=_first(phrases), count=len(phrases))
    return NOTHING


def _first(phrases: list[str]) -> str:
    different = list(dict.fromkeys(phrases))
    more = len(different) - MOST_IN_A_VERDICT
    return "; ".join(different[:MOST_IN_A_VERDICT]) + (f"; and {more} more" if more > 0 else "")
