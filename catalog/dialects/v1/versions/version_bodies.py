"""The JSON bodies that the routes of versions read by themselves."""

from typing import Any

from catalog.dialects.http.transfers.uploads import HOW_TO_NAME
from catalog.dialects.v1.models.versions import USUAL, NewDraft, NewLink, StoredBytes, WholeVersion, refuse_lifetime
from catalog.dialects.v1.requests.bodies import Reader
from catalog.errors import NOT_CREATED, Refused

SHOWN_ONLY = frozenset(
    {*WholeVersion.__struct_encode_fields__}
    - {*NewDraft.__struct_encode_fields__, *StoredBytes.__struct_encode_fields__}
)
"""Fields of an answer that no client can set. A POST ignores them, so that an answer can be sent back."""

DRAFT = Reader(NewDraft, NOT_CREATED, False, SHOWN_ONLY)
STORED_BYTES = Reader(StoredBytes, NOT_CREATED, False, SHOWN_ONLY)
LINK = Reader(NewLink, NOT_CREATED, False, frozenset())


def new_version(body: Any) -> NewDraft | StoredBytes:
    """A draft, or a version of stored bytes.

    Raises Refused: NOT_CREATED.
    """
    if not isinstance(body, dict) or ("draft" in body) == ("digest" in body) or body.get("draft", True) is not True:
        raise Refused(NOT_CREATED, f'{HOW_TO_NAME}, or {{"draft": true}}, or {{"digest": "sha256:..."}}')
    read: NewDraft | StoredBytes = (DRAFT if "draft" in body else STORED_BYTES).read(body)
    return read


def new_link(body: Any) -> NewLink:
    """Raises Refused: NOT_CREATED."""
    if isinstance(body, dict):
        refuse_lifetime(body.get("expires_in", USUAL))
    link: NewLink = LINK.read(body)
    return link
