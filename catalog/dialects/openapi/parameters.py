"""What stands in paths, query strings and headers."""

from typing import Any

from catalog.dialects.openapi.schema import Schema, text

IN_A_PATH = "^[^\\x00]+$"
"""Of a segment, before it is percent-encoded: then a slash in it is `%2F`, and no separator."""


def parameter(name: str, place: str, meaning: str, schema: Schema, **more: Any) -> Schema:
    return {"name": name, "in": place, "description": meaning, "schema": schema, **more}


def header(name: str, meaning: str, schema: Schema | None = None, **more: Any) -> Schema:
    return parameter(name, "header", meaning, schema or text(), **more)


def _path(name: str, meaning: str, example: str, **more: Any) -> Schema:
    schema = {"type": "string", "minLength": 1, "pattern": IN_A_PATH, **more}
    return parameter(name, "path", meaning, schema, required=True, example=example)


IN_PATHS = {
    "upload": _path("upload", "What the upload was called when it began.", "0" * 32),
    "digest": _path("digest", "`sha256:` and 64 hexadecimal digits.", f"sha256:{'0' * 64}"),
}
