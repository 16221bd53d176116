"""The bodies of POST and PUT for versions, read into the domain's inputs. The domain checks the limits."""

import sys
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from catalog.blobs.protocol import FileHead, is_digest
from catalog.dialects.http.uploads import HOW_TO_NAME
from catalog.domain.body_fields import Form, change_form
from catalog.domain.files.filenames import LONGEST_PATH, file_name, media_type
from catalog.domain.limits import Limits
from catalog.domain.versions import links
from catalog.domain.versions.version_changes import VersionChange
from catalog.domain.versions.versions import VersionDetails
from catalog.errors import NOT_CREATED, Refused
from catalog.vocabulary import VersionState

DETAILS = frozenset({"ordinal", "description", "metadata"})
DRAFT = DETAILS | {"draft"}
STORED_BYTES = DETAILS | {"digest", "size", "name", "mimetype"}
CHANGE = frozenset({"description", "metadata", "state"})
LINK = frozenset({"expires_in", "path"})

UNCHECKED = Limits(*[sys.maxsize] * len(Limits._fields))

NEEDED_DIGEST = "sha256: and 64 hexadecimal characters are needed"


@dataclass(frozen=True, slots=True)
class StoredBytes:
    """A version that a client wants of bytes that the catalog stores already."""

    digest: str
    head: FileHead
    details: VersionDetails


def new_version(body: Any) -> VersionDetails | StoredBytes:
    """A draft, or a version of stored bytes.

    Raises Refused: NOT_CREATED.
    """
    if not isinstance(body, dict) or ("draft" in body) == ("digest" in body) or body.get("draft", True) is not True:
        raise Refused(NOT_CREATED, f'{HOW_TO_NAME}, or {{"draft": true}}, or {{"digest": "sha256:..."}}')
    if "draft" in body:
        return _details(Form(body, NOT_CREATED, DRAFT, UNCHECKED))
    form = Form(body, NOT_CREATED, STORED_BYTES, UNCHECKED)
    return StoredBytes(_digest(form), _head(form), _details(form))


def version_change(body: Any) -> VersionChange:
    """Raises Refused: EMPTY_BODY, NO_VALID_FIELDS, NOT_CHANGED."""
    form = change_form(body, CHANGE, UNCHECKED)
    return VersionChange(
        description=form.text("description", sys.maxsize),
        metadata=form.delta("metadata", form.pair_to_remove, form.pair),
        state=form.one_of("state", VersionState),
    )


def new_link(body: Any) -> tuple[timedelta, str]:
    """How long a link lives, and the path of the file that it opens.

    Raises Refused: NOT_CREATED.
    """
    form = Form(body, NOT_CREATED, LINK)
    shortest, longest = (int(life.total_seconds()) for life in (links.SHORTEST, links.LONGEST))
    seconds = body.get("expires_in", int(links.USUAL.total_seconds()))
    if not isinstance(seconds, int) or isinstance(seconds, bool) or not shortest <= seconds <= longest:
        form.refuse(f"expires_in: {shortest} to {longest} seconds are possible")
    return timedelta(seconds=seconds), form.text("path", LONGEST_PATH) or ""


def _details(form: Form) -> VersionDetails:
    return VersionDetails(
        ordinal=(form.text("ordinal") or "").strip(),
        description=form.text("description", sys.maxsize) or "",
        metadata=form.list_("metadata", form.pair),
    )


def _digest(form: Form) -> str:
    digest = form.required("digest", NEEDED_DIGEST).removeprefix("sha256:").lower()
    if not is_digest(digest):
        form.refuse(f"digest: {NEEDED_DIGEST}")
    form.size("size")  # clients send it; the stored size counts
    return digest


def _head(form: Form) -> FileHead:
    name = file_name(form.required("name", "the name of the file is needed"))
    return FileHead(name, media_type(form.text("mimetype") or "", name), "binary")
