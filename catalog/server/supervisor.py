"""Several worker processes behind one socket: WORKERS of them, started, kept alive and stopped by this process.

Imports little: the workers import the server while the database starts.
"""

import json
import logging
import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from select import select
from socket import socket
from tempfile import TemporaryDirectory
from threading import Event, Thread, Timer
from typing import NamedTuple, Self

from catalog.dialects.ops import file_descriptors
from catalog.server import logs
from catalog.server.sockets import GRACE, ListenError, LoadedCertificate, listen
from catalog.settings.settings import Settings
from catalog.store.embedded.process import DatabaseUnavailable
from catalog.supervision import Supervised, pipe

logger = logging.getLogger(__name__)

PROGRAM = (sys.executable, "-P", "-m", "catalog.server.worker")
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)
RELOAD_SIGNAL = signal.SIGHUP
ALL_ENDED = b"\0"  # instead of a signal
HEARTBEAT = b"."
HEARTBEAT_CHECK = 1.0  # seconds between two looks for a heartbeat
SLACK = 5.0  # seconds beyond STOP_DELAY and the grace of requests, for the worker itself to end


class WorkerJob(NamedTuple):
    """What a worker reads from its standard input. It ends when that closes, so that it never outlives its parent."""

    settings: Settings
    database_uri: str
    token_location: str
    main: int
    """File descriptors of the sockets that it inherits, see `sockets.Listeners`."""
    plain: int | None
    reserved: int | None
    is_tls: bool
    metrics_folder: Path
    """Where the workers find each other's metrics."""
    number: int = 1
    is_first: bool = False
    """Whether it is the one that runs the start-up, and prints its warnings."""


def serve(
    settings: Settings, certificate: LoadedCertificate, database_uri: Callable[[], str], token_location: str
) -> int:
    """Have requests answered until a signal, and return the exit code of the process. As `run.serve`."""
    logs.configure(settings.log_format)
    file_descriptors.raise_limit()
    try:
        with listen(settings, certificate) as listeners:
            sockets = [each for each in (listeners.main, listeners.plain, listeners.reserved) if each]
            timeouts = Timeouts(
                silence=settings.worker_timeout.total_seconds(),
                stop=settings.stop_delay.total_seconds() + GRACE + SLACK,
            )
            with (
                _temporary_folder() as folder,
                Workers(settings.workers, sockets, timeouts) as workers,
            ):
                job = WorkerJob(
                    settings,
                    database_uri(),
                    token_location,
                    main=listeners.main.fileno(),
                    plain=listeners.plain.fileno() if listeners.plain else None,
                    reserved=listeners.reserved.fileno() if listeners.reserved else None,
                    is_tls=listeners.tls is not None,
                    metrics_folder=Path(folder),
                )
                return workers.serve(job)
    except (ListenError, DatabaseUnavailable) as error:
        sys.stderr.write(f"{error}\n")
        return 1


@contextmanager
def _temporary_folder() -> Generator[str]:
    """Raises ListenError where no folder can be written to."""
    try:
        folder = TemporaryDirectory(prefix="catalog-", ignore_cleanup_errors=True)
    except OSError as error:
        raise ListenError(
            f"WORKERS needs a temporary folder for the metrics of the workers, and there is none: {error.strerror}. "
            "Set TMPDIR to a folder that can be written to, or mount one at /tmp"
        ) from error
    with folder as path:
        yield path


class Timeouts(NamedTuple):
    """Seconds after which a worker is killed."""

    silence: float
    """Without a heartbeat of its event loop."""
    stop: float
    """After the signal to stop."""


class Workers:
    """All workers import at once; the first runs the start-up alone, then the others begin.

    A start that fails therefore fails once, with one message. From then on each worker that ends or hangs is replaced.
    """

    def __init__(self, count: int, sockets: Sequence[socket], timeouts: Timeouts) -> None:
        self._sockets = sockets
        self._timeouts = timeouts
        self._job: WorkerJob | None = None
        self._supervised = [
            Supervised(
                Worker(sockets), partial(Worker, sockets), partial(self._watch, number), partial(_report, number)
            )
            for number in range(1, count + 1)
        ]
        self._stopping = Event()
        self._code = 0
        self._last_resort: Timer | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for supervised in self._supervised:
            supervised.child.close_input()

    def serve(self, job: WorkerJob) -> int:
        self._job = job
        with _signal_pipe() as (read_end, write_end):
            Thread(target=self._run, args=(write_end,), name="workers").start()
            for number in iter(lambda: os.read(read_end, 1), ALL_ENDED):
                if number[0] == RELOAD_SIGNAL:
                    self._reload()
                else:
                    self._stop(*number)
        return self._code

    def _reload(self) -> None:
        """Each worker looks at the certificates again. One that still imports ignores the signal."""
        for supervised in self._supervised:
            supervised.child.signal(RELOAD_SIGNAL)

    def _stop(self, number: int) -> None:
        """Let every worker finish at the first signal. A further one is passed on to them, and ends their delay."""
        if not self._stopping.is_set():
            number = signal.SIGTERM  # a worker that still imports ends on it without a traceback
        self._stopping.set()
        for listener in self._sockets:  # the workers' own copies stay open: once they close, clients are refused
            listener.close()
        for supervised in self._supervised:
            supervised.stop(lambda worker: worker.signal(number))
        if self._last_resort is None:
            self._last_resort = Timer(self._timeouts.stop, self._kill)
            self._last_resort.daemon = True
            self._last_resort.start()

    def _kill(self) -> None:
        """End workers that did not stop in time, also those that are stopped or hang."""
        for supervised in self._supervised:
            if supervised.child.kill():
                logger.warning("a worker did not stop in time and was killed (process %d)", supervised.child.pid)

    def _run(self, write_end: int) -> None:
        assert self._job
        try:
            first = self._supervised[0].child
            first.send(self._job._replace(is_first=True))
            if first.wait_until_ready():
                logs.print_lines(first.banner)
                threads = [Thread(target=supervised.keep_running) for supervised in self._supervised]
                for thread in threads:
                    thread.start()
                for thread in threads:
                    thread.join()
            else:
                self._code = 0 if self._stopping.is_set() else 1
        finally:
            for supervised in self._supervised:
                supervised.child.close_input()
                supervised.child.wait()
            os.write(write_end, ALL_ENDED)

    def _watch(self, number: int, worker: "Worker") -> str:
        """Give a worker its job, kill it when it hangs, and return how it ended."""
        assert self._job
        worker.send(self._job._replace(number=number))
        if worker.wait_until_ready():
            logger.info("worker %d answers (process %d)", number, worker.pid)
            if worker.falls_silent(self._timeouts.silence):
                logger.warning("worker %d does not respond and is killed (process %d)", number, worker.pid)
                worker.kill()
        return worker.wait()


def _report(number: int, worker: "Worker", how: str) -> None:
    logger.warning("worker %d ended (process %d, %s) and is started again", number, worker.pid, how)


@contextmanager
def _signal_pipe() -> Generator[tuple[int, int]]:
    """A pipe that delivers each of STOP_SIGNALS, and RELOAD_SIGNAL, as one byte.

    The system may deliver a signal to any thread, and the main one, where Python's handlers run, would sleep on.
    """
    read_end, write_end = os.pipe()
    os.set_blocking(write_end, False)
    wakeup_before = signal.set_wakeup_fd(write_end)
    numbers = (*STOP_SIGNALS, RELOAD_SIGNAL)
    before = {number: signal.signal(number, lambda _number, _frame: None) for number in numbers}
    try:
        yield read_end, write_end
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(wakeup_before)
        os.close(read_end)
        os.close(write_end)


class Worker:
    """One process, in a session of its own: Ctrl-C reaches the parent alone, which passes it on."""

    def __init__(self, sockets: Sequence[socket]) -> None:
        self._process = subprocess.Popen(  # noqa: S603  our own program
            PROGRAM,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            pass_fds=[each.fileno() for each in sockets],
            start_new_session=True,
            # It imports from where this process does, and no module of the current directory.
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )
        self._has_job = False
        self._was_ready = False
        self.banner: list[str] = []

    @property
    def pid(self) -> int:
        return self._process.pid

    def send(self, job: WorkerJob) -> None:
        """Let it begin. Sending a second job does nothing."""
        if not self._has_job:
            self._has_job = True
            with suppress(BrokenPipeError):  # it is dead, which `wait_until_ready` returns
                pickle.dump(job, pipe(self._process.stdin))
                pipe(self._process.stdin).flush()

    def wait_until_ready(self) -> bool:
        """Wait until it answers requests and has sent its `banner`. False when it ended instead."""
        if not self._was_ready:
            self._was_ready = True
            self.banner = json.loads(pipe(self._process.stdout).readline() or "[]")
        return bool(self.banner)

    def falls_silent(self, silence: float) -> bool:
        """Watch its heartbeats. True once there was none for `silence` seconds, False once it has ended.

        Checks are counted, not seconds: after a computer slept, or the parent was stopped, no worker is blamed.
        """
        stdout, missed = pipe(self._process.stdout), 0
        while missed * HEARTBEAT_CHECK < silence:
            if not select([stdout], [], [], HEARTBEAT_CHECK)[0]:
                missed += 1
            elif not os.read(stdout.fileno(), 4096):
                return False
            else:
                missed = 0
        return True

    def wait(self) -> str:
        """Wait for its end, and return how it ended."""
        code = self._process.wait()
        pipe(self._process.stdout).close()
        self.close_input()
        return f"exit code {code}" if code >= 0 else signal.Signals(-code).name

    def signal(self, number: int) -> None:
        self._process.send_signal(number)

    def kill(self) -> bool:
        """End it at once. False when it had ended before."""
        if self._process.poll() is not None:
            return False
        self._process.kill()
        return True

    def close_input(self) -> None:
        """End it gracefully: it finishes the requests that it has begun."""
        with suppress(BrokenPipeError):
            pipe(self._process.stdin).close()
