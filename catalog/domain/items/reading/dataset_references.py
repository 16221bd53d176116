"""The datasets that a model or an algorithm names."""

from collections.abc import Iterable

from bson import ObjectId

from catalog.domain.access import Caller, may_read
from catalog.domain.items.reading.lookup import all_ids, find
from catalog.domain.items.references import Reference
from catalog.domain.versions.lookup import find_of_reference
from catalog.errors import Fault
from catalog.store.records import ItemRecord
from catalog.vocabulary import Kind


async def dataset_ids(caller: Caller, keys: Iterable[str], fault: Fault) -> list[ObjectId]:
    """The ids of datasets by their references, each once. `petals@2` names a dataset that has this version.

    Raises Refused: `fault` for one that does not exist or that the caller may not read, AMBIGUOUS.
    """
    found: dict[str, ObjectId] = {}
    keys = list(keys)
    for key in keys:
        dataset = await _find(caller, Reference(key))
        if dataset is not None and may_read(caller, dataset):
            found[key] = dataset["_id"]
    return all_ids(keys, found, "datasets: Dataset", fault)


async def _find(caller: Caller, reference: Reference) -> ItemRecord | None:
    if dataset := await find(caller, Kind.DATASET, reference):
        return dataset
    named = await find_of_reference(caller, Kind.DATASET, reference)
    return named[0] if named else None
