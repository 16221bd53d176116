"""Lists, and the parameters of lists."""

from typing import Annotated, Generic, TypeAlias, TypeVar

import msgspec
from msgspec import Meta, Struct

T = TypeVar("T")

MOST = 1000
"""Elements on a page. Without a `pageSize` a page has as many."""


class ResourcePage(Struct, Generic[T], rename="camel", kw_only=True):
    """A part of a list."""

    items: list[T]
    size: Annotated[int, Meta(ge=0, description="How many elements the page has.")]
    page_size: Annotated[int, Meta(ge=0, description="The `pageSize` of the request, or 0.")]
    next_page_token: Annotated[str, Meta(description="Empty at the end.")]


EncodedPage: TypeAlias = ResourcePage[msgspec.Raw]
"""A page whose elements are encoded. The table of operations declares their type."""
