"""`catalog`, with each database command that it sends written to a file: COMMANDS_FILE, a line each.

Only for counting: it costs time, so nothing is timed on it.
"""

import os

from pymongo import monitoring

from catalog.commands.cli import main


class Writer(monitoring.CommandListener):
    def __init__(self, file: str) -> None:
        self._file = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        os.write(self._file, f"{event.command_name}\n".encode())

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None:
        pass

    def failed(self, event: monitoring.CommandFailedEvent) -> None:
        pass


if __name__ == "__main__":
    monitoring.register(Writer(os.environ["COMMANDS_FILE"]))
    main()
