"""Figures are kept beside those of other rows and engines, and never twice."""

from tests.bench.report import keep
from tests.bench.table import Row, at_most, p99_at_most, ratio_at_least, ratio_at_most

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


def test_a_promise_of_the_p99_is_kept_or_broken_by_the_p99():
    few = [1.0] * 98 + [2.0, 2.0]
    as_slow_in_the_middle, slower_at_the_end = [1.0] * 98 + [3.0, 3.0], [1.0] * 98 + [9.0, 9.0]

    kept = Row("wait", "ms", as_slow_in_the_middle, few, p99_at_most(3))
    broken = Row("wait", "ms", slower_at_the_end, few, p99_at_most(3))

    assert (kept.ratio, kept.is_met) == (1.5, True)
    assert (broken.ratio, broken.is_met) == (4.5, False)


def test_a_ratio_without_a_reference_is_neither_kept_nor_broken():
    assert Row("wait", "ms", [1.0], promise=ratio_at_most(1.5)).is_met is None
    assert Row("rate", "MB/s", [1.0], [4.0], ratio_at_least(0.5)).is_met is False
    assert Row("wait", "ms", [1.0], [4.0], ratio_at_most(0.5)).is_met is True
