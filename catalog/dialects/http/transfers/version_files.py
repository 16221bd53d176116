"""Downloads of a version: its file, one of its files, or all of them in an archive."""

from datetime import datetime
from typing import NamedTuple, TypedDict
from urllib.parse import quote

from litestar.status_codes import HTTP_304_NOT_MODIFIED

from catalog.blobs.protocol import Blobs
from catalog.dialects.http.requests.injection import AnyRequest
from catalog.dialects.http.transfers.archives import ArchivedFile, archived
from catalog.dialects.http.transfers.downloads import Download, outgoing, redirected, refuse_lost
from catalog.domain.files.checksums import Checksums
from catalog.domain.versions import reading
from catalog.domain.versions.files.version_files import all_of, has_files, page_of
from catalog.errors import REQUEST, Refused
from catalog.store.records import VersionRecord
from catalog.store.tenant import Tenant

RESERVED = "%:/?#[]@!$&'()*+,;=~"
"""The characters that an address may hold as they are. Others, such as letters with accents, are percent-encoded."""

MOST_TOGETHER = 1000
"""Files of an archive of some."""

LONGEST_NUMBER = 9  # digits

REDIRECTED_FOR = 300
"""Seconds in which a client has to begin a download from the storage itself."""


class PartOfFolder(NamedTuple):
    """`limit` files of a folder, by path, after the first `skip`."""

    skip: int
    limit: int


class DownloadableFile(TypedDict):
    """What a download needs of a file."""

    original: str
    digest: str
    size: int
    mimetype: str


async def version_download(request: AnyRequest, tenant: Tenant, version: VersionRecord, name: str = "") -> Download:
    """The file of a version, or, for a folder and with `?archive=`, an archive. Of bytes elsewhere, a redirection.

    `archive` is a suffix, or a name that ends with one, by which programs such as KServe tell what an address leads to.
    `name` is one at the end of the path, which decides about folders.

    With `?skip=` and `?limit=` the archive has some of the files, in the order of their paths.

    Raises Refused: as `file_download` does, REQUEST for an unknown archive or a wrong part, BYTES_ELSEWHERE for bytes
    that no browser can be sent to.
    """
    if not has_files(version):
        return _elsewhere(version)
    suffix = request.query_params.get("archive", "").rpartition(".")[2]
    if version["folder"] and not suffix:
        suffix = "tar" if name.endswith(".tar") else "zip"
    if not suffix:
        return await file_download(request, tenant.blobs, version["files"][0], version["timestamp"])
    part = _part(request)
    found = await (page_of(tenant, version, *part) if part else all_of(tenant, version))
    files = [ArchivedFile(file["path"], file["digest"], file["size"]) for file in found]
    download = archived(
        request,
        tenant.blobs,
        suffix,
        name=version["ordinal"],
        digest=f"{version['digest']}.{part.skip}-{part.limit}" if part else version["digest"],
        files=files,
        modified=version["timestamp"],
        checksums=Checksums(tenant),
    )
    if download.status_code != HTTP_304_NOT_MODIFIED:
        await refuse_lost(tenant.blobs, files)
    return download


def _part(request: AnyRequest) -> PartOfFolder | None:
    """Which files of a folder an archive is to have; None: all. Raises Refused: REQUEST."""
    skip, limit = (request.query_params.get(name) for name in ("skip", "limit"))
    if skip is None and limit is None:
        return None
    numbers = [_number("skip", skip or "0"), _number("limit", limit or str(MOST_TOGETHER))]
    if not 0 < numbers[1] <= MOST_TOGETHER:
        raise Refused(REQUEST, f"limit: a number from 1 to {MOST_TOGETHER} is needed")
    return PartOfFolder(*numbers)


def _number(name: str, text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= LONGEST_NUMBER):
        raise Refused(REQUEST, f"{name}: a number of files is needed")
    return int(text)


def _elsewhere(version: VersionRecord) -> Download:
    """Raises Refused: BYTES_ELSEWHERE."""
    uri = version.get("uri", "")
    if not uri.lower().startswith(("http://", "https://")):
        reading.refuse_elsewhere(version)
    headers = {"location": quote(uri, safe=RESERVED), "cache-control": "no-store", "content-length": "0"}
    return Download(None, headers | {"referrer-policy": "no-referrer"}, status_code=303)


async def file_download(request: AnyRequest, blobs: Blobs, file: DownloadableFile, modified: datetime) -> Download:
    """One file, from this server or, when the storage serves it itself, by a redirection.

    Raises Refused: RANGE_NOT_SATISFIABLE, STALE; DOWNLOAD for bytes that are lost or damaged.
    """
    download = outgoing(
        request,
        blobs,
        name=file["original"],
        digest=file["digest"],
        size=file["size"],
        mimetype=file["mimetype"],
        modified=modified,
    )
    if download.status_code == HTTP_304_NOT_MODIFIED:
        return download
    await refuse_lost(blobs, [(file["original"], file["digest"], file["size"])])
    if download.file is None:
        return download
    url = await blobs.presigned(
        file["digest"], seconds=REDIRECTED_FOR, name=file["original"], mimetype=file["mimetype"]
    )
    return redirected(url) if url else download
