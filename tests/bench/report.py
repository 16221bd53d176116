"""What was measured, kept in `docs/benchmarks.md`: a part for each group of rows and each engine.

A run replaces the parts that it measured and leaves the others, so that what takes an hour is
not measured again with what takes a minute. Each part tells what it ran on, and when.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.bench.table import Row, markdown
from tests.support.paths import ROOT

DOCUMENT = ROOT / "docs" / "benchmarks.md"
BEGIN, END = "<!-- measured: {} -->", "<!-- end -->"


def keep(engine: str, header: Sequence[str], groups: Mapping[str, Sequence[Row]], document: Path = DOCUMENT) -> None:
    """Put each group's rows where they belong, behind everything else if they are new."""
    text = document.read_text()
    for group, rows in groups.items():
        text = _with_part(text, f"{group}, {engine}", ["; ".join(header), "", *markdown(rows)])
    document.write_text(text)


def _with_part(text: str, title: str, lines: Sequence[str]) -> str:
    begin = BEGIN.format(title)
    part = "\n".join([begin, f"### {title}", "", *lines, END])
    standing = re.compile(re.escape(begin) + r".*?" + re.escape(END), re.DOTALL)
    if standing.search(text):
        return standing.sub(lambda _: part, text)
    return f"{text.rstrip()}\n\n{part}\n"
