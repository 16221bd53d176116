"""What stands in paths, query strings and headers."""

from typing import Any

from catalog.dialects.openapi.schema import Schema, number, text
from catalog.store.query.params import MOST

IN_A_PATH = "^[^\\x00]+$"
"""Of a segment, before it is percent-encoded: then a slash in it is `%2F`, and no separator."""


def parameter(name: str, place: str, meaning: str, schema: Schema, **more: Any) -> Schema:
    return {"name": name, "in": place, "description": meaning, "schema": schema, **more}


def query(name: str, meaning: str, schema: Schema | None = None, **more: Any) -> Schema:
    return parameter(name, "query", meaning, schema or text(), **more)


def header(name: str, meaning: str, schema: Schema | None = None, **more: Any) -> Schema:
    return parameter(name, "header", meaning, schema or text(), **more)


def _path(name: str, meaning: str, example: str, **more: Any) -> Schema:
    schema = {"type": "string", "minLength": 1, "pattern": IN_A_PATH, **more}
    return parameter(name, "path", meaning, schema, required=True, example=example)


IN_PATHS = {
    "key": _path(
        "key",
        "An id, a name (the caller's own item, else the only readable one), or owner/name. A slash is `%2F`.",
        "iris",
    ),
    "which": _path("which", "A version's ordinal, else the newest whose file has that name.", "1"),
    "path": _path("path", "A path within the version, such as data/model.onnx.", "model.onnx"),
    "upload": _path("upload", "What the upload was called when it began.", "0" * 32),
    "user": _path("user", "A user's id or username, percent-encoded.", "ada"),
    "id": _path("id", "An id.", "65a1b2c3d4e5f60718293a4b"),
    "name": _path("name", "A name.", "acme"),
    "word": _path("word", "The word itself, percent-encoded: a slash is `%2F`.", "flowers"),
    "token": _path("token", "What the link was answered with.", "eyJhbGciOi..."),
    "digest": _path("digest", "`sha256:` and 64 hexadecimal digits.", f"sha256:{'0' * 64}"),
}

IF_MATCH = header("If-Match", "Refuse when somebody changed it since this `ETag` was answered.", example='"1"')
IF_NONE_MATCH = header(
    "If-None-Match", "Answer 304 when it is still what this `ETag` was answered with.", example='"1"'
)
SAME = "It is what the client has."

CONDITIONS = (
    header("Range", "One range of bytes.", example="bytes=0-1023"),
    header("If-Range", "The `ETag` that the range belongs to."),
    header("If-None-Match", "Answer 304 when the file is this one."),
    header("If-Modified-Since", "Answer 304 when the file is not newer."),
    header("If-Match", "Refuse when the file is another one."),
    header("If-Unmodified-Since", "Refuse when the file is newer."),
)

DIGESTS = (
    query("sha256", "The file's digest, which is checked: 64 hexadecimal digits."),
    header("Repr-Digest", "The file's digest: `sha-256=:<base64>:` (RFC 9530). `Content-Digest` and `Digest`, too."),
)

FILE_NAME = query("name", "The name of a file that comes as the body itself; `Content-Disposition` may tell it, too.")
LIMIT = query("limit", f"How many at most: up to {MOST}.", number(default=10))
PAGE = query("page", "From 1.", number(least=1, default=1))
PAGED = (PAGE, LIMIT)
