"""The inputs of a version: the versions of datasets, models and algorithms that it was made from.

They are stored by the id of the item and the number of the version. An input does not
prevent the removal of that version.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from catalog.domain.access import Caller, may_read
from catalog.domain.items.reading.lookup import find as find_item
from catalog.domain.items.references import Reference
from catalog.domain.limits import LONGEST_NAME
from catalog.domain.versions import lookup
from catalog.domain.versions.aliases.names import LATEST
from catalog.errors import NOT_FOUND, Fault, Refused
from catalog.store.documents.versions import InputSubdocument
from catalog.store.ids import document_id
from catalog.store.records import ItemRecord, VersionRecord
from catalog.vocabulary import Kind

MOST = 100
"""How many inputs a version has."""

LONGEST = 4 * LONGEST_NAME
"""Characters of a reference: a kind, an owner, a name, and which version."""

ORDER = (Kind.DATASET, Kind.MODEL, Kind.ALGORITHM)
"""The kinds in which a reference without a kind is looked for."""


@dataclass(frozen=True, slots=True)
class InputReference:
    """`[kind/][owner/]name[@which]`. With a `number`, `text` is an id or a name alone."""

    text: str
    kind: Kind | None = None
    number: int | None = None

    def readings(self) -> Iterator[tuple[Kind, str]]:
        """What the text may mean: in which kinds to look, and for what. A kind before a slash counts first."""
        if self.kind:
            yield self.kind, self.text
            return
        kind, _, rest = self.text.partition("/")
        if rest and kind in set(Kind):
            yield Kind(kind), rest
        yield from ((kind, self.text) for kind in ORDER)


async def resolve(caller: Caller, references: Sequence[InputReference], fault: Fault) -> list[InputSubdocument]:
    """The versions that references name, each once.

    Raises Refused: `fault` for too many, and for one that does not exist or that the caller may not read; AMBIGUOUS.
    """
    if len(references) > MOST:
        raise Refused(fault, f"inputs: at most {MOST} are allowed, not {len(references)}")
    found: dict[tuple[Kind, str, int], InputSubdocument] = {}
    for reference in references:
        if len(reference.text) > LONGEST:
            raise Refused(fault, f"inputs: at most {LONGEST} characters are allowed, not {len(reference.text)}")
        named = await _find(caller, reference)
        if named is None:
            raise Refused(fault, f"inputs: Version not existent ({reference.text})")
        kind, version = named
        one = InputSubdocument(kind=kind, item=document_id(version["item"]), number=version["number"])
        found[kind, str(one.item), one.number] = one
    return list(found.values())


async def _find(caller: Caller, reference: InputReference) -> tuple[Kind, VersionRecord] | None:
    for kind, text in reference.readings():
        item, version = await _read(caller, kind, text, reference.number)
        if version is not None:
            return kind, version
        if item is not None:  # it has no such version, and nothing of another kind stands for it
            return None
    return None


async def _read(
    caller: Caller, kind: Kind, text: str, number: int | None
) -> tuple[ItemRecord | None, VersionRecord | None]:
    """A readable item and its version, each None when there is none."""
    reference = Reference(text)
    item = await find_item(caller, kind, reference)
    if item is None and number is None:
        named = await lookup.find_of_reference(caller, kind, reference)
        return named if named and may_read(caller, named[0]) else (None, None)
    if item is None or not may_read(caller, item):
        return None, None
    if number is not None:
        return item, await lookup.numbered(caller.tenant, item["_id"], number)
    try:
        return item, await lookup.find(caller, item, LATEST)
    except Refused as refused:
        if refused.fault is not NOT_FOUND:
            raise
        return item, None
