"""What the commands share: options, output, exit codes. Bars are loaded when a terminal shows some."""

from typing import TYPE_CHECKING

from catalog.lazy_names import lazy_names

if TYPE_CHECKING:
    from catalog.commands.terminal import bars as bars

__getattr__ = lazy_names(__name__, (), ("bars",))
