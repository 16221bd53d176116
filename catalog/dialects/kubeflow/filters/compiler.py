"""A `filterQuery`, compiled onto the checked filters of the store.

The tree becomes a filter as clients of the native dialect write them, which `store.query.filters.filter` checks and
bounds. A comparison never matches where the property is missing or has another type, also one with `!=`.
"""

from collections.abc import Awaitable, Callable, Collection, Iterator
from typing import NamedTuple

from catalog.dialects.kubeflow.filters.conditions import (
    COMPARED,
    CONDITIONS,
    archived,
    condition_of,
    each_of,
    holds,
    mismatch,
    number_of,
    text_condition,
    type_of,
)
from catalog.dialects.kubeflow.filters.parser import Comparison, Joined, Tree, parsed
from catalog.dialects.kubeflow.filters.properties import Column, Properties, Property
from catalog.domain.limits import LONGEST_INTEGER
from catalog.store.query.filters.filter import Filter, filter_of
from catalog.store.records import Query

Ids = dict[tuple[str, int], str]
"""The ids of documents, by collection and serial."""

FindIds = Callable[[str, set[int]], Awaitable[dict[int, str]]]
"""The ids of the documents of a collection with these serials."""

NO_ID = "none"
"""Text that is no id, so that nothing has it."""
NO_SERIAL = 0
"""Serials are counted from 1."""


class Compiled(NamedTuple):
    """A checked `filterQuery`. Both parts must hold."""

    of_document: Filter
    beyond: Filter | None = None
    """What is asked of properties that are elsewhere, for a document that has them."""


async def compiled(query: str, properties: Properties, find_ids: FindIds) -> Compiled:
    """The checked filter of a `filterQuery`; an empty one asks for everything. Raises Refused: INVALID_QUERY."""
    if not query.strip():
        return Compiled(Filter({}))
    tree = parsed(query)
    compiler = _Compiler(properties, await _ids(tree, properties, find_ids))
    parts = tree.parts if isinstance(tree, Joined) and tree.word == "AND" else (tree,)
    whole = filter_of(properties.fields, None, [compiler.query(part) for part in parts])
    if not _names(tree, properties.elsewhere):
        return Compiled(whole)
    here = [compiler.query(part) for part in parts if not _names(part, properties.elsewhere)]
    beyond = [compiler.query(part) for part in parts if _names(part, properties.elsewhere)]
    return Compiled(filter_of(properties.fields, None, here), filter_of(properties.fields, None, beyond))


def _names(tree: Tree, names: Collection[str]) -> bool:
    return bool(names) and any(each.name in names for each in _comparisons(tree))


async def _ids(tree: Tree, properties: Properties, find_ids: FindIds) -> Ids:
    wanted: dict[str, set[int]] = {}
    for comparison in _comparisons(tree):
        known = properties.known.get(comparison.name)
        if known and known.column is Column.SERIAL:
            wanted.setdefault(known.of, set()).update(_serials(comparison))
    return {
        (collection, serial): found
        for collection, serials in wanted.items()
        for serial, found in (await find_ids(collection, serials)).items()
    }


def _comparisons(tree: Tree) -> Iterator[Comparison]:
    if isinstance(tree, Comparison):
        yield tree
    else:
        for part in tree.parts:
            yield from _comparisons(part)


def _serials(comparison: Comparison) -> list[int]:
    if comparison.operator not in {"=", "!=", "IN"}:
        raise mismatch(comparison)
    return [_serial(comparison, number_of(comparison, each)) for each in each_of(comparison.value)]


def _serial(comparison: Comparison, number: float) -> int:
    """The serial that a number is; one that nothing has for a fraction. Raises Refused: INVALID_QUERY."""
    if not -LONGEST_INTEGER <= number < LONGEST_INTEGER:
        raise mismatch(comparison)
    return int(number) if number == int(number) else NO_SERIAL


class _Compiler:
    def __init__(self, properties: Properties, ids: Ids) -> None:
        self._properties = properties
        self._ids = ids

    def query(self, tree: Tree) -> Query:
        if isinstance(tree, Joined):
            return {"$and" if tree.word == "AND" else "$or": [self.query(part) for part in tree.parts]}
        known = self._properties.known.get(tree.name)
        if known is None or (tree.column and not _fits(known, tree.column)):
            return self._custom(tree)
        return self._known(known, tree)

    def _known(self, known: Property, comparison: Comparison) -> Query:
        match known.column:
            case Column.SERIAL:
                return self._reference(known, comparison)
            case Column.ARCHIVED:
                return archived(known.path, comparison)
            case Column.PAIR:
                return {"metadata": {"$elemMatch": {"name": known.path, "value": text_condition(comparison)}}}
        return {known.path: CONDITIONS[known.column](comparison)}

    def _reference(self, known: Property, comparison: Comparison) -> Query:
        ids = [self._ids.get((known.of, serial), NO_ID) for serial in _serials(comparison)]
        if comparison.operator == "IN":
            return {known.path: {"$in": ids}}
        return {known.path: {COMPARED[comparison.operator]: ids[0]}}

    def _custom(self, comparison: Comparison) -> Query:
        name = comparison.name
        pair: Query = {"metadata": {"$elemMatch": {"name": name, "value": condition_of(comparison)}}}
        if self._properties.labels and type_of(comparison) is str and holds(comparison, ""):
            return {"$or": [{self._properties.labels: name}, pair]}
        return pair


def _fits(known: Property, suffix: str) -> bool:
    """Whether a property has the type of a suffix; else the suffix means a custom property of that name."""
    return known.column is Column.SCALAR or (known.column in {Column.TEXT, Column.PAIR} and suffix == "string_value")
