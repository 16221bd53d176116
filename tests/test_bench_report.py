"""Figures are kept beside those of other rows and engines, and never twice."""

from tests.bench.report import keep
from tests.bench.table import Row, at_most

HEADER = ["a machine", "today"]


def test_a_part_is_replaced_and_the_others_stay(tmp_path):
    document = tmp_path / "benchmarks.md"
    document.write_text("# Figures\n\nWords.\n")
    keep("embedded", HEADER, {"read": [Row("cpu", "ms", [1.0])], "list": [Row("wait", "ms", [7.0])]}, document)

    keep("embedded", HEADER, {"read": [Row("cpu", "ms", [2.0], promise=at_most(1, "ms"))]}, document)

    text = document.read_text()
    assert text.startswith("# Figures\n\nWords.\n")
    assert text.count("### read, embedded") == text.count("### list, embedded") == 1
    assert "| cpu | 2 ms | 2 ms |  |  | at most 1 ms | NO |" in text
    assert "| wait | 7 ms |" in text
    assert "| cpu | 1 ms" not in text


def test_each_engine_has_parts_of_its_own(tmp_path):
    document = tmp_path / "benchmarks.md"
    document.write_text("# Figures\n")

    keep("embedded", HEADER, {"read": [Row("cpu", "ms", [1.0])]}, document)
    keep("wire", HEADER, {"read": [Row("cpu", "ms", [3.0])]}, document)

    assert "| cpu | 1 ms" in document.read_text()
    assert "| cpu | 3 ms" in document.read_text()
