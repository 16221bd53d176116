"""Models, datasets and algorithms; the trash; the search."""

from collections.abc import Mapping
from typing import Any

from catalog.dialects.openapi.answers import FOUND, ITEM_SCHEMAS
from catalog.dialects.openapi.lists import (
    CHANGE_FAULTS,
    VERBOSE,
    filtering,
    listing,
    made_answers,
    one_or_many,
    selecting,
)
from catalog.dialects.openapi.operation import Operation, answered, bare, header, json_body
from catalog.dialects.openapi.parameters import IF_MATCH, IF_NONE_MATCH, LIMIT, SAME, query
from catalog.dialects.openapi.schema import Schema, any_of, flag, made_of, many, number, one_of, ref, text, with_
from catalog.domain.items.search import LONGEST
from catalog.errors import (
    AMBIGUOUS,
    BUSY,
    CANNOT_DELETE,
    CANNOT_MODIFY,
    CANNOT_READ,
    NOT_CREATED,
    NOT_DELETED,
    NOT_FOUND,
    NOT_SEARCHED,
    STALE,
)
from catalog.store.query import fields
from catalog.vocabulary import Kind, Status, Visibility

TRASH, SEARCH = "Trash", "Search"

REVISION = {"ETag": header("the revision, for `If-Match` and `If-None-Match`")}

CHANGE: Mapping[str, Any] = {"tags": {"add": ["flowers"], "remove": []}, "visibility": "public"}


def operations(prefix: str) -> list[Operation]:
    return [
        *(operation for kind in Kind for operation in _items(f"{prefix}/{kind}", kind)),
        *_trash(f"{prefix}/trash"),
        _search(f"{prefix}/search"),
    ]


def group_of(kind: Kind) -> str:
    return kind.capitalize()


def name_of(kind: Kind) -> str:
    return kind.one.capitalize()


def _items(path: str, kind: Kind) -> list[Operation]:
    group, name, one = group_of(kind), name_of(kind), f"{path}/{{key}}"
    example = {"name": "iris", "tags": ["flowers"], "metadata": [{"name": "accuracy", "value": 0.97}]}
    return [
        Operation(
            method="post",
            path=path,
            name=f"create{group}",
            group=group,
            summary=f"Make one of the {kind}, or several",
            parameters=[VERBOSE],
            body=json_body(one_or_many(f"{name}ToMake"), example),
            answers=made_answers(name, kind),
            faults=(NOT_CREATED, AMBIGUOUS),
        ),
        listing(path, f"list{group}", group, f"List the {kind} that one may read, newest first", name),
        Operation(
            method="get",
            path=one,
            name=f"show{name}",
            group=group,
            summary="Show it, with its versions",
            parameters=[selecting(fields.ITEMS[kind]), IF_NONE_MATCH],
            answers={
                200: answered("It, with its revision.", any_of(ref(name), ref(f"{name}InList")), REVISION),
                304: bare(SAME, REVISION),
            },
            faults=(NOT_FOUND, CANNOT_READ, NOT_SEARCHED),
        ),
        Operation(
            method="put",
            path=one,
            name=f"change{name}",
            group=group,
            summary="Change it",
            details="Its owner, or an administrator.",
            parameters=[IF_MATCH],
            body=json_body(ref(f"{name}Change"), CHANGE),
            answers={200: answered("It, as it is now.", ref(name), REVISION)},
            faults=(NOT_FOUND, CANNOT_MODIFY, STALE, BUSY, NOT_CREATED, *CHANGE_FAULTS),
        ),
        Operation(
            method="delete",
            path=one,
            name=f"remove{name}",
            group=group,
            summary="Remove it, into the trash",
            details="Its owner, or an administrator. A dataset in use is refused.",
            answers={200: answered("It, as it was.", ref(f"Removed{name}"))},
            faults=(NOT_FOUND, CANNOT_READ, CANNOT_DELETE, NOT_DELETED, BUSY),
        ),
    ]


def _trash(path: str) -> list[Operation]:
    restored = any_of(*(ref(name_of(kind)) for kind in Kind))
    return [
        listing(path, "listTrash", TRASH, "List what one has removed; administrators everything", "TrashEntry"),
        Operation(
            method="post",
            path=f"{path}/{{id}}/restore",
            name="restore",
            group=TRASH,
            summary="Bring it back",
            answers={200: answered("The item.", restored, REVISION)},
            faults=(NOT_FOUND, CANNOT_MODIFY, NOT_CREATED, BUSY),
        ),
        Operation(
            method="delete",
            path=f"{path}/{{id}}",
            name="purge",
            group=TRASH,
            summary="Remove it for good",
            answers={200: answered("What was known of it.", ref("TrashEntry"))},
            faults=(NOT_FOUND, CANNOT_DELETE, BUSY),
        ),
    ]


def _search(path: str) -> Operation:
    counts = {"type": "object", "additionalProperties": {"type": "integer"}}
    hits = [with_(ITEM_SCHEMAS[kind], FOUND) for kind in (Kind.MODEL, Kind.DATASET)]
    facets: dict[str, Schema] = dict.fromkeys(("kind", "status", "tag", "owner", "visibility"), counts)
    found = made_of(
        {
            "docs": many(any_of(*hits)),
            "limit": number(),
            "hasNextPage": flag(),
            "nextCursor": {"type": ["string", "null"]},
            "facets": made_of(facets, "of the first page's matches"),
            "facetsOf": number("how many were counted"),
        },
        optional=("facets", "facetsOf"),
    )
    return Operation(
        method="get",
        path=path,
        name="search",
        group=SEARCH,
        summary="Search everything that one may read, the best matches first",
        parameters=[
            query("q", "Plain text, in any case.", text(minLength=1, longest=LONGEST), required=True, example="iris"),
            query("kind", "Only these.", many(one_of(Kind))),
            query("status", "Only these.", one_of(Status)),
            query("visibility", "Only these.", one_of(Visibility)),
            query("owner", "Only his: an id or a username."),
            filtering(name_of(Kind.MODEL)),
            LIMIT,
            query("after", "The `nextCursor` of the answer before."),
        ],
        answers={200: answered("A stretch; fewer than `limit` are not the end of it.", found)},
        faults=(NOT_SEARCHED,),
        is_filtered=True,
    )
