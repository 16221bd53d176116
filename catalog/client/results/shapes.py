"""Checks the types of what the server answers."""

from collections.abc import Mapping
from typing import TypeVar, cast

import msgspec

from catalog.client.errors import NotACatalog

T = TypeVar("T")

Document = Mapping[str, object]
"""An object of JSON."""


def convert(document: object, shape: type[T]) -> T:
    """The document as `shape`. Raises NotACatalog."""
    try:
        return msgspec.convert(document, shape)
    except msgspec.ValidationError as error:
        raise shape_error(str(error)) from None


def shaped(document: object, shape: type[T]) -> T:
    """The document itself, with all its fields, after a check that it is a TypedDict `shape`. Raises NotACatalog."""
    convert(document, shape)
    return cast("T", document)


def shape_error(problem: str) -> NotACatalog:
    return NotACatalog(f"The server's answer is not that of a catalog ({problem})")
