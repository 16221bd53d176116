"""The threads in which Motor runs the driver: each command costs one future and one wake-up of the event loop.

Motor's own pool makes a second future for each command, with a lock and a condition, and copies its state to the first:
80 000 of the 1 500 000 machine instructions of a read of one item.
"""

import asyncio
import atexit
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from queue import SimpleQueue
from typing import Any, NamedTuple, TypeVar

from motor.frameworks import asyncio as framework

T = TypeVar("T")


class _Call(NamedTuple):
    loop: asyncio.AbstractEventLoop
    done: asyncio.Future[Any]
    function: Callable[..., object]
    arguments: tuple[object, ...]

    def run(self) -> "_Outcome":
        try:
            return _Outcome(_return, self.function(*self.arguments))
        except BaseException as failure:  # noqa: BLE001  the event loop raises it
            return _Outcome(_fail, failure)


class _Outcome(NamedTuple):
    settle: Callable[[asyncio.Future[Any], Any], None]
    value: object


def _return(done: asyncio.Future[object], result: object) -> None:
    if not done.done():
        done.set_result(result)


def _fail(done: asyncio.Future[object], failure: BaseException) -> None:
    if not done.done():
        done.set_exception(failure)


class DriverThreads:
    """At most so many threads, each started when a call finds none idle. A call that is cancelled before its turn is
    not made. When the process ends, the calls that have begun are completed.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._calls: SimpleQueue[_Call | None] = SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._idle = 0
        self._lock = threading.Lock()
        self._others: ThreadPoolExecutor | None = None
        atexit.register(self.end)

    def submit(self, function: Callable[..., T], /, *arguments: object) -> "asyncio.Future[T] | Future[T]":
        """Call a function in a thread. An event loop waits for its own future as it is."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return self._without_loop().submit(function, *arguments)
        done: asyncio.Future[T] = loop.create_future()
        self._calls.put(_Call(loop, done, function, arguments))
        with self._lock:
            if self._idle:
                self._idle -= 1
            elif len(self._threads) < self._most:
                self._start()
        return done

    def _without_loop(self) -> ThreadPoolExecutor:
        if self._others is None:
            self._others = ThreadPoolExecutor(self._most)
        return self._others

    def _start(self) -> None:
        thread = threading.Thread(target=self._work, name=f"driver-{len(self._threads)}", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _work(self) -> None:
        while call := self._calls.get():
            outcome = None if call.done.cancelled() else call.run()
            with self._lock:  # before the outcome is known: what follows from it finds this thread
                self._idle += 1
            if outcome is not None:
                with suppress(RuntimeError):  # the event loop is closed: nothing waits for it
                    call.loop.call_soon_threadsafe(outcome.settle, call.done, outcome.value)
            del call, outcome  # while it waits, the thread keeps nothing alive

    def end(self) -> None:
        """Complete the calls that were made. No other may follow."""
        for _ in self._threads:
            self._calls.put(None)
        for thread in self._threads:
            thread.join()


def install() -> None:
    """Let Motor run the driver in these threads, once per process. (After a fork it has its own pool again.)"""
    if not isinstance(vars(framework).get("_EXECUTOR"), DriverThreads):
        vars(framework)["_EXECUTOR"] = DriverThreads(framework.max_workers)
