"""The GET of a list, which is told the same way of every resource."""

from collections.abc import Sequence
from typing import Any

from catalog.dialects.openapi.answers import LISTED
from catalog.dialects.openapi.operation import JSON, Operation, Who, answered
from catalog.dialects.openapi.parameters import PAGED, query
from catalog.dialects.openapi.schema import Schema, any_of, flag, made_of, many, number, one_of, ref, text
from catalog.errors import EMPTY_BODY, NO_VALID_FIELDS, NOT_CHANGED, NOT_SEARCHED, Fault
from catalog.store.query.fields import Fields, Type
from catalog.store.query.patterns import LONGEST as LONGEST_PATTERN

COMPARED: dict[Type, Schema] = {
    Type.TEXT: text(),
    Type.ID: ref("Id"),
    Type.DATE: ref("Moment"),
    Type.NUMBER: {"type": "number"},
    Type.BOOLEAN: flag(),
    Type.SCALAR: {"type": ["string", "number", "boolean"]},
}
VERBOSE = query("verbose", "`false`: of a list, only how many were made.", text(default="true"))
"""Of a POST that takes a list."""

CHANGE_FAULTS = (EMPTY_BODY, NO_VALID_FIELDS, NOT_CHANGED)

DIRECTIONS = {"enum": ["asc", "desc", 1, -1]}

DETAILS = (
    "A page with totals, or, with `after`, a stretch of a walk by cursor. `filter`, `sort` and `select` are JSON. "
    "`metadata.<name>=gte:0.9` and the like are short for a filter, where there is metadata."
)


def listing(
    path: str, name: str, group: str, summary: str, of: str, *, who: Who = Who.USER, faults: Sequence[Fault] = ()
) -> Operation:
    """`of` is the name of what is listed, as in `answers.LISTED`."""
    return Operation(
        method="get",
        path=path,
        name=name,
        group=group,
        summary=summary,
        who=who,
        details=DETAILS,
        parameters=_parameters(of, LISTED[of][1]),
        answers={200: answered("A page, or a stretch.", any_of(ref(f"{of}Page"), ref(f"{of}Stretch")))},
        faults=(NOT_SEARCHED, *faults),
        is_filtered=True,
    )


def one_or_many(of: str) -> Schema:
    """The body of a POST that makes one thing, or each of a list of them."""
    return any_of(ref(of), many(ref(of), "At most LIMIT_ELEMENTS (1000). Each is made or refused on its own."))


def made_answers(made: str, plural: str) -> dict[int, Schema]:
    """What such a POST answers."""
    shown = any_of(ref(made), ref("MadeButNotShown"))
    kept = made_of({plural: many(shown), "errors": many(text(), "`Index: 1 (why)`")}, "To a list.")
    counted = made_of(
        {"saved": number(), "errors": number(), "Indexes": many(text())}, "To a list, with `verbose=false`."
    )
    return {
        200: answered("Made, all of it.", any_of(ref(made), kept, counted)),
        202: answered("Of a list some were refused.", any_of(kept, counted)),
    }


def filters() -> dict[str, Schema]:
    """The filters of every resource, and what they compare with, by their names."""
    conditions = {_named(kind): _condition(kind, value) for kind, value in COMPARED.items()}
    return conditions | {f"{of}Filter": _filter(f"{of}Filter", fields) for of, (_, fields) in LISTED.items()}


def _filter(name: str, fields: Fields) -> Schema:
    compared = {path: ref(_named(kind)) for path in fields if (kind := fields.field(path).type) in COMPARED}
    objects = {path: {"type": "object", "description": "`$elemMatch`"} for path in fields if path not in compared}
    operators = {operator: {**many(ref(name)), "minItems": 1} for operator in ("$and", "$or", "$nor")}
    return {"type": "object", "properties": compared | objects | operators, "additionalProperties": False}


def _named(kind: Type) -> str:
    return f"{kind.name.capitalize()}Condition"


def _condition(kind: Type, value: Schema) -> Schema:
    operators: dict[str, Schema] = dict.fromkeys(("$eq", "$ne", "$gt", "$gte", "$lt", "$lte"), value)
    operators |= {"$in": many(value), "$nin": many(value), "$exists": flag()}
    if kind is Type.TEXT:
        operators |= {"$regex": text("RE2", LONGEST_PATTERN), "$options": text(pattern="^[ims]*$")}
    return any_of(value, {"type": "object", "properties": operators, "minProperties": 1})


def _parameters(of: str, fields: Fields) -> list[Schema]:
    sort = dict.fromkeys(sorted(fields.sortable), DIRECTIONS)
    return [
        filtering(of),
        _json(
            "sort",
            "Fields, each `asc` or `desc`, the first one first.",
            {"type": "object", "properties": sort, "additionalProperties": False},
            {},
        ),
        selecting(fields),
        *PAGED,
        query("total", "`exact` counts to the end, however long that takes.", one_of(["exact"])),
        query("after", "Walk by cursor: nothing at first, then each `nextCursor`.", allowEmptyValue=True),
    ]


def selecting(fields: Fields) -> Schema:
    """The parameter that says which fields of a resource are shown."""
    select = sorted(fields.selectable)
    meaning = "The fields to show. Ids always come along, and what is no field selects nothing."
    return _json("select", meaning, many({"enum": select}), select[:2])


def filtering(of: str) -> Schema:
    """The parameter of a filter by the fields of a resource."""
    one = ref(f"{of}Filter")
    return _json("filter", "A filter, or a list of filters of which any may hold.", any_of(one, many(one)), {})


def _json(name: str, meaning: str, schema: Schema, example: Any) -> Schema:
    content = {JSON: {"schema": schema, "example": example}}
    return {"name": name, "in": "query", "description": meaning, "content": content}
