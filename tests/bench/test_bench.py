"""The harness runs. Its figures are not asserted."""

import subprocess
import sys

from tests.bench.table import Row, at_most, p99, ratio_at_least
from tests.support.paths import ROOT


def test_a_small_run_prints_its_table() -> None:
    rows = ["--rows", "transfer"]
    command = [sys.executable, "-m", "tests.bench", *rows, "--rounds", "1", "--requests", "20", "--size", "64K"]

    done = subprocess.run(command, cwd=ROOT, env={}, capture_output=True, text=True, check=False, timeout=600)

    assert done.returncode == 0, done.stderr
    for row in ("upload as a form", "download"):
        assert row in done.stdout
    assert "SecantusDB" in done.stdout


def test_a_promise_is_met_on_the_median_or_on_the_ratio() -> None:
    assert Row("cpu", "ms", [0.7, 0.8, 9.0], promise=at_most(0.8, "ms")).is_met is True
    assert Row("cpu", "ms", [0.7, 0.9, 0.9], promise=at_most(0.8, "ms")).is_met is False
    assert Row("up", "MB/s", [50.0], [100.0], ratio_at_least(0.5)).is_met is True
    assert Row("up", "MB/s", [49.0], [100.0], ratio_at_least(0.5)).is_met is False
    assert Row("cpu", "ms", [0.7]).is_met is None


def test_p99_is_on_the_bad_side_whatever_the_unit() -> None:
    figures = [float(figure) for figure in range(1, 101)]

    assert p99(figures, "ms") == 99
    assert p99(figures, "MB/s") == 2
