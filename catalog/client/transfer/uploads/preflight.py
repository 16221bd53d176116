"""Has the server check a version before its bytes are sent."""

from collections.abc import Mapping, Sequence
from typing import TypedDict

from catalog.client.errors import NotFound
from catalog.client.results import shaped
from catalog.client.session import Session
from catalog.client.transfer.uploads.uploads import NewVersionFields, as_pairs
from catalog.client.transport.effects import Operation

UNKNOWN_ROUTES = frozenset({100, 101})
"""The error values of an older server, which checks only what it is sent."""


class PreflightAnswer(TypedDict):
    item: str | None
    """The id of the item, if it exists."""


def check_push(
    session: Session,
    kind: str,
    target: Mapping[str, str],
    details: NewVersionFields,
    tags: Sequence[str] = (),
    alias: str = "",
) -> Operation[str | None]:
    """Have the server check all names and values of a push; return the id of its item, if that exists.

    `target` has the `item`, or the `name` of the caller's own, which may be new.

    Raises CatalogError: Invalid, NotFound, Forbidden.
    """
    body: dict[str, object] = {"kind": kind, **target, "tags": [*tags], "alias": alias, "inputs": [*details.inputs]}
    body |= {"ordinal": details.ordinal, "description": details.description, "metadata": as_pairs(details.metadata)}
    sent = {name: value for name, value in body.items() if value}
    try:
        return shaped((yield from session.request_json("POST", "/preflight", body=sent)), PreflightAnswer)["item"]
    except NotFound as refused:
        if refused.value in UNKNOWN_ROUTES:
            return None
        raise
