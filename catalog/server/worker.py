"""One of several server processes: a program that is told its job by its parent, see `workers`."""

import contextlib
import json
import os
import pickle
import signal
import socket
import sys
from collections.abc import Sequence
from threading import Thread
from typing import IO

from catalog.dialects.ops import file_descriptors
from catalog.dialects.ops.worker_metrics import Colleagues
from catalog.domain.tenants.tenants import FirstStart
from catalog.server import banner, logs
from catalog.server.run import answer, exit_code_of
from catalog.server.sockets import Doors, ListenError, address, certificate
from catalog.server.supervisor import BEAT, Job


def main() -> None:
    # What a library prints belongs into the log: the parent reads standard output no further than our answer.
    with os.fdopen(os.dup(1), "w") as answers:
        os.dup2(2, 1)
        try:
            job: Job = pickle.load(sys.stdin.buffer)  # noqa: S301  from our own parent
        except EOFError:  # it has changed its mind
            return
        logs.configure(job.settings.log_format)
        file_descriptors.raise_limit()
        Thread(target=_end_with_the_parent, daemon=True).start()
        sys.exit(exit_code_of(lambda: _work(job, answers)))


def _work(job: Job, answers: IO[str]) -> None:
    doors = _doors(job)

    def announce(first: FirstStart | None) -> None:
        _answer(answers, banner.lines(job.settings, first, address(job.settings, doors), job.token_kept_in))
        if job.is_first:
            banner.warn(job.settings)

    def beat() -> None:
        with contextlib.suppress(BrokenPipeError):
            os.write(answers.fileno(), BEAT)

    answer(job.settings, doors, job.database_uri, announce, Colleagues(job.room, job.number), beat)


def _doors(job: Job) -> Doors:
    """Raises ListenError when the certificate cannot be used any more."""
    tls = certificate(job.settings, warn=False) if job.is_tls else None
    if job.is_tls and tls is None:
        raise ListenError("the certificate cannot be used any more: see catalog certificate show")
    return Doors(socket.socket(fileno=job.main), _socket(job.plain), tls, _socket(job.reserved))


def _socket(descriptor: int | None) -> socket.socket | None:
    return None if descriptor is None else socket.socket(fileno=descriptor)


def _answer(answers: IO[str], lines: Sequence[str]) -> None:
    with contextlib.suppress(BrokenPipeError):
        answers.write(json.dumps(lines) + "\n")
        answers.flush()


def _end_with_the_parent() -> None:
    """Finish what was begun, and make nobody wait for a balancer: the database of a dead parent is dead too."""
    os.read(sys.stdin.fileno(), 1)  # not through Python's buffer, whose lock would be held at our end
    for number in (signal.SIGINT, signal.SIGTERM):  # the second ends STOP_DELAY; of two alike one may get lost
        os.kill(os.getpid(), number)


if __name__ == "__main__":
    main()
