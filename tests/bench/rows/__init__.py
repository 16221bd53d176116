"""The rows, by the name that `--rows` takes. A row more is one file more, and one line here."""

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType

from tests.bench.plan import Plan
from tests.bench.rows import (
    crowd,
    footprint,
    hostile,
    inspect,
    kubeflow,
    list_by_tag,
    pair,
    read_model,
    resumable,
    search,
    sign_in,
    sorted_list,
    start,
    suggest,
    tenants,
    transfer,
    workers,
    write,
)
from tests.bench.table import Row

ROWS: Mapping[str, Callable[[Plan], Iterator[Row]]] = MappingProxyType(
    {
        "sign-in": sign_in.measure,
        "read": read_model.measure,
        "write": write.measure,
        "list": list_by_tag.measure,
        "sorted": sorted_list.measure,
        "search": search.measure,
        "suggest": suggest.measure,
        "tenants": tenants.measure,
        "footprint": footprint.measure,
        "workers": workers.measure,
        "kubeflow": kubeflow.measure,
        "transfer": transfer.measure,
        "resumable": resumable.measure,
        "crowd": crowd.measure,
        "start": start.measure,
        "inspect": inspect.measure,
        "pair": pair.measure,
        "large": transfer.measure_large,
        "hostile": hostile.measure,
    }
)

LONG = frozenset({"footprint", "hostile", "large", "pair"})
"""Measured only when named: they make many tenants, send hostile requests to a server each, write 30 GB, and need a
database that two can share."""
