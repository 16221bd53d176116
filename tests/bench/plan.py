"""What one run measures, and where."""

from pathlib import Path
from typing import NamedTuple


class Plan(NamedTuple):
    folder: Path  # empty, on the disk that is measured, removed after the run
    database: str  # `embedded`, or the URI of a MongoDB
    size: int  # bytes of the file that goes up and down
    rounds: int
    requests: int  # in each round

    def room(self, name: str) -> Path:
        """A folder for one row."""
        room = self.folder / name
        room.mkdir()
        return room
