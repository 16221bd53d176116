"""The rows, by the name that `--rows` takes. A row more is one file more, and one line here."""

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType

from tests.bench.plan import Plan
from tests.bench.rows import crowd, inspect, list_by_tag, read_model, start, transfer
from tests.bench.table import Row

ROWS: Mapping[str, Callable[[Plan], Iterator[Row]]] = MappingProxyType(
    {
        "read": read_model.measure,
        "list": list_by_tag.measure,
        "transfer": transfer.measure,
        "crowd": crowd.measure,
        "start": start.measure,
        "inspect": inspect.measure,
    }
)
