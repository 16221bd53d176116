"""`catalog.push` and `catalog.pull`, with the server of the environment or the configuration."""

from pathlib import Path
from typing import Any

from catalog.client.catalog import Catalog
from catalog.client.pushing import Pushed
from catalog.client.transfer.contents import Uploadable


def push(name: str, what: Uploadable, **options: Any) -> Pushed:
    """`catalog.push("iris", "model.onnx", tags=["small"], metrics={"accuracy": 0.95})`; see `Catalog.push`."""
    with Catalog() as catalog:
        return catalog.push(name, what, **options)


def pull(reference: str, **options: Any) -> Path:
    """`catalog.pull("iris@champion")`: the path of the file, or of the folder; see `Catalog.pull`."""
    with Catalog() as catalog:
        return catalog.pull(reference, **options)
