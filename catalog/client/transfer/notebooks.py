"""Progress in a notebook: bars if ipywidgets is installed, else lines."""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import import_module
from types import ModuleType
from typing import Protocol

from catalog.client.transfer.progress import Progress, ProgressLines, silent
from catalog.durations import human_size

REDRAW = 0.1  # seconds


def default_progress() -> Progress:
    """What a transfer shows where the program passes no `progress`: nothing, outside of a notebook."""
    if not is_notebook():
        return silent
    try:
        return WidgetBars(import_module("ipywidgets"), import_module("IPython.display").display)
    except ImportError:
        return ProgressLines(_write)


def _write(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def is_notebook() -> bool:
    """Whether a kernel runs this program, as in Jupyter. IPython in a terminal has none."""
    ipython = sys.modules.get("IPython")
    return ipython is not None and getattr(ipython.get_ipython(), "kernel", None) is not None


class Bar(Protocol):
    max: int
    value: int


class Label(Protocol):
    value: str


@dataclass
class WidgetBars:
    """One bar for each phase."""

    widgets: ModuleType
    display: Callable[[object], object]
    _bars: dict[str, tuple[Bar, Label]] = field(default_factory=dict)
    _drawn: float = 0.0

    def __call__(self, phase: str, done: int, total: int) -> None:
        now = time.monotonic()
        if phase in self._bars and done < total and now - self._drawn < REDRAW:
            return
        self._drawn = now
        bar, label = self._bars.get(phase) or self._add(phase)
        bar.max, bar.value = max(total, 1), done
        label.value = f"{human_size(done)} of {human_size(total)}"

    def _add(self, phase: str) -> tuple[Bar, Label]:
        bar, label = self.widgets.IntProgress(description=phase), self.widgets.Label()
        self._bars[phase] = bar, label
        self.display(self.widgets.HBox([bar, label]))
        return bar, label
