"""The demo of a server that runs with DEMO=true."""

from catalog.client.resources.base import D, Resource, operation
from catalog.client.results import Raw
from catalog.client.transport.effects import Operation


class DemoResource(Resource[D]):
    """An invented catalog. For administrators of the tenant DEFAULT_TENANT_DEMO of a server with DEMO=true.

    Every method raises CatalogError: NotFound without DEMO, Forbidden in other tenants and for other users.
    """

    @operation
    def create(self, models: int = 60) -> Operation[Raw]:
        """Fill the tenant with people, groups, datasets, algorithms and `models` models, the same each time.

        What is there already stays as it is. Returns how many `people`, `items` and `versions` are new, and which items
        were `skipped`.
        """
        query = {"models": str(models)}
        made: Raw = yield from self._session.request_json("POST", "/demo", query=query)
        return made

    @operation
    def show(self) -> Operation[Raw]:
        """What the tenant has: `users`, `tags`, `metadata`, `datasets` and `models`, at most 1000 of each."""
        shown: Raw = yield from self._session.request_json("GET", "/demo")
        return shown

    @operation
    def remove(self) -> Operation[Raw]:
        """Remove what the demo made, and nothing else. Returns how much that is, and what is `kept` since others use
        it.
        """
        removed: Raw = yield from self._session.request_json("DELETE", "/demo")
        return removed
