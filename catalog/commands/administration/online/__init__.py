"""Requests to a running server, which an administrator or the operator sends.

The modules load the HTTP library, so they are loaded by the commands that need them.
"""

from typing import TYPE_CHECKING

from catalog.lazy_names import lazy_names

if TYPE_CHECKING:
    from catalog.commands.administration.online import log as log
    from catalog.commands.administration.online import sweep as sweep

__getattr__ = lazy_names(__name__, (), ("log", "sweep"))
