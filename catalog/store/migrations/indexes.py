"""The indexes of tenants that older versions created."""

from collections.abc import Mapping
from typing import Any

from catalog.store.migrations.progress import Progress
from catalog.store.tenant import Tenant
from catalog.store.tenant_collections import OF_A_TENANT

OPTIONS = ("key", "unique", "sparse", "expireAfterSeconds", "partialFilterExpression")
"""What makes an index another one, although its name is the same."""


async def only(_tenant: Tenant, _progress: Progress) -> None:
    """The step of a schema whose indexes changed, and nothing else."""


async def create_missing(tenant: Tenant) -> None:
    """Create the indexes that the documents declare. One that has changed replaces the older one of its name."""
    for document in OF_A_TENANT:
        bound = tenant.bound(document)
        declared = {name: dict(index) for name, index in bound.declared_indexes.items()}
        for name, index in (await bound.records.index_information()).items():
            if name in declared and _options(index) != _options(declared[name]):
                await bound.records.drop_index(name)
        await bound.prepare()


async def drop_obsolete(tenant: Tenant) -> None:
    """Drop the indexes that no document declares any more."""
    for document in OF_A_TENANT:
        bound = tenant.bound(document)
        for name in (await bound.records.index_information()).keys() - bound.declared_indexes.keys() - {"_id_"}:
            await bound.records.drop_index(name)


def _options(index: Mapping[str, Any]) -> dict[str, Any]:
    """What distinguishes indexes of one name. The database lists keys as pairs and leaves out what is false."""
    found = {option: index[option] for option in OPTIONS if index.get(option)}
    keys = found["key"]
    found["key"] = [tuple(pair) for pair in (keys.items() if isinstance(keys, Mapping) else keys)]
    if "partialFilterExpression" in found:
        found["partialFilterExpression"] = dict(found["partialFilterExpression"])
    return found
