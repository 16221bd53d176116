"""Names of the catalog, for a shell that completes what is typed."""

import re
from itertools import islice

from catalog.client import Catalog, CatalogError

PATIENCE = 2.0  # seconds: whoever has pressed a key waits
MOST = 50


def models(incomplete: str) -> list[str]:
    return _names("models", incomplete)


def datasets(incomplete: str) -> list[str]:
    return _names("datasets", incomplete)


def algorithms(incomplete: str) -> list[str]:
    return _names("algorithms", incomplete)


OF = {"models": models, "datasets": datasets, "algorithms": algorithms}


def _names(kind: str, beginning: str) -> list[str]:
    """Those that begin so; none when the catalog cannot tell."""
    try:
        with Catalog(timeout=PATIENCE) as catalog:
            wanted = {"name": {"$regex": f"^{re.escape(beginning)}"}} if beginning else None
            found = getattr(catalog, kind).list(filter=wanted, batch=MOST)
            return [item.name for item in islice(found, MOST)]
    except CatalogError:
        return []
