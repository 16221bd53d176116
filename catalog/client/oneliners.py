"""`catalog.push` and `catalog.pull`, to the catalog of the environment or the configuration."""

from pathlib import Path
from typing import Any

from catalog.client.catalog import Catalog
from catalog.client.pushing import Pushed
from catalog.client.sources import What


def push(name: str, what: What, **about: Any) -> Pushed:
    """`catalog.push("iris", "model.onnx", tags=["small"], metrics={"accuracy": 0.95})`; see `Catalog.push`."""
    with Catalog() as catalog:
        return catalog.push(name, what, **about)


def pull(reference: str, **about: Any) -> Path:
    """`catalog.pull("iris@production")`: the path of the file, or of the folder; see `Catalog.pull`."""
    with Catalog() as catalog:
        return catalog.pull(reference, **about)
