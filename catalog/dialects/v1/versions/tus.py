"""The headers of tus 1.0 (https://tus.io/protocols/resumable-upload), read and written, with creation,
creation-with-upload, creation-defer-length, checksum, termination and expiration.
"""

import hashlib
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from hmac import compare_digest
from urllib.parse import quote

from catalog.blobs.protocol import FileHead
from catalog.dialects.http.requests.headers import as_hex, http_date
from catalog.dialects.http.requests.injection import AnyRequest
from catalog.dialects.http.transfers.uploads import ReceivedBody, read
from catalog.dialects.v1.requests.version_bodies import upload_details
from catalog.domain.files.filenames import file_name, media_type
from catalog.domain.files.resumable import UploadProgress
from catalog.domain.files.uploads import UploadRequest
from catalog.domain.limits import LONGEST_DESCRIPTION
from catalog.errors import BODY_TOO_LARGE, CHECKSUM_MISMATCH, NOT_CREATED, REQUEST, TUS_VERSION, Refused
from catalog.store.records import UploadRecord
from catalog.vocabulary import Kind

VERSION = "1.0.0"
OCTETS = "application/offset+octet-stream"
EXTENSIONS = "creation,creation-with-upload,creation-defer-length,checksum,termination,expiration"
ALGORITHMS = ("sha256", "sha1")
CHECKED = 16 * 2**20
"""Bytes of a chunk with a checksum, which stays in memory until the checksum is compared."""

LONGEST_METADATA = 16 * 1024  # characters

READ_BY_BROWSERS = (
    "Location",
    "Content-Location",
    "Tus-Resumable",
    "Tus-Version",
    "Tus-Extension",
    "Tus-Max-Size",
    "Tus-Checksum-Algorithm",
    "Upload-Offset",
    "Upload-Length",
    "Upload-Defer-Length",
    "Upload-Metadata",
    "Upload-Expires",
    "Catalog-Ordinal",
)
"""Headers that a page of another origin sees only when CORS exposes them."""


@dataclass(frozen=True, slots=True)
class NewUpload:
    """An upload that a client wants to begin, for an item that it names."""

    kind: Kind
    item: str
    request: UploadRequest


def refuse_other_version(request: AnyRequest) -> None:
    """Raises Refused: TUS_VERSION."""
    if request.headers.get("tus-resumable") != VERSION:
        raise Refused(TUS_VERSION, f"Tus-Resumable: {VERSION} is needed")


def abilities(max_upload_size: int) -> dict[str, str]:
    """The headers that say what this server can do."""
    limit = {"Tus-Max-Size": str(max_upload_size)} if max_upload_size else {}
    return {
        "Tus-Version": VERSION,
        "Tus-Extension": EXTENSIONS,
        "Tus-Checksum-Algorithm": ",".join(ALGORITHMS),
        **limit,
    }


def description(upload: UploadRecord) -> dict[str, str]:
    """The headers that say what an upload is to be."""
    size = upload.get("size")
    length = {"Upload-Defer-Length": "1"} if size is None else {"Upload-Length": str(size)}
    return length | ({"Upload-Metadata": upload["note"]} if upload["note"] else {})


def progress(upload: UploadRecord, reached: UploadProgress, native_prefix: str) -> dict[str, str]:
    """The headers that say how far an upload is, and what it became."""
    headers = {"Upload-Offset": str(reached.offset), "Upload-Expires": http_date(upload["expires"])}
    if not reached.ordinal:
        return headers
    ordinal = quote(reached.ordinal, safe="")
    address = f"{native_prefix}/{Kind(upload['kind'])}/{upload['item']}/versions/{ordinal}"
    address += f"/files/{quote(path)}" if (path := upload.get("path")) else ""
    return headers | {"Content-Location": address, "Catalog-Ordinal": ordinal}


async def content(request: AnyRequest) -> AsyncIterator[bytes]:
    """The body: as it arrives, or whole when its checksum must be compared before any of it is stored.

    Raises Refused: REQUEST, BODY_TOO_LARGE, CHECKSUM_MISMATCH, UPLOAD_CUT_OFF.
    """
    checksum = request.headers.get("upload-checksum")
    if checksum is None:
        return ReceivedBody(request, 0).chunks
    algorithm, _, digest = checksum.partition(" ")
    if algorithm not in ALGORITHMS:
        raise Refused(REQUEST, f"Upload-Checksum: one of {', '.join(ALGORITHMS)} and, after a space, base64 is needed")
    if (request.content_length or 0) > CHECKED:
        raise Refused(BODY_TOO_LARGE, f"a chunk with a checksum may have {CHECKED} bytes")
    chunk = await read(request, CHECKED)
    found = b64encode(hashlib.new(algorithm, chunk, usedforsecurity=False).digest()).decode()
    if not compare_digest(found.encode(), digest.strip().encode()):
        raise Refused(CHECKSUM_MISMATCH, f"{algorithm} is {found}")
    return _once(chunk)


async def _once(chunk: bytes) -> AsyncIterator[bytes]:
    yield chunk


def new_upload(request: AnyRequest, max_upload_size: int) -> NewUpload:
    """Raises Refused: REQUEST, NOT_CREATED, BODY_TOO_LARGE."""
    note = request.headers.get("upload-metadata", "")
    metadata = _metadata(note)
    kind, item = metadata.get("kind", Kind.MODEL), metadata.get("item", "")
    if kind not in set(Kind) or not item:
        raise Refused(NOT_CREATED, "Upload-Metadata: item (an id or a name) and kind (models, datasets...) are needed")
    if len(metadata.get("description", "")) > LONGEST_DESCRIPTION:
        raise Refused(NOT_CREATED, f"description: at most {LONGEST_DESCRIPTION} characters")
    size = length(request, max_upload_size)
    if size is None and request.headers.get("upload-defer-length") != "1":
        raise Refused(REQUEST, "Upload-Length: the size of the file is needed, or Upload-Defer-Length: 1")
    path = metadata.get("path", "")
    if bool(path) != bool(metadata.get("version")):
        raise Refused(NOT_CREATED, "Upload-Metadata: version (the ordinal of a draft) and path go together")
    name = file_name(metadata.get("filename", path))
    upload = UploadRequest(
        head=FileHead(name, media_type(metadata.get("filetype", ""), name), "binary"),
        size=size,
        digest=as_hex("sha256", metadata["sha256"]) if metadata.get("sha256") else "",
        details=replace(
            upload_details(metadata),
            ordinal=(metadata.get("version") or metadata.get("ordinal", "")).strip(),
            description=metadata.get("description", ""),
        ),
        path=path,
        note=note,
    )
    return NewUpload(Kind(kind), item, upload)


def _metadata(note: str) -> dict[str, str]:
    """`key base64` pairs with commas between.

    Raises Refused: REQUEST.
    """
    if len(note) > LONGEST_METADATA:
        raise Refused(REQUEST, f"Upload-Metadata: at most {LONGEST_METADATA} characters")
    metadata = {}
    for pair in filter(None, map(str.strip, note.split(","))):
        key, _, value = pair.partition(" ")
        try:
            metadata[key] = b64decode(value, validate=True).decode()
        except ValueError:
            raise Refused(REQUEST, f"Upload-Metadata: {key[:40]!a} is not followed by base64 of UTF-8") from None
    return metadata


def length(request: AnyRequest, most: int) -> int | None:
    """The size of the whole file. Raises Refused: REQUEST, BODY_TOO_LARGE."""
    size = number(request, "Upload-Length")
    if size is not None and most and size > most:
        raise Refused(BODY_TOO_LARGE, f"at most {most} bytes")
    return size


def number(request: AnyRequest, header: str) -> int | None:
    """The number of bytes in a header, or None without the header. Raises Refused: REQUEST."""
    value = request.headers.get(header.lower())
    if value is None:
        return None
    if not (value.isascii() and value.isdigit() and len(value) <= 15):  # noqa: PLR2004  a petabyte
        raise Refused(REQUEST, f"{header}: not a number of bytes")
    return int(value)
