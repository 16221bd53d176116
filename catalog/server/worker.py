"""One of several server processes: a program that reads its job from its parent, see `supervisor`."""

import contextlib
import json
import os
import pickle
import shutil
import signal
import socket
import sys
from collections.abc import Sequence
from threading import Thread
from typing import IO

from catalog.dialects.ops import file_descriptors
from catalog.dialects.ops.worker_metrics import WorkerMetrics
from catalog.domain.tenants.tenants import FirstStart
from catalog.server import banner, logs
from catalog.server.run import exit_code_of, run_app
from catalog.server.sockets import ListenError, Listeners, base_url, load_certificate
from catalog.server.supervisor import HEARTBEAT, WorkerJob


def main() -> None:
    # What a library prints goes to the log: the parent reads the banner and heartbeats from standard output.
    with os.fdopen(os.dup(1), "w") as output:
        os.dup2(2, 1)
        try:
            job: WorkerJob = pickle.load(sys.stdin.buffer)  # noqa: S301  from our own parent
        except EOFError:  # the parent was stopped meanwhile
            return
        logs.configure(job.settings.log_format)
        file_descriptors.raise_limit()
        Thread(target=_end_with_the_parent, daemon=True).start()
        parent = os.getppid()
        code = exit_code_of(lambda: _work(job, output))
        if os.getppid() != parent:  # killed: it cannot remove its temporary folder
            shutil.rmtree(job.metrics_folder, ignore_errors=True)
        sys.exit(code)


def _work(job: WorkerJob, output: IO[str]) -> None:
    listeners = _listeners(job)

    def announce(first: FirstStart | None) -> None:
        _send_banner(output, banner.lines(job.settings, first, base_url(job.settings, listeners), job.token_location))
        if job.is_first:
            banner.warn_of_weak_secrets(job.settings)

    def send_heartbeat() -> None:
        with contextlib.suppress(BrokenPipeError):
            os.write(output.fileno(), HEARTBEAT)

    run_app(
        job.settings,
        listeners,
        job.database_uri,
        announce,
        WorkerMetrics(job.metrics_folder, job.number),
        send_heartbeat,
        is_alone=job.is_first,
    )


def _listeners(job: WorkerJob) -> Listeners:
    """Raises ListenError when the certificate has become unusable."""
    tls = load_certificate(job.settings).tls if job.is_tls else None
    if job.is_tls and tls is None:
        raise ListenError("the certificate has become unusable: see catalog certificate show")
    return Listeners(socket.socket(fileno=job.main), _socket(job.plain), tls, _socket(job.reserved))


def _socket(descriptor: int | None) -> socket.socket | None:
    return None if descriptor is None else socket.socket(fileno=descriptor)


def _send_banner(output: IO[str], lines: Sequence[str]) -> None:
    with contextlib.suppress(BrokenPipeError):
        output.write(json.dumps(lines) + "\n")
        output.flush()


def _end_with_the_parent() -> None:
    """Finish the requests that have begun, without STOP_DELAY: the database of a dead parent is dead, too."""
    os.read(sys.stdin.fileno(), 1)  # Python's own buffer would hold its lock while the process exits
    os.kill(os.getpid(), signal.SIGINT)
    os.kill(os.getpid(), signal.SIGTERM)  # the second one ends STOP_DELAY; two of one kind may merge into one


if __name__ == "__main__":
    main()
