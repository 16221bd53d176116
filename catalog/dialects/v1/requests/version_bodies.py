"""The JSON bodies that the routes of versions read by themselves."""

from collections.abc import Mapping

import msgspec

from catalog.dialects.http.transfers.uploads import HOW_TO_NAME
from catalog.dialects.v1.models.shown_versions import WholeVersion
from catalog.dialects.v1.models.versions import (
    USUAL,
    BytesElsewhere,
    NewDraft,
    NewLink,
    NewVersion,
    SaidBesideFile,
    StoredBytes,
    input_references,
    refuse_lifetime,
)
from catalog.dialects.v1.requests.bodies import Reader
from catalog.domain.versions.details import TrainingRun, VersionDetails
from catalog.errors import NOT_CREATED, Refused
from catalog.vocabulary import Stage


def _reader(of: type[NewVersion]) -> Reader:
    """It ignores the fields of an answer that no client can set, so that an answer can be sent back."""
    shown_only = frozenset(WholeVersion.__struct_encode_fields__) - frozenset(of.__struct_encode_fields__)
    return Reader(of, NOT_CREATED, False, shown_only)


READERS = {"draft": _reader(NewDraft), "digest": _reader(StoredBytes), "uri": _reader(BytesElsewhere)}
"""By the field that only this kind of version has."""

FORMS = '{"draft": true}, or {"digest": "sha256:..."}, or {"uri": "s3://..."}'

BESIDE_FILE = Reader(SaidBesideFile, NOT_CREATED, False, frozenset())

LINK = Reader(NewLink, NOT_CREATED, False, frozenset())


def new_version(body: object) -> NewDraft | StoredBytes | BytesElsewhere:
    """A draft, a version of stored bytes, or one of bytes elsewhere.

    Raises Refused: NOT_CREATED.
    """
    named = [field for field in READERS if isinstance(body, dict) and body.get(field)]
    if len(named) != 1:
        raise Refused(NOT_CREATED, f"{HOW_TO_NAME}, or {FORMS}")
    read: NewDraft | StoredBytes | BytesElsewhere = READERS[named[0]].read(body)
    return read


def new_link(body: object) -> NewLink:
    """Raises Refused: NOT_CREATED."""
    if isinstance(body, dict):
        refuse_lifetime(body.get("expires_in", USUAL))
    link: NewLink = LINK.read(body)
    return link


def upload_details(texts: Mapping[str, str]) -> VersionDetails:
    """What is said of a version beside its file, in a form, a query string or the metadata of tus.

    Raises Refused: NOT_CREATED.
    """
    stage = texts.get("stage") or Stage.NONE
    if stage not in set(Stage):
        raise Refused(NOT_CREATED, f"stage: one of {', '.join(Stage)} is needed")
    given = {name: _json(name, texts[name]) for name in SaidBesideFile.__struct_fields__ if texts.get(name)}
    said: SaidBesideFile = BESIDE_FILE.read(given)
    return VersionDetails(
        metadata=[pair.as_input() for pair in said.metadata or ()],
        made_from=input_references(said.inputs or ()),
        author=texts.get("author", ""),
        stage=Stage(stage),
        archived=_flag("archived", texts),
        strict=_flag("strict", texts),
        external_id=texts.get("external_id", ""),
        run=TrainingRun(texts.get("run_id", ""), texts.get("run_link", "")),
    )


def _flag(name: str, texts: Mapping[str, str]) -> bool:
    """Raises Refused: NOT_CREATED."""
    text = texts.get(name) or "false"
    if text not in {"true", "false"}:
        raise Refused(NOT_CREATED, f"{name}: true or false is needed")
    return text == "true"


def _json(name: str, text: str) -> object:
    """Raises Refused: NOT_CREATED."""
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        raise Refused(NOT_CREATED, f"{name} is not JSON") from None
