"""The methods of the client, by what they are about."""

from typing import TYPE_CHECKING

from catalog.lazy_names import lazy_names

if TYPE_CHECKING:
    from catalog.client.resources import aliases as aliases
    from catalog.client.resources import items as items
    from catalog.client.resources import registry_api as registry_api
    from catalog.client.resources import versions as versions

__getattr__ = lazy_names(__name__, (), ("aliases", "items", "registry_api", "versions"))
