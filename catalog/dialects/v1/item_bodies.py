"""The bodies of POST and PUT for items and terms, read into the domain's inputs. The domain checks the limits."""

import sys
from typing import Any

from catalog.domain.body_fields import Form, change_form
from catalog.domain.items.inputs import ItemChange, NewItem
from catalog.domain.items.items import TRAINED
from catalog.domain.limits import Limits
from catalog.errors import NOT_CREATED
from catalog.vocabulary import Kind, Status, Visibility

_COMMON = frozenset({"name", "users", "visibility", "tags", "metadata", "description"})

FIELDS = {kind: _COMMON | {"status", "datasets"} if kind in TRAINED else _COMMON for kind in Kind}
"""The fields that a client sets."""

_UNCHECKED = Limits(*[sys.maxsize] * len(Limits._fields))


def new_item(kind: Kind, body: Any) -> NewItem:
    """Raises Refused: NOT_CREATED."""
    form = Form(body, NOT_CREATED, FIELDS[kind], _UNCHECKED)
    return NewItem(
        name=form.required("name", "Please, supply a valid name", sys.maxsize),
        description=form.text("description", sys.maxsize) or "",
        visibility=form.one_of("visibility", Visibility) or Visibility.PRIVATE,
        tags=form.list_("tags", form.word),
        metadata=form.list_("metadata", form.pair),
        users=form.list_("users", form.key),
        status=form.one_of("status", Status),
        datasets=form.list_("datasets", form.key),
    )


def item_change(kind: Kind, body: Any) -> ItemChange:
    """Raises Refused: EMPTY_BODY, NO_VALID_FIELDS, NOT_CHANGED."""
    form = change_form(body, FIELDS[kind] - {"name"} | {"owner"}, _UNCHECKED)
    return ItemChange(
        owner=form.text("owner", sys.maxsize),
        visibility=form.one_of("visibility", Visibility),
        status=form.one_of("status", Status),
        description=form.text("description", sys.maxsize),
        tags=form.delta("tags", form.word, form.word),
        metadata=form.delta("metadata", form.pair_to_remove, form.pair),
        users=form.delta("users", form.key, form.key),
        datasets=form.delta("datasets", form.key, form.key),
    )
