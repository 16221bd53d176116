"""How requests are sent: by a blocking driver and by one for asyncio.

Only they load the HTTP library, which takes longer than the rest of the client: a program that sends no request does
without.
"""

from typing import TYPE_CHECKING

from catalog.lazy_names import lazy_names

if TYPE_CHECKING:
    from catalog.client.transport.async_driver import AsyncDriver
    from catalog.client.transport.sync_driver import SyncDriver

__all__ = ["AsyncDriver", "SyncDriver"]

__getattr__ = lazy_names(__name__, __all__, ("sync_driver", "async_driver"))
