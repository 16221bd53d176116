"""The demo of a server that runs with DEMO=true."""

from catalog.client.resources.base import D, Resource, operation
from catalog.client.results import DemoCreated, DemoRemoval, Document, shaped
from catalog.client.transport.effects import Operation


class DemoResource(Resource[D]):
    """An invented catalog. For administrators of the tenant DEFAULT_TENANT_DEMO of a server with DEMO=true.

    Every method raises CatalogError: NotFound without DEMO, Forbidden in other tenants and for other users.
    """

    @operation
    def create(self, models: int = 60) -> Operation[DemoCreated]:
        """Fill the tenant with people, groups, datasets, algorithms and `models` models, the same each time.

        What is there already stays as it is.
        """
        query = {"models": str(models)}
        return shaped((yield from self._session.request_json("POST", "/demo", query=query)), DemoCreated)

    @operation
    def show(self) -> Operation[Document]:
        """What the tenant has: `users`, `tags`, `metadata`, `datasets` and `models`, at most 1000 of each."""
        return (yield from self._session.request_json("GET", "/demo"))

    @operation
    def remove(self) -> Operation[DemoRemoval]:
        """Remove what the demo made, and nothing else."""
        return shaped((yield from self._session.request_json("DELETE", "/demo")), DemoRemoval)
