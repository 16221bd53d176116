"""Several processes behind one socket: WORKERS of them, started, kept alive and stopped by one that serves nobody.

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
from pathlib import Path
from select import select
from socket import socket
from tempfile import TemporaryDirectory
from threading import Event, Lock, Thread, Timer
from time import monotonic
from typing import NamedTuple, Self

from catalog.dialects.ops import file_descriptors
from catalog.server import logs
from catalog.server.sockets import GRACE, ListenError, opened
from catalog.settings.settings import Settings
from catalog.store.embedded.process import LONG_ENOUGH, LONGEST_PAUSE, DatabaseUnavailable, pipe

logger = logging.getLogger(__name__)

PROGRAM = (sys.executable, "-P", "-m", "catalog.server.worker")
STOPS = (signal.SIGINT, signal.SIGTERM)
ALL_ENDED = b"\0"  # in the place of a signal
BEAT = b"."  # what a worker writes every second
LOOK = 1.0  # seconds between two looks for a beat
SLACK = 5.0  # more seconds after that, for the worker itself to end


class Job(NamedTuple):
    """What a worker is told on its standard input. It ends when that closes, so that it never outlives its parent."""

    settings: Settings
    database_uri: str
    token_kept_in: str
    main: int
    """File descriptors of the sockets that it inherits, see `listening.Doors`."""
    plain: int | None
    reserved: int | None
    is_tls: bool
    room: Path
    """A folder where the workers find each other."""
    number: int = 1
    is_first: bool = False
    """Whether it is the one that speaks of the start."""


def serve(settings: Settings, database_uri: Callable[[], str], token_kept_in: str) -> int:
    """Have requests answered until a signal, and return the exit code of the process. As `server.serve`."""
    logs.configure(settings.log_format)
    file_descriptors.raise_limit()
    try:
        with opened(settings) as doors:
            sockets = [door for door in (doors.main, doors.plain, doors.reserved) if door]
            patience = Patience(
                settings.worker_timeout.total_seconds(), settings.stop_delay.total_seconds() + GRACE + SLACK
            )
            with TemporaryDirectory(prefix="catalog-") as room, Workers(settings.workers, sockets, patience) as workers:
                job = Job(
                    settings,
                    database_uri(),
                    token_kept_in,
                    main=doors.main.fileno(),
                    plain=doors.plain.fileno() if doors.plain else None,
                    reserved=doors.reserved.fileno() if doors.reserved else None,
                    is_tls=doors.tls is not None,
                    room=Path(room),
                )
                return workers.serve(job)
    except (ListenError, DatabaseUnavailable) as error:
        sys.stderr.write(f"{error}\n")
        return 1


class Patience(NamedTuple):
    """Seconds after which a worker is killed."""

    silence: float
    """Without a beat of its event loop."""
    stop: float
    """After it was told to stop."""


class Workers:
    """Started at once, they import. The first is given its job and makes the start, then the others get theirs.

    A start that fails so fails once, and is told once. From then on each one that ends or hangs is replaced.
    """

    def __init__(self, count: int, sockets: Sequence[socket], patience: Patience) -> None:
        self._sockets = sockets
        self._patience = patience
        self._workers = [Worker(sockets) for _ in range(count)]
        self._stopping = Event()
        self._changing = Lock()  # a restart and a stop take turns, so that no worker is born after the stop
        self._code = 0
        self._last_resort: Timer | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self._workers:
            worker.let_go()

    def serve(self, job: Job) -> int:
        with _signals() as (heard, told):
            Thread(target=self._run, args=(job, told), name="workers").start()
            for number in iter(lambda: os.read(heard, 1), ALL_ENDED):
                self._stop(*number)
        return self._code

    def _stop(self, number: int) -> None:
        """The first signal lets every worker finish; another goes on to them, and hurries them."""
        with self._changing:
            if not self._stopping.is_set():
                number = signal.SIGTERM  # on which a worker that still imports ends without a word
            self._stopping.set()
            for listener in self._sockets:  # those of the workers stay: once they close, nobody is kept waiting here
                listener.close()
            for worker in self._workers:
                worker.signal(number)
            if self._last_resort is None:
                self._last_resort = Timer(self._patience.stop, self._kill)
                self._last_resort.daemon = True
                self._last_resort.start()

    def _kill(self) -> None:
        """End workers that did not stop in time, also those that are stopped or hang."""
        for worker in self._workers:
            if worker.kill():
                logger.warning("a worker did not stop in time and was killed (process %d)", worker.pid)

    def _run(self, job: Job, told: int) -> None:
        try:
            first = self._workers[0]
            first.give(job._replace(is_first=True))
            if first.hear():
                logs.tell(first.told)
                keepers = [Thread(target=self._keep, args=(place, job)) for place in range(len(self._workers))]
                for keeper in keepers:
                    keeper.start()
                for keeper in keepers:
                    keeper.join()
            else:
                self._code = 0 if self._stopping.is_set() else 1
        finally:
            for worker in self._workers:
                worker.let_go()
                worker.wait()
            os.write(told, ALL_ENDED)

    def _keep(self, place: int, job: Job) -> None:
        """Have somebody work there, for as long as nobody said stop."""
        worker, pause = self._workers[place], 0.0
        while True:
            began = monotonic()
            worker.give(job._replace(number=place + 1))
            if worker.hear():
                logger.info("worker %d answers (process %d)", place + 1, worker.pid)
                if worker.hangs(self._patience.silence):
                    logger.warning("worker %d does not respond and is killed (process %d)", place + 1, worker.pid)
                    worker.kill()
            how = worker.wait()
            pause = 0.0 if monotonic() - began > LONG_ENOUGH else min(max(2 * pause, 0.05), LONGEST_PAUSE)
            if self._stopping.wait(pause):
                return
            logger.warning("worker %d ended (process %d, %s) and is started again", place + 1, worker.pid, how)
            worker = self._replace(place)

    def _replace(self, place: int) -> "Worker":
        with self._changing:
            # With no process or memory to spare for now, the dead worker is its own replacement: the watch goes on.
            with suppress(OSError):
                if not self._stopping.is_set():
                    self._workers[place] = Worker(self._sockets)
            return self._workers[place]


@contextmanager
def _signals() -> Generator[tuple[int, int]]:
    """A pipe that tells each of STOPS, a byte each, as it comes.

    Of several threads any may be given a signal, and the first one, where Python's handlers run, would sleep on.
    """
    heard, told = os.pipe()
    os.set_blocking(told, False)
    wakened = signal.set_wakeup_fd(told)
    before = {number: signal.signal(number, lambda _number, _frame: None) for number in STOPS}
    try:
        yield heard, told
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(wakened)
        os.close(heard)
        os.close(told)


class Worker:
    """One process, in a session of its own: Ctrl-C reaches the parent alone, which passes it on."""

    def __init__(self, sockets: Sequence[socket]) -> None:
        self._process = subprocess.Popen(  # noqa: S603  our own program
            PROGRAM,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            pass_fds=[each.fileno() for each in sockets],
            start_new_session=True,
            # What this process imports is what it imports, and no module of the current directory.
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )
        self._has_job = False
        self._has_begun = False
        self.told: list[str] = []

    @property
    def pid(self) -> int:
        return self._process.pid

    def give(self, job: Job) -> None:
        """Let it begin; a second time is nothing new."""
        if not self._has_job:
            self._has_job = True
            with suppress(BrokenPipeError):  # dead already, as will be heard
                pickle.dump(job, pipe(self._process.stdin))
                pipe(self._process.stdin).flush()

    def hear(self) -> bool:
        """Wait until it answers requests, and has `told` of its start. False when it ended instead."""
        if not self._has_begun:
            self._has_begun = True
            self.told = json.loads(pipe(self._process.stdout).readline() or "[]")
        return bool(self.told)

    def hangs(self, silence: float) -> bool:
        """Watch its beats. True once there was none for `silence` seconds, False once it has ended.

        Looks are counted, not seconds: a computer that slept, or a parent that was stopped, accuses no worker.
        """
        stdout, missed = pipe(self._process.stdout), 0
        while missed * LOOK < silence:
            if not select([stdout], [], [], LOOK)[0]:
                missed += 1
            elif not os.read(stdout.fileno(), 4096):
                return False
            else:
                missed = 0
        return True

    def wait(self) -> str:
        """Wait for its end, and say how it came."""
        code = self._process.wait()
        pipe(self._process.stdout).close()
        self.let_go()
        return f"exit code {code}" if code >= 0 else signal.Signals(-code).name

    def signal(self, number: int) -> None:
        self._process.send_signal(number)

    def kill(self) -> bool:
        """End it at once. False when it had ended before."""
        if self._process.poll() is not None:
            return False
        self._process.kill()
        return True

    def let_go(self) -> None:
        """Close what it listens to: it ends, with what it has begun."""
        with suppress(BrokenPipeError):
            pipe(self._process.stdin).close()
