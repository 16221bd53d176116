"""Versions, their files, links to them, and bytes that are here already."""

from catalog.dialects.openapi.items import REVISION, group_of, name_of
from catalog.dialects.openapi.lists import CHANGE_FAULTS, listing
from catalog.dialects.openapi.operation import (
    JSON,
    Operation,
    Who,
    answered,
    bare,
    handed_out,
    header,
    json_body,
)
from catalog.dialects.openapi.parameters import (
    CONDITIONS,
    DIGESTS,
    FILE_NAME,
    IF_MATCH,
    IF_NONE_MATCH,
    PAGED,
    SAME,
    query,
)
from catalog.dialects.openapi.schema import Schema, any_of, made_of, many, one_of, ref, text
from catalog.errors import (
    BUSY,
    BYTES_NEEDED,
    CANNOT_MODIFY,
    CANNOT_READ,
    DIGEST_MISMATCH,
    DOWNLOAD,
    LINK_INVALID,
    NOT_CHANGED,
    NOT_CREATED,
    NOT_FOUND,
    NOT_SEARCHED,
    QUARANTINED,
    QUOTA_EXCEEDED,
    RANGE_NOT_SATISFIABLE,
    REQUEST,
    STALE,
    STORAGE_AWAY,
    STORAGE_FULL,
    UNSAFE_FILE,
    VERSION_CLOSED,
    VERSION_DRAFT,
    Fault,
)
from catalog.vocabulary import Kind

LINKS = "Links and bytes"

OF_UPLOADS = (
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
OF_READING = (NOT_FOUND, CANNOT_READ)
OF_DOWNLOADS = (NOT_FOUND, RANGE_NOT_SATISFIABLE, STALE, REQUEST, DOWNLOAD, STORAGE_AWAY)

A_FILE = {
    "ETag": header("the SHA-256, in quotes"),
    "Content-Disposition": header("with the name"),
    "Repr-Digest": header("the SHA-256, as RFC 9530 has it; not of an archive"),
    "Accept-Ranges": header("`bytes`; of an archive `none`"),
}
ARCHIVE = query("archive", "All files in one archive.", one_of(["zip", "tar"]))


_VERIFIED = made_of(
    {
        "intact": {"type": "boolean"},
        "files": many(
            made_of(
                {
                    "path": text(),
                    "digest": text(),
                    "size": {"type": "integer", "minimum": 0},
                    "condition": one_of(["intact", "damaged", "missing"]),
                }
            )
        ),
    }
)


def operations(prefix: str) -> list[Operation]:
    of_kinds = (
        operation
        for kind in Kind
        for operation in (
            *_versions(f"{prefix}/{kind}/{{key}}/versions", kind),
            *_files(f"{prefix}/{kind}/{{key}}/versions/{{which}}", kind),
        )
    )
    return [*of_kinds, *_links(f"{prefix}/links/{{token}}"), _blob(f"{prefix}/blobs/{{digest}}")]


def _versions(path: str, kind: Kind) -> list[Operation]:
    group, name, one = group_of(kind), name_of(kind), f"{path}/{{which}}"
    record = answered("The version's record, with its revision.", ref("VersionRecord"), REVISION)
    return [
        Operation(
            method="post",
            path=path,
            name=f"add{name}Version",
            group=group,
            summary="Add a version: a file, a draft, or bytes that are here",
            details="A file is the part `file` of a form, or the body itself with its name beside it.",
            parameters=[
                FILE_NAME,
                query("ordinal", "How it is to be called; default: the next number."),
                query("description", "Of a file that is the body itself."),
                *DIGESTS,
            ],
            body=_file_or(any_of(ref("Draft"), ref("BytesThatAreHere"))),
            answers={
                200: answered("The item; of a draft, its record.", any_of(ref(name), ref("VersionRecord")), REVISION)
            },
            faults=(*OF_UPLOADS, BYTES_NEEDED),
        ),
        listing(path, f"list{name}Versions", group, "List its versions, newest first", "Version", faults=OF_READING),
        *_handed_out(one, f"{name}Version", group, "the file, or of a folder all files"),
        Operation(
            method="put",
            path=one,
            name=f"change{name}Version",
            group=group,
            summary="Change what is said of a version",
            parameters=[IF_MATCH],
            body=json_body(ref("VersionChange"), {"description": "the one of the paper", "state": "ARCHIVED"}),
            answers={200: record},
            faults=(NOT_FOUND, CANNOT_MODIFY, QUARANTINED, VERSION_DRAFT, STALE, BUSY, *CHANGE_FAULTS),
        ),
        Operation(
            method="delete",
            path=one,
            name=f"remove{name}Version",
            group=group,
            summary="Remove a version",
            answers={200: answered("The item, without it.", ref(name), REVISION)},
            faults=(NOT_FOUND, CANNOT_MODIFY),
        ),
        Operation(
            method="get",
            path=f"{one}/info",
            name=f"show{name}Version",
            group=group,
            summary="Show a version's record",
            parameters=[IF_NONE_MATCH],
            answers={200: record, 304: bare(SAME, REVISION)},
            faults=OF_READING,
        ),
        Operation(
            method="get",
            path=f"{one}/verify",
            name=f"verify{name}Version",
            group=group,
            summary="Compare its files in the storage with their digests",
            details="All bytes are read. What is found damaged is asked for, and replaced, when it is sent again.",
            answers={200: answered("What became of each file.", _VERIFIED)},
            faults=(*OF_READING, QUARANTINED, STORAGE_AWAY),
        ),
        Operation(
            method="post",
            path=f"{one}/link",
            name=f"link{name}Version",
            group=group,
            summary="Make a link that needs no token",
            body=json_body(ref("LinkToMake"), {"expires_in": 300}, required=False),
            answers={
                200: answered("The link.", made_of({"url": text(), "token": text(), "expires": ref("Moment")})),
            },
            faults=(NOT_CREATED, NOT_FOUND, CANNOT_READ, QUARANTINED, VERSION_DRAFT),
        ),
    ]


def _files(path: str, kind: Kind) -> list[Operation]:
    group, name, one = group_of(kind), name_of(kind), f"{path}/files/{{path}}"
    file = answered("The file's record.", ref("File"))
    return [
        Operation(
            method="get",
            path=f"{path}/files",
            name=f"list{name}Files",
            group=group,
            summary="List the files of a version",
            parameters=PAGED,
            answers={200: answered("A page.", ref("FilePage"))},
            faults=(NOT_SEARCHED, *OF_READING),
        ),
        *_handed_out(one, f"{name}File", group, "one file of a version"),
        Operation(
            method="put",
            path=one,
            name=f"put{name}File",
            group=group,
            summary="Put a file into a draft",
            parameters=DIGESTS,
            details="Without a body the file is empty.",
            body=_file_or(None) | {"required": False},
            answers={200: file},
            faults=(*OF_UPLOADS, VERSION_CLOSED),
        ),
        Operation(
            method="delete",
            path=one,
            name=f"drop{name}File",
            group=group,
            summary="Remove a file from a draft",
            answers={200: file},
            faults=(NOT_FOUND, CANNOT_MODIFY, VERSION_CLOSED, BUSY),
        ),
        Operation(
            method="post",
            path=f"{path}/close",
            name=f"close{name}Version",
            group=group,
            summary="Make the draft a version",
            answers={200: answered("Its record.", ref("VersionRecord"), REVISION)},
            faults=(NOT_FOUND, CANNOT_MODIFY, VERSION_CLOSED, NOT_CHANGED, BUSY),
        ),
    ]


def _links(path: str) -> list[Operation]:
    return _handed_out(path, "Linked", LINKS, "what a link leads to", who=Who.ANYBODY, faults=(LINK_INVALID,))


def _blob(path: str) -> Operation:
    return Operation(
        method="head",
        path=path,
        name="sizeOfBytes",
        group=LINKS,
        summary="Ask whether the server has these bytes",
        details="The same 404 whether somebody else has them or nobody.",
        answers={200: bare("The caller may read them.", {"Content-Length": header("how many they are")})},
        faults=(NOT_FOUND,),
    )


def _handed_out(
    path: str,
    name: str,
    group: str,
    what: str,
    *,
    who: Who = Who.USER,
    faults: tuple[Fault, ...] = (CANNOT_READ, QUARANTINED, VERSION_DRAFT),
) -> list[Operation]:
    """GET and HEAD of a file."""
    archived = () if path.endswith("/files/{path}") else (ARCHIVE,)
    got = {
        200: handed_out("The file.", A_FILE),
        206: handed_out("The range.", A_FILE | {"Content-Range": header("which one of how many bytes")}),
        304: bare("The client has it."),
        307: bare("The storage itself hands it out.", {"Location": header("where, for some minutes")}),
    }
    asked = {200: bare("What GET would answer with.", A_FILE), 304: bare("The client has it.")}
    said = (("get", "fetch", "Fetch", got), ("head", "lookAt", "Look at", asked))
    return [
        Operation(
            method=method,
            path=path,
            name=f"{verb}{name}",
            group=group,
            summary=f"{word} {what}",
            who=who,
            parameters=[*archived, *CONDITIONS],
            answers=answers,
            faults=(*OF_DOWNLOADS, *faults),
        )
        for method, verb, word, answers in said
    ]


def _file_or(json: Schema | None) -> Schema:
    content: Schema = {
        "multipart/form-data": {"schema": ref("FileForm")},
        "application/octet-stream": {"schema": {}},
    }
    if json:
        content[JSON] = {"schema": json, "example": {"draft": True, "ordinal": "v2"}}
    return {"required": True, "content": content}
