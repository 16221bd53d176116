"""What the server sends, by the names that it has in the document. Written as `v1.shapes` and `v1.wire` write it."""

from catalog.dialects.openapi.schema import (
    Schema,
    any_of,
    flag,
    made_of,
    many,
    number,
    one_of,
    or_null,
    part_of,
    ref,
    text,
    with_,
)
from catalog.store.query import fields
from catalog.store.query.fields import Fields
from catalog.vocabulary import Kind, Role, Scope, Status, VersionState, Visibility

REFUSAL = made_of(
    {
        "status": number("the status of the answer"),
        "value": number("the stable number of the refusal, to program against"),
        "message": text("what that number stands for"),
        "details": text("what was wrong this time"),
    },
    "Why the server did not do what was asked.",
    optional=("details",),
)

ID = text(pattern="^[0-9a-f]{24}$")
MOMENT = text(format="date-time")
DIGEST = text("SHA-256; of a draft nothing yet", pattern="^([0-9a-f]{64})?$")

USER = made_of(
    {
        "validityPasswordDays": number("days that a password lasts, 0: for ever"),
        "_id": ref("Id"),
        "username": text(),
        "email": text(),
        "role": one_of(Role),
        "createdPassword": ref("Moment"),
    },
    optional=("email",),
)
COLLEAGUE = made_of({"_id": ref("Id"), "username": text()}, "A user, as other users see one.")
DATES = {"timestamp": ref("Moment"), "lastmod": ref("Moment")}

ACCESS_TOKEN = made_of(
    {
        "_id": ref("Id"),
        "name": text(),
        "user": ref("Id"),
        "scopes": many(one_of(Scope)),
        "timestamp": ref("Moment"),
        "expires": ref("Moment"),
        "used": any_of(ref("Moment"), {"type": "null"}),
    },
    "A personal access token, without the token itself.",
)

PAIR = made_of({"name": text(), "value": {"type": ["string", "number", "boolean"]}})

VERSION = made_of(
    {
        "ordinal": text("how the version is called"),
        "key": ref("Id"),
        "original": text("the name of its file; of a folder, of the archive that it is fetched as"),
        "encoding": text(),
        "mimetype": text(),
        "size": number("bytes, of all files together"),
        "description": text(),
        "timestamp": ref("Moment"),
        "digest": ref("Digest"),
        "state": one_of(VersionState),
        "file_count": number("of a folder only"),
        "description_truncated": flag(
            "the description is longer; the version's own record has the whole of it", const=True
        ),
    },
    "A version, as its item shows it.",
    optional=("file_count", "description_truncated"),
)
FILE = made_of(
    {
        "path": text("within the version"),
        "original": text("the name of the file"),
        "size": number("bytes"),
        "digest": ref("Digest"),
        "mimetype": text(),
        "encoding": text(),
        "format": text("what an inspection recognised"),
        "verdict": text("what it found"),
    },
    optional=("format", "verdict"),
)
INSPECTION = made_of(
    {
        "format": text(),
        "summary": {"type": "object", "description": "what the format's header tells"},
        "findings": many({"type": "object"}),
        "verdict": text("the sentence for people"),
        "inspected": ref("Moment"),
    },
    "What was found inside of the files. Nothing is ever called safe.",
)
LISTED_VERSION = with_(
    VERSION,
    {
        "_id": ref("Id"),
        "folder": flag("made of files with paths"),
        "file_count": number(),
        "metadata": many(ref("Pair")),
        "owner": ref("Id"),
        "lastmod": ref("Moment"),
        "inspection": any_of(ref("Inspection"), {"type": "null"}),
    },
    "A version, without the files of a folder.",
)
VERSION_RECORD = with_(LISTED_VERSION, {"files": many(ref("File"))}, "A version, with its files.")

ITEM = made_of(
    {
        "users": many(any_of(ref("User"), ref("Colleague")), "who may read it besides its owner"),
        "visibility": one_of(Visibility),
        "tags": many(text()),
        "_id": ref("Id"),
        "name": text(),
        "description": text(),
        "metadata": many(ref("Pair")),
        "owner": ref("Id"),
        "versions": many(ref("Version"), "the newest 100, their descriptions cut after 1000 characters"),
        "versionsTotal": number("how many versions there are"),
        "timestamp": ref("Moment"),
        "lastmod": ref("Moment"),
    }
)
TRAINED = with_(
    ITEM,
    {
        "datasets": many(any_of(ref("Dataset"), ref("Id")), "an id only for what the caller may not read"),
        "status": one_of(Status),
    },
)
ITEM_SCHEMAS: dict[Kind, Schema] = {Kind.MODEL: TRAINED, Kind.DATASET: ITEM, Kind.ALGORITHM: TRAINED}

REMOVED = made_of(
    {
        "_id": ref("Id"),
        "kind": one_of(Kind),
        "name": text(),
        "owner": ref("Id"),
        "removed_by": ref("Id"),
        "removed": ref("Moment"),
        "until": ref("Moment"),
    },
    "An item in the trash.",
)

FOUND = {"kind": one_of(Kind)}


def components() -> dict[str, Schema]:
    """Every schema that an answer may be made of, by its name."""
    return {
        "Refusal": REFUSAL,
        "Id": ID,
        "Moment": MOMENT,
        "Digest": DIGEST,
        "User": USER,
        "Colleague": COLLEAGUE,
        "AccessToken": ACCESS_TOKEN,
        "NewAccessToken": with_(ACCESS_TOKEN, {"token": text("shown this once")}),
        "Pair": PAIR,
        "Version": VERSION,
        "File": FILE,
        "FilePage": page(ref("File")),
        "Inspection": INSPECTION,
        "VersionRecord": VERSION_RECORD,
        **{_name(kind): schema for kind, schema in ITEM_SCHEMAS.items()},
        **{f"Removed{_name(kind)}": _bare(schema) for kind, schema in ITEM_SCHEMAS.items()},
        "TrashEntry": REMOVED,
        "MadeButNotShown": made_of(
            {"_id": text(), "truncated": flag(const=True)}, "One of many, after the first 8 MiB of the answer."
        ),
        **_lists(),
    }


def _lists() -> dict[str, Schema]:
    """A page of each resource, and the elements of it."""
    found: dict[str, Schema] = {}
    for name, (schema, declared) in LISTED.items():
        found[f"{name}InList"] = part_of(schema, declared.always, "`select` may leave out some of it.")
        found[f"{name}Page"] = page(ref(f"{name}InList"))
        found[f"{name}Stretch"] = _stretch(ref(f"{name}InList"))
    return found


def page(each: Schema) -> Schema:
    return made_of(
        {
            "docs": many(each),
            "totalDocs": number("how many there are; at least, where `totalIsExact` is false"),
            "totalIsExact": flag("false, or left out", const=False),
            "limit": number(),
            "totalPages": number(),
            "page": number(),
            "pagingCounter": number("the place of the first one", None),
            "hasPrevPage": flag(),
            "hasNextPage": flag(),
            "prevPage": or_null(number()),
            "nextPage": or_null(number()),
            "truncated": flag("The page ends early: its answer would be too large.", const=True),
            "nextCursor": text("goes on where a truncated page ends, with `after`"),
        },
        optional=("totalIsExact", "truncated", "nextCursor"),
    )


def _stretch(each: Schema) -> Schema:
    return made_of(
        {
            "docs": many(each),
            "limit": number(),
            "hasNextPage": flag(),
            "nextCursor": {"type": ["string", "null"], "description": "goes into `after`"},
        },
        "What `after` answers.",
    )


def _bare(schema: Schema) -> Schema:
    """An item with ids where others are meant."""
    ids = {name: many(ref("Id")) for name in ("users", "datasets") if name in schema["properties"]}
    return schema | {"properties": schema["properties"] | ids}


def _name(kind: Kind) -> str:
    return kind.one.capitalize()


LISTED: dict[str, tuple[Schema, Fields]] = {
    **{_name(kind): (schema, fields.ITEMS[kind]) for kind, schema in ITEM_SCHEMAS.items()},
    "AccessToken": (ACCESS_TOKEN, fields.ACCESS_TOKENS),
    "Version": (LISTED_VERSION, fields.VERSIONS),
    "TrashEntry": (REMOVED, fields.TRASH),
}
"""What is asked for in lists: how one is shown, and the fields that may be asked about."""
