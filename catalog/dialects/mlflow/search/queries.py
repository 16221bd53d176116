"""Conditions of MLflow's filters as filters of the store.

A tag is a metadata pair; a native tag is one with an empty value. A model without the tag `mlflow.prompt.is_prompt` is
no prompt, and searches leave prompts out that do not ask for them.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime

from catalog.dialects.mlflow.search.filters import Condition
from catalog.dialects.mlflow.translation.stages import stage_of
from catalog.domain import naming
from catalog.errors import INVALID_QUERY, Refused
from catalog.store.query.filters.patterns import like
from catalog.store.records import Query, Value

PROMPT = "mlflow.prompt.is_prompt"

OwnVersion = Callable[[str], str | None]

_ORDERED = {"=": "$eq", "!=": "$ne", "<": "$lt", "<=": "$lte", ">": "$gt", ">=": "$gte"}
_LATEST_MOMENT = 253_402_300_799_000  # the end of the year 9999

_TEXTS = {"name": "name", "run_id": "run.id"}
_MOMENTS = {"creation_timestamp": "timestamp", "last_updated_timestamp": "lastmod"}


def asks_for_prompts(conditions: Iterable[Condition]) -> bool:
    return any(
        each.is_tag and each.key == PROMPT and (each.operator, each.value) == ("=", "true") for each in conditions
    )


def shown(conditions: Sequence[Condition]) -> list[Condition]:
    """The conditions, with one that leaves out prompts unless these ask for them."""
    if asks_for_prompts(conditions):
        return list(conditions)
    return [*conditions, Condition(PROMPT, "!=", "true", is_tag=True)]


def of_models(conditions: Iterable[Condition]) -> list[Query]:
    """Filters of items. Raises Refused: INVALID_QUERY."""
    return [_tag(each, has_tags=True) if each.is_tag else _of_model(each) for each in conditions]


def of_versions(conditions: Iterable[Condition], own_version: OwnVersion) -> list[Query]:
    """Filters of versions, of the conditions that are not about the model or an alias.

    `own_version` returns the id of the version whose files a source is an address of. Raises Refused: INVALID_QUERY.
    """
    return [
        _tag(each, has_tags=False) if each.is_tag else _of_version(each, own_version)
        for each in conditions
        if each.is_tag or each.key not in {"name", "alias"}
    ]


def of_the_models(conditions: Iterable[Condition]) -> list[Query]:
    """Filters of the items of versions, without names that are resolved one by one. Raises Refused: INVALID_QUERY."""
    return [
        _of_model(each)
        for each in conditions
        if not each.is_tag and each.key == "name" and each.operator not in {"=", "IN"}
    ]


def aliases_of(conditions: Iterable[Condition]) -> list[frozenset[str]]:
    """For each condition on an alias: the names, one of which a version must have."""
    wanted = [each.value for each in conditions if not each.is_tag and each.key == "alias"]
    return [frozenset(value if isinstance(value, tuple) else (str(value),)) for value in wanted]


def _of_model(condition: Condition) -> Query:
    if condition.key == "alias":
        values = condition.value if isinstance(condition.value, tuple) else (condition.value,)
        return {"aliases.name": {"$in": list(values)}}
    if condition.key in _MOMENTS:
        return _moment(condition)
    return _text(_TEXTS[condition.key], condition)


def _of_version(condition: Condition, own_version: OwnVersion) -> Query:
    if condition.key == "source_path":
        return _source(condition, own_version)
    if condition.key == "version_number":
        return {"number": {_ORDERED[condition.operator]: condition.value}}
    if condition.key == "stage":
        values = condition.value if isinstance(condition.value, tuple) else (str(condition.value),)
        stages = tuple(stage_of(value).value for value in values)
        return _choice("stage", condition, stages if isinstance(condition.value, tuple) else stages[0])
    if condition.key in _MOMENTS:
        return _moment(condition)
    return _text(_TEXTS[condition.key], condition)


def _source(condition: Condition, own_version: OwnVersion) -> Query:
    """A source is what a client named (`origin`), else the address of bytes elsewhere, or one of this server."""
    if condition.operator == "=" and (version := own_version(str(condition.value))):
        return {"$or": [{"_id": version}, {"origin": condition.value}]}
    matched = _of_text(condition)
    if condition.operator == "!=":
        return {"uri": matched, "origin": matched}
    return {"$or": [{"uri": matched}, {"origin": matched}]}


def _choice(field: str, condition: Condition, value: object) -> Query:
    operators = {"=": "$eq", "!=": "$ne", "IN": "$in", "NOT IN": "$nin"}
    return {field: {operators[condition.operator]: list(value) if isinstance(value, tuple) else value}}


def _moment(condition: Condition) -> Query:
    """A moment in milliseconds. The store compares whole milliseconds, as MLflow does."""
    value = int(condition.value)  # type: ignore[arg-type]
    bound = datetime.fromtimestamp(min(max(0, value), _LATEST_MOMENT) / 1000, UTC)
    return {_MOMENTS[condition.key]: {_ORDERED[condition.operator]: bound.isoformat(timespec="milliseconds")}}


def _text(field: str, condition: Condition) -> Query:
    return {field: _of_text(condition, spellings=field == "name")}


def _of_text(condition: Condition, *, spellings: bool = False) -> Query:
    value = condition.value
    values = [value] if isinstance(value, str) else list(value)  # type: ignore[arg-type]
    if spellings:
        values = [spelling for each in values for spelling in naming.spellings(each)]
    match condition.operator:
        case "=" | "IN":
            return {"$in": values} if len(values) > 1 else {"$eq": values[0]}
        case "!=" | "NOT IN":
            return {"$nin": values}
    return like(str(value), ignores_case=condition.operator == "ILIKE")


def _tag(condition: Condition, *, has_tags: bool) -> Query:
    key, value = condition.key, str(condition.value)
    if key == PROMPT and (condition.operator, value) in {("!=", "true"), ("=", "false")}:
        return {"metadata": {"$not": {"$elemMatch": {"name": PROMPT, "value": "true"}}}}
    matched = next(iter(_alternatives(condition)))
    pair: Query = {"metadata": {"$elemMatch": {"name": key, "value": matched}}}
    if has_tags and _is_true_of_empty(condition):
        return {"$or": [pair, {"tags": key, "metadata.name": {"$ne": key}}]}
    return pair


def _alternatives(condition: Condition) -> Iterator[Query]:
    """The value of a pair. A native number or boolean counts as the text that shows it."""
    if condition.operator in {"=", "!="}:
        values: list[object] = [condition.value, *native_values(str(condition.value))]
        if condition.operator == "!=":
            yield {"$nin": values}
        else:
            yield {"$in": values} if len(values) > 1 else {"$eq": values[0]}
    else:
        yield like(str(condition.value), ignores_case=condition.operator == "ILIKE")


def native_values(text: str) -> list[int | float]:
    """The number or boolean that is shown as this text."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return []
    if isinstance(value, int | float) and shown_value(value) == text and abs(value) < 1 << 63:
        return [value]
    return []


def shown_value(value: Value) -> str:
    """A metadata value as the text of a tag."""
    return value if isinstance(value, str) else json.dumps(value)


def _is_true_of_empty(condition: Condition) -> bool:
    """Whether a tag with an empty value matches."""
    value = str(condition.value)
    match condition.operator:
        case "=":
            return value == ""
        case "!=":
            return value != ""
    return not value.strip("%")


def refuse_page_size(size: int, most: int) -> int:
    """Raises Refused: INVALID_QUERY."""
    if not 1 <= size <= most:
        raise Refused(INVALID_QUERY, f"Invalid value {size} for parameter 'max_results': it must be from 1 to {most}")
    return size
