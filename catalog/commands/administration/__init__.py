"""Commands of administrators. The modules that load the HTTP library are loaded by the commands that need them."""

from typing import TYPE_CHECKING

from catalog.lazy_names import lazy_names

if TYPE_CHECKING:
    from catalog.commands.administration import log as log
    from catalog.commands.administration import sweep as sweep

__getattr__ = lazy_names(__name__, (), ("log", "sweep"))
