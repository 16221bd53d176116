"""A run of tests that is killed leaves no process and no file."""

import os
import signal
import subprocess
import sys

from tests.support.leftovers import MARK
from tests.support.paths import ROOT
from tests.support.processes import until
from tests.support.serving import is_running

A_RUN = """
import subprocess, sys, time
from pathlib import Path
from tests.support.leftovers import clear_up_after_this_process

clear_up_after_this_process(Path(sys.argv[1]))
left = subprocess.Popen(["sleep", "600"], start_new_session=True)
print(left.pid, flush=True)
time.sleep(600)
"""


def test_a_run_that_is_killed_leaves_no_process_and_no_file(tmp_path):
    folder = tmp_path / "of the run"
    folder.mkdir()
    environment = {name: value for name, value in os.environ.items() if name != MARK}
    with subprocess.Popen(
        [sys.executable, "-c", A_RUN, folder], cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True
    ) as run:
        left = int(run.stdout.readline())

        run.send_signal(signal.SIGKILL)

    until(lambda: not is_running(left) and not folder.exists())
