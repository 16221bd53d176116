"""References to versions: `iris@3`, `iris@champion`, `iris@latest`."""

import re
import shlex
from collections.abc import Collection, Mapping
from typing import NamedTuple, NotRequired, TypedDict, TypeVar

from catalog.client.errors import CatalogError, Invalid, NotFound
from catalog.client.results import Document, shaped
from catalog.client.session import Session, segment
from catalog.client.transfer.uploads.uploads import TargetItem
from catalog.client.transport.effects import Operation
from catalog.client.wording import MOST_LISTED, listed

T = TypeVar("T")

LATEST = "latest"
STATUSES = ("training", "test", "production", "deploy")
"""Statuses of an item. They name no version; once they did."""

ALIAS = re.compile(r"(?![vV]?\d+$)[\w-]+")
"""What can be an alias."""


class VersionReference(NamedTuple):
    name: str
    revision: str


class FoundItem(TypedDict):
    """An item as a search shows it."""

    name: str
    kind: str
    reference: NotRequired[str | None]


class FoundItems(TypedDict):
    docs: list[FoundItem]


class NamedVersion(TypedDict):
    ordinal: str


class NamedAlias(TypedDict):
    name: str


class NamesInItem(TypedDict, total=False):
    """What names the versions of an item."""

    versions: list[NamedVersion]
    versionsTotal: int
    aliases: list[NamedAlias]


def parse_reference(text: str) -> VersionReference:
    """`name` or `name@revision`; what follows the last `@` is the revision.

    Raises Invalid.
    """
    written = text if isinstance(text, str) else ""
    name, _, revision = written.rpartition("@") if "@" in written else (written, "", LATEST)
    if not name or not revision:
        raise Invalid(
            f"{text!r} does not name a version", advice="Write it as iris, iris@3, iris@latest or iris@champion."
        )
    return VersionReference(name, revision)


def resolve_version(item: TargetItem, revision: str) -> Operation[Document]:
    """The record of the version that `revision` names: an ordinal, an alias, `latest`, or the name of a file.

    Raises CatalogError: NotFound, which says what there is.
    """
    try:
        return (yield from item.document(revision))
    except NotFound as missing:
        if missing.details != revision:  # of the item itself
            raise (yield from _unknown_item(item, missing)) from None
        raise (yield from unknown_version(item, revision, missing)) from None


def explain_missing(item: TargetItem, revisions: Collection[str], request: Operation[T]) -> Operation[T]:
    """The result of `request`; its error for one of `revisions` that is not there says which versions are."""
    try:
        return (yield from request)
    except NotFound as missing:
        if missing.details not in revisions:  # of the item itself
            raise
        raise (yield from unknown_version(item, missing.details, missing)) from None


def _unknown_item(item: TargetItem, missing: NotFound) -> Operation[NotFound]:
    """The error for an item that is not there, with those whose names are like its name."""
    sentence = f"There is no {item.key} that you may read in {item.kind}"
    query = {"q": item.key.rpartition("/")[2], "limit": str(MOST_LISTED)}
    try:
        of_kind = yield from _search(item.session, query | {"kind": item.kind})
        others = [] if of_kind else (yield from _search(item.session, query))
    except CatalogError:
        return _like(missing, sentence, missing.advice)
    names = [each.get("reference") or each["name"] for each in of_kind]
    for each in others:
        kind = each["kind"]
        names.append(f"{each.get('reference') or each['name']} in {kind} (--kind {kind}, kind={kind!r})")
    return _like(missing, sentence, f"There is {listed(names)}." if names else missing.advice)


def _search(session: Session, query: Mapping[str, str]) -> Operation[list[FoundItem]]:
    return shaped((yield from session.request_json("GET", "/search", query=query)), FoundItems)["docs"]


def unknown_version(item: TargetItem, revision: str, missing: NotFound) -> Operation[NotFound]:
    """The error for a version that is not there, with those that are."""
    if revision == LATEST:
        return _like(missing, f"{item.key} has no version yet", "Push a file to it first.")
    sentence, advice = f"{item.key} has no version or alias {revision}", ""
    if revision in STATUSES:
        sentence += ", and a status names no version"
    try:
        found = shaped((yield from item.session.request_json("GET", f"/{item.kind}/{segment(item.key)}")), NamesInItem)
    except CatalogError:
        found = NamesInItem()
    advice = " ".join(filter(None, (_versions_in(item.key, found), _aliases_in(found))))
    if ALIAS.fullmatch(revision):
        kind = () if item.kind == "models" else ("--kind", item.kind)
        command = shlex.join(["catalog", "alias", "set", item.key, revision])
        advice += f" To set the alias: {command} VERSION{' '.join(('', *kind))}"
    return _like(missing, sentence, advice.strip())


def _versions_in(key: str, item: NamesInItem) -> str:
    """`iris has versions 1 to 3.`"""
    ordinals = [version["ordinal"] for version in item.get("versions", ())]
    if not ordinals:
        return ""
    total = item.get("versionsTotal", len(ordinals))
    if all(each.isdigit() for each in ordinals) and total > 1:
        numbers = sorted(map(int, ordinals))
        first = numbers[0] if len(numbers) == total else 1
        if numbers[-1] - first + 1 == total:
            return f"{key} has versions {first} to {numbers[-1]}."
    newest = ordinals[::-1][:MOST_LISTED]
    more = f" and {total - len(newest)} more" if total > len(newest) else ""
    return f"{key} has the version{'s' if total > 1 else ''} {', '.join(newest)}{more}."


def _aliases_in(item: NamesInItem) -> str:
    names = [alias["name"] for alias in item.get("aliases", ())]
    return f"It has the alias{'es' if len(names) > 1 else ''} {listed(names)}." if names else ""


def _like(missing: NotFound, sentence: str, advice: str) -> NotFound:
    return NotFound(sentence, status=missing.status, value=missing.value, request_id=missing.request_id, advice=advice)
