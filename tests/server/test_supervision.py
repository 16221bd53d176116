"""A child that ends is replaced, with a pause that grows, and never after a stop."""

import queue
from threading import Thread

import pytest

from catalog import supervision
from catalog.supervision import Supervised
from tests.support.serving import SOON


class ScriptedChild:
    """A child that ends when the test says so."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.ends: queue.Queue[str] = queue.Queue()

    def wait(self) -> str:
        how = self.ends.get(timeout=SOON)
        self.ends.put(how)  # waiting for an ended child returns at once
        return how


@pytest.fixture
def children():
    return [ScriptedChild(number) for number in range(3)]


@pytest.fixture
def supervised(children):
    """The first child under supervision, the reports about ended ones, and the thread."""
    spawned, reports = iter(children[1:]), queue.Queue()
    supervised = Supervised(
        children[0],
        lambda: next(spawned),
        ScriptedChild.wait,
        lambda child, how: reports.put((child.number, how)),
    )
    thread = Thread(target=supervised.keep_running)
    thread.start()
    yield supervised, reports, thread
    supervised.stop(lambda child: child.ends.put("stopped"))
    thread.join(SOON)


def test_a_child_that_ends_is_reported_and_replaced(children, supervised):
    _, reports, _ = supervised

    children[0].ends.put("killed")
    children[1].ends.put("exit code 1")

    assert [reports.get(timeout=SOON), reports.get(timeout=SOON)] == [(0, "killed"), (1, "exit code 1")]


def test_nothing_is_spawned_after_a_stop(children, supervised):
    supervised, reports, thread = supervised

    supervised.stop(lambda child: child.ends.put("stopped"))
    thread.join(SOON)

    assert not thread.is_alive()
    assert (supervised.child, reports.empty()) == (children[0], True)


def test_a_child_that_cannot_be_spawned_is_tried_again(monkeypatch):
    monkeypatch.setattr(supervision, "SHORTEST_PAUSE", 0.001)
    first, second, attempts = ScriptedChild(0), ScriptedChild(1), queue.Queue()

    def spawn():
        attempts.put(None)
        if attempts.qsize() < 3:
            raise OSError("no process to spare")
        return second

    first.ends.put("killed")
    supervised = Supervised(first, spawn, ScriptedChild.wait, lambda _child, _how: None)
    thread = Thread(target=supervised.keep_running)
    thread.start()

    second.ends.put("stopped")
    while attempts.qsize() < 3:
        thread.join(0.01)
    supervised.stop(lambda _: None)
    thread.join(SOON)

    assert supervised.child is second
