"""What the document says of the routes that carry files: their bodies, parameters, headers and refusals."""

from litestar.datastructures import ResponseHeader

from catalog.dialects.http.docs.parameters import header, query
from catalog.dialects.http.docs.refusals import answers, answers_part, refuses
from catalog.dialects.http.requests.injection import RouteOptions
from catalog.dialects.http.transfers.version_files import MOST_TOGETHER
from catalog.domain.versions.drafts import batches
from catalog.errors import (
    BUSY,
    CANNOT_MODIFY,
    CANNOT_READ,
    DIGEST_MISMATCH,
    DOWNLOAD,
    NOT_CREATED,
    NOT_FOUND,
    QUARANTINED,
    QUOTA_EXCEEDED,
    RANGE_NOT_SATISFIABLE,
    REQUEST,
    STALE,
    STORAGE_AWAY,
    STORAGE_FULL,
    UNSAFE_FILE,
    VERSION_DRAFT,
    Fault,
)
from catalog.vocabulary import Stage

UPLOAD_REFUSALS = (
    NOT_CREATED,
    NOT_FOUND,
    CANNOT_MODIFY,
    DIGEST_MISMATCH,
    QUOTA_EXCEEDED,
    STORAGE_FULL,
    STORAGE_AWAY,
    UNSAFE_FILE,
    BUSY,
)
DOWNLOAD_REFUSALS = (NOT_FOUND, RANGE_NOT_SATISFIABLE, STALE, REQUEST, DOWNLOAD, STORAGE_AWAY)
CONTENT_REFUSALS = (CANNOT_READ, QUARANTINED, VERSION_DRAFT)
"""How a user is refused the content of a version."""

JSON_TEXT = {"type": "string", "contentMediaType": "application/json"}

STRICT = "`true`: refuse a file in which the inspection finds a threat, regardless of the tenant's policy."

DETAILS = (
    query("author", "Who made the version, as a text."),
    query("stage", "Where it stands.", {"type": "string", "enum": [str(stage) for stage in Stage]}),
    query("archived", "`true`: it is left out of lists.", {"type": "string", "enum": ["true", "false"]}),
    query("external_id", "Its id in another system, unique among the versions of the item."),
    query("run_id", "The training run that made it."),
    query("run_link", "Where that run is shown."),
    query("strict", STRICT, {"type": "string", "enum": ["true", "false"]}),
    query("metadata", "Pairs of name and value, as JSON.", JSON_TEXT),
    query("inputs", "References to the versions that it was made from, as JSON.", JSON_TEXT),
)
"""What is said of a version beside its file. A form may have parts of these names instead."""

DETAIL_NAMES = tuple(parameter["name"] for parameter in DETAILS)

ONE_FILE: dict[str, object] = {
    "multipart/form-data": {
        "schema": {
            "type": "object",
            "properties": {
                "file": {"type": "string", "contentMediaType": "application/octet-stream"},
                "description": {"type": "string"},
                **{parameter["name"]: parameter["schema"] for parameter in DETAILS},
            },
            "required": ["file"],
            "additionalProperties": True,
            "description": "Other parts are ignored.",
        }
    },
    "application/octet-stream": {"schema": {}},
}
"""The content of a request that carries a file."""

LARGEST_BATCH = 64 * 2**20
"""Bytes of a request with many files."""

MANY_FILES: dict[str, object] = {
    "multipart/form-data": {
        "schema": {
            "type": "object",
            "additionalProperties": {"type": "string", "contentMediaType": "application/octet-stream"},
            "description": f"At most {batches.MOST_FILES} files of at most {batches.LARGEST_FILE} bytes each, and "
            f"{LARGEST_BATCH} bytes together. The file name of a part is its path.",
        }
    }
}
"""The content of a request with many files."""

DIGESTS = (
    query("sha256", "The digest of the file, which is checked: 64 hexadecimal digits."),
    header("Repr-Digest", "The digest of the file: `sha-256=:<base64>:` (RFC 9530); also `Content-Digest`, `Digest`."),
)
FILE_NAME = query("name", "The name of a file that is the body itself; or send `Content-Disposition`.")
ARCHIVE = query(
    "archive",
    "All files in one archive: `zip`, `tar`, or a name that ends so, such as `iris.zip`.",
    {"type": "string", "pattern": "^(.*\\.)?(zip|tar)$"},
)
PART = (
    query("skip", "Of an archive: leave out so many of the first files, by path.", {"type": "integer", "minimum": 0}),
    query(
        "limit",
        "Of an archive: how many files it has. With it, many small files come in few requests.",
        {"type": "integer", "minimum": 1, "maximum": MOST_TOGETHER},
    ),
)

CONDITIONS = (
    header("Range", "One range of bytes.", example="bytes=0-1023"),
    header("If-Range", "The `ETag` that the range belongs to."),
    header("If-None-Match", "Answer 304 if the file is this one."),
    header("If-Modified-Since", "Answer 304 if the file is not newer."),
    header("If-Match", "Refuse if the file is another one."),
    header("If-Unmodified-Since", "Refuse if the file is newer."),
)

FILE_HEADERS = {
    "ETag": "The SHA-256, in quotes.",
    "Content-Disposition": "The name of the file.",
    "Repr-Digest": "The SHA-256 (RFC 9530); not of an archive.",
    "Accept-Ranges": "`bytes`; of an archive `none`.",
    "Content-Range": "Of a range: which bytes of how many.",
    "Location": "Of a redirect: where the bytes are; in the storage, for some minutes.",
}


def downloading(*faults: Fault, is_archive: bool) -> RouteOptions:
    """The options of the GET and HEAD of a file, beside its names. `is_archive`: of all files of a folder."""
    return {
        "parameters": [*((ARCHIVE, *PART) if is_archive else ()), *CONDITIONS],
        "media_types": ("*/*",),
        "response_description": "The file.",
        "response_headers": [
            ResponseHeader(name, documentation_only=True, description=description)
            for name, description in FILE_HEADERS.items()
        ],
        "responses": answers_part(206, "The range.")
        | answers(304, None, "The client has the file.")
        | (answers(303, None, "The bytes are kept elsewhere.") if is_archive else {})
        | answers(307, None, "The storage itself serves the file.")
        | refuses(*DOWNLOAD_REFUSALS, *faults),
    }
