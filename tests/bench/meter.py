"""What a request costs, seen from both sides: seconds of CPU in the server, and the wait of who asked."""

from collections.abc import Iterator, Sequence

from tests.bench import processes
from tests.bench.loader import Load, load
from tests.bench.plan import Plan
from tests.bench.server import Running
from tests.bench.table import MIB, Promise, Row

WARM = 10  # requests


class Meter:
    """Asks the same thing in every round; each request has a number of its own, also over the rounds."""

    def __init__(self, plan: Plan, running: Running, wanted: Load) -> None:
        self._rounds = plan.rounds
        self._pid = running.pid
        self._wanted = wanted
        self.latency: list[float] = []  # ms
        self.cpu: list[float] = []  # ms of the server for each request, a figure a round

    def rows(
        self,
        name: str,
        promised_cpu: Promise | None = None,
        promised_wait: Promise | None = None,
        reference: Sequence[float] = (),
    ) -> Iterator[Row]:
        """`reference` is the latency that this one's is compared with."""
        self._measure()
        yield Row(f"{name}: server CPU", "ms", self.cpu, promise=promised_cpu)
        yield Row(f"{name}: latency", "ms", self.latency, reference, promised_wait)

    def _measure(self) -> None:
        first = self._wanted.first
        warm = min(WARM, self._wanted.requests)
        load(self._wanted._replace(requests=warm))
        for turn in range(self._rounds):
            before = processes.cpu(self._pid)
            took = load(self._wanted._replace(first=first + warm + turn * self._wanted.requests))
            self.cpu.append(1000 * (processes.cpu(self._pid) - before) / self._wanted.requests)
            self.latency += [1000 * seconds for seconds in took]


def memory(running: Running, when: str) -> Row:
    return Row(f"memory of the server, {when}", "MiB", [processes.resident(running.pid) / MIB])
