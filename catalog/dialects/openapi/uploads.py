"""Resumable uploads, as tus 1.0 has them."""

from catalog.dialects.openapi.operation import Operation, Who, bare, header
from catalog.dialects.openapi.parameters import header as asked
from catalog.dialects.openapi.schema import Schema, number, text
from catalog.dialects.v1.transfers import UPLOAD_REFUSALS
from catalog.dialects.v1.tus import LONGEST_METADATA, OCTETS, VERSION
from catalog.errors import (
    AMBIGUOUS,
    BODY_TOO_LARGE,
    CHECKSUM_MISMATCH,
    NOT_FOUND,
    OFFSET_CONFLICT,
    REQUEST,
    STORAGE_AWAY,
    TUS_VERSION,
    UPLOAD_BUSY,
    UPLOAD_EXPIRED,
    VERSION_CLOSED,
)

GROUP = "Resumable uploads"

SPOKEN = {"Tus-Resumable": header("the version of tus", {"const": VERSION})}
TOLD = {
    **SPOKEN,
    "Upload-Offset": header("how many bytes are here", {"type": "integer"}),
    "Upload-Expires": header("until when it can go on"),
    "Content-Location": header("the version, once all bytes are here"),
    "Catalog-Ordinal": header("how that is called"),
}

SPEAKS = asked("Tus-Resumable", "The version of tus.", {"const": VERSION}, required=True)
LENGTH = asked("Upload-Length", "The size of the file in bytes.", number())
CHECKSUM = asked("Upload-Checksum", "`sha256` or `sha1`, a space, and the chunk's digest in base64.")
NOTE = asked(
    "Upload-Metadata",
    "Keys with base64 behind them: `item` (an id or a name) and `filename`; as you like `kind`, `filetype`, "
    "`description`, `ordinal`, `sha256`, or `version` and `path` for a file of a draft.",
    text(longest=LONGEST_METADATA),
    required=True,
    example="item aXJpcw==,filename bW9kZWwub25ueA==",
)

OF_CHUNKS = (REQUEST, OFFSET_CONFLICT, UPLOAD_BUSY, CHECKSUM_MISMATCH, BODY_TOO_LARGE, VERSION_CLOSED, *UPLOAD_REFUSALS)
FOUND = (NOT_FOUND, UPLOAD_EXPIRED, TUS_VERSION)


def operations(prefix: str) -> list[Operation]:
    path, one = f"{prefix}/uploads", f"{prefix}/uploads/{{upload}}"
    return [
        Operation(
            method="post",
            path=path,
            name="beginUpload",
            group=GROUP,
            summary="Begin an upload",
            parameters=[
                SPEAKS,
                NOTE,
                LENGTH,
                asked("Upload-Defer-Length", "1: the size comes later.", {"const": "1"}),
                CHECKSUM,
            ],
            body=_chunk(required=False),
            answers={201: bare("It may begin.", TOLD | {"Location": header("where the bytes go")})},
            faults=(TUS_VERSION, AMBIGUOUS, *OF_CHUNKS),
        ),
        Operation(
            method="head",
            path=one,
            name="showUpload",
            group=GROUP,
            summary="Ask how far it is",
            parameters=[SPEAKS],
            answers={200: bare("So far.", TOLD | {"Upload-Length": header("the size of the file")})},
            faults=(*FOUND, UPLOAD_BUSY, *UPLOAD_REFUSALS),
        ),
        Operation(
            method="patch",
            path=one,
            name="addToUpload",
            group=GROUP,
            summary="Add to it; the last byte makes the version",
            details="A POST with `X-HTTP-Method-Override: PATCH` is the same.",
            parameters=[
                SPEAKS,
                asked("Upload-Offset", "Where these bytes begin.", number(), required=True, example=0),
                LENGTH,
                CHECKSUM,
            ],
            body=_chunk(required=True),
            answers={204: bare("So far.", TOLD)},
            faults=(*FOUND, *OF_CHUNKS),
        ),
        Operation(
            method="delete",
            path=one,
            name="forgetUpload",
            group=GROUP,
            summary="Forget it",
            parameters=[SPEAKS],
            answers={204: bare("It is forgotten.", SPOKEN)},
            faults=(*FOUND, UPLOAD_BUSY, STORAGE_AWAY),
        ),
        *(_offer(where, name) for where, name in ((path, "uploadOptions"), (one, "uploadOptionsOfOne"))),
        _blob(f"{prefix}/blobs/{{digest}}"),
    ]


def _blob(path: str) -> Operation:
    return Operation(
        method="head",
        path=path,
        name="sizeOfBytes",
        group="Links and bytes",
        summary="Ask whether the server has these bytes",
        details="The same 404 whether somebody else has them or nobody.",
        answers={200: bare("The caller may read them.", {"Content-Length": header("how many they are")})},
        faults=(NOT_FOUND,),
    )


def _chunk(*, required: bool) -> Schema:
    return {"required": required, "content": {OCTETS: {"schema": {}}}}


def _offer(path: str, name: str) -> Operation:
    told = {
        "Tus-Version": header("the versions of tus"),
        "Tus-Extension": header("what of it"),
        "Tus-Checksum-Algorithm": header("of `Upload-Checksum`"),
        "Tus-Max-Size": header("bytes of a file, if there is a limit", {"type": "integer"}),
    }
    return Operation(
        method="options",
        path=path,
        name=name,
        group=GROUP,
        summary="Ask what the server can do",
        who=Who.ANYBODY,
        answers={204: bare("This.", SPOKEN | told)},
    )
