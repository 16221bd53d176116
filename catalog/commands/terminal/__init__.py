"""What the commands share: options, output, exit codes. Bars and tables are loaded when a terminal shows some."""

from typing import TYPE_CHECKING

from catalog.lazy_names import lazy_names

if TYPE_CHECKING:
    from catalog.commands.terminal import bars as bars
    from catalog.commands.terminal import tables as tables

__getattr__ = lazy_names(__name__, (), ("bars", "tables"))
