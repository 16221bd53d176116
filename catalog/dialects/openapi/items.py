"""What the tables of versions say of items."""

from catalog.dialects.openapi.operation import header
from catalog.vocabulary import Kind

REVISION = {"ETag": header("the revision, for `If-Match` and `If-None-Match`")}


def group_of(kind: Kind) -> str:
    return kind.capitalize()


def name_of(kind: Kind) -> str:
    return kind.one.capitalize()
