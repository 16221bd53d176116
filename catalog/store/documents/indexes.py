"""The forms of indexes that documents declare."""

from datetime import timedelta
from typing import Any

from pymongo import ASCENDING, DESCENDING, IndexModel


def unique(*keys: str, **options: Any) -> IndexModel:
    return IndexModel([(key, ASCENDING) for key in keys], unique=True, **options)


def unique_text(field: str, within: str = "") -> IndexModel:
    """Unique among the documents that have the field: a collection with older documents can be opened.

    With `within`, only among those with the same value of that field. (The embedded engines use a partial index for an
    equality if its filter is a comparison; with `$type` they read the whole collection.)
    """
    keys = (field, within) if within else (field,)
    return unique(*keys, partialFilterExpression={field: {"$gte": ""}})


def unique_number(field: str) -> IndexModel:
    """Unique among the documents that have the field, whose values are 1 and more."""
    return unique(field, partialFilterExpression={field: {"$gt": 0}})


def latest() -> IndexModel:
    """Serve the default order of collections without a serial."""
    return IndexModel([("timestamp", DESCENDING), ("_id", DESCENDING)])


def over(field: str, after: timedelta = timedelta()) -> IndexModel:
    """Remove a document some time after the moment in `field`. The database does so once a minute."""
    return IndexModel([(field, ASCENDING)], expireAfterSeconds=int(after.total_seconds()))


def filled(field: str) -> IndexModel:
    """Serve an equality on a text that most documents do not have."""
    return IndexModel([(field, ASCENDING)], partialFilterExpression={field: {"$gt": ""}})


def newest(*keys: str) -> IndexModel:
    """Serve a filter on `keys`, newest first."""
    return IndexModel([*((key, ASCENDING) for key in keys), ("serial", DESCENDING)])


def newest_with(field: str) -> IndexModel:
    """Serve an equality with a text that is not empty, newest first."""
    keys = [(field, ASCENDING), ("serial", DESCENDING)]
    return IndexModel(keys, partialFilterExpression={field: {"$gt": ""}})


def sorted_by(field: str) -> IndexModel:
    """Serve a sort by `field`, with ties by age in the same direction; and a filter on it, newest first."""
    return IndexModel([(field, ASCENDING), ("serial", ASCENDING)])
