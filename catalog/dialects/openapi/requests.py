"""What clients send, by the names that it has in the document. The domain's forms read the same."""

from catalog.dialects.openapi.schema import Schema, any_of, form, many, needed, number, one_of, ref, text, written
from catalog.domain.files.filenames import LONGEST_PATH
from catalog.domain.limits import LONGEST_DESCRIPTION, LONGEST_INTEGER, LONGEST_NAME, Limits
from catalog.domain.versions.links import LONGEST, SHORTEST
from catalog.domain.versions.numbering import LONGEST_ORDINAL
from catalog.vocabulary import VersionState

BYTES = number("bytes, without quotes", maximum=LONGEST_INTEGER - 1)
STATES = [VersionState.LIVE, VersionState.ARCHIVED]


def components(limits: Limits) -> dict[str, Schema]:
    """Every schema that a request may be made of, by its name."""
    return {
        **versions(limits),
        "PairToSet": pair(limits),
    }


def versions(limits: Limits) -> dict[str, Schema]:
    told = {
        "ordinal": written("how the version is to be called; default: the next number", LONGEST_ORDINAL),
        "description": written(longest=LONGEST_DESCRIPTION),
        "metadata": many(ref("PairToSet"), most=limits.metadata),
    }
    return {
        "FileForm": {
            "type": "object",
            "properties": {
                "file": {"type": "string", "contentMediaType": "application/octet-stream"},
                "description": text(),
            },
            "required": ["file"],
            "additionalProperties": True,
            "description": "Other parts are passed over.",
        },
        "Draft": form(
            {"draft": {"type": "boolean", "const": True}, **told},
            "A version whose files come one by one.",
            required=("draft",),
        ),
        "BytesThatAreHere": form(
            {
                "digest": text(pattern="^(sha256:)?[0-9a-fA-F]{64}$"),
                "size": BYTES,
                "name": needed("of the file", LONGEST_NAME),
                "mimetype": written(longest=LONGEST_NAME),
                **told,
            },
            "A version of bytes that the catalog stores already, in a file that the caller may read.",
            required=("digest", "name"),
        ),
        "VersionChange": form(
            {
                "description": written(longest=LONGEST_DESCRIPTION),
                "metadata": _pairs(limits),
                "state": one_of(STATES),
            },
            minProperties=1,
        ),
        "LinkToMake": form(
            {
                "expires_in": number(
                    "seconds; default: 300", int(SHORTEST.total_seconds()), maximum=int(LONGEST.total_seconds())
                ),
                "path": written("one file of a folder", LONGEST_PATH),
            }
        )
        | {"default": {}},
    }


def pair(limits: Limits) -> Schema:
    value = any_of(
        written(longest=limits.metadata_value),
        number(least=-LONGEST_INTEGER, maximum=LONGEST_INTEGER - 1),
        {"type": ["number", "boolean"]},
    )
    name = needed(longest=limits.metadata_name)
    properties = {"name": name, "value": value, "_id": {"description": "passed over"}}
    return {
        "type": "object",
        "properties": properties,
        "required": ["name", "value"],
        "additionalProperties": False,
    }


def _key(limits: Limits) -> Schema:
    return text(longest=max(LONGEST_NAME, limits.name), minLength=1, pattern="^[^\\x00]+$")


def _delta(each: Schema, most: int, removed: Schema | None = None) -> Schema:
    return form({"remove": many(removed or each, most=most), "add": many(each, most=most)})


def _pairs(limits: Limits) -> Schema:
    """A pair is removed by itself, or by its name alone."""
    name = needed(longest=limits.metadata_name)
    named = {"type": "object", "properties": {"name": name}, "required": ["name"], "additionalProperties": False}
    return _delta(ref("PairToSet"), limits.metadata, any_of(name, named, ref("PairToSet")))
