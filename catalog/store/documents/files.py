"""Blobs, and how bytes arrive: uploads, and the artifact tree."""

from datetime import datetime
from typing import Any

from beanie import PydanticObjectId
from pydantic import BaseModel, ConfigDict, Field
from pymongo import ASCENDING, IndexModel

from catalog.store.clock import now
from catalog.store.documents.indexes import unique
from catalog.store.documents.items import PairSubdocument
from catalog.store.documents.versions import InputSubdocument, RunSubdocument
from catalog.store.tenant_documents import SealedDocument
from catalog.vocabulary import (
    Kind,
    Stage,
)


class BlobDocument(SealedDocument):
    """A blob in the storage. `id` is its SHA-256. See domain.files.blob_records."""

    id: str  # type: ignore[assignment]
    size: int
    touched: datetime  # the last upload of these bytes: a sweep spares them for some time
    hold: PydanticObjectId | None = None  # of the request that recorded the blob, until anything else holds it
    deleting_since: datetime | None = None  # since then a sweep is removing the blob
    damaged: datetime | None = None  # since then its bytes are known not to match the digest
    crc32: int | None = None  # computed when first needed, see domain.files.checksums

    class Settings:
        name = "blobs"
        indexes = (IndexModel([("deleting_since", ASCENDING)], sparse=True),)


class UploadDocument(SealedDocument):
    """A resumable upload, see domain.files.resumable. `id` is its name in the storage."""

    id: str  # type: ignore[assignment]  # 32 hexadecimal characters
    user: PydanticObjectId
    kind: Kind
    item: PydanticObjectId
    version: PydanticObjectId  # the version that it becomes, or the draft that it is added to
    path: str = ""  # within the draft
    name: str
    mimetype: str
    size: int | None = None  # bytes, once it is known
    reserved: int = 0  # bytes that count against the quota until the blob is recorded
    digest: str = ""  # SHA-256 as the client announced it
    ordinal: str = ""
    description: str = ""
    metadata: list[PairSubdocument] = Field(default_factory=list)
    inputs: list[InputSubdocument] = Field(default_factory=list)
    author: str = ""
    stage: Stage = Stage.NONE
    archived: bool = False
    external_id: str | None = None
    run: RunSubdocument | None = None
    strict: bool = False  # a file with a threat is refused
    note: str = ""  # the client's metadata, returned as it was sent
    became: str = ""  # the ordinal of the version, once the upload is complete
    expires: datetime
    lease_until: datetime = Field(default_factory=now)  # see domain.files.upload_lease
    lease_owner: PydanticObjectId | None = None
    lease_requested: PydanticObjectId | None = None  # the owner of the lease that another request waits for

    class Settings:
        name = "uploads"
        indexes = (
            IndexModel([("expires", ASCENDING)]),
            IndexModel([("user", ASCENDING), ("became", ASCENDING), ("expires", ASCENDING)]),
        )


class ArtifactFileDocument(SealedDocument):
    """A file in the artifact tree, see domain.artifacts."""

    path: str
    digest: str
    size: int
    mimetype: str
    encoding: str
    format: str = ""
    verdict: str = ""  # of the inspection when it arrived; empty: an older artifact
    held: bool = False  # a policy may quarantine or reject it
    owner: PydanticObjectId
    readers: list[Any]  # derived when it is written, see domain.access
    timestamp: datetime = Field(default_factory=now)

    model_config = ConfigDict(arbitrary_types_allowed=True)

    class Settings:
        name = "artifact_files"
        indexes = (
            unique("path"),
            IndexModel([("digest", ASCENDING)]),
            IndexModel([("owner", ASCENDING)]),
        )


class PartSubdocument(BaseModel):
    """A part of an upload, stored as a blob."""

    number: int
    digest: str
    size: int
    hold: PydanticObjectId | None = None  # of its bytes, if the tenant did not have them


class PartUploadDocument(SealedDocument):
    """An upload to the artifact tree whose parts arrive in any order. See domain.artifacts.parts."""

    id: str  # type: ignore[assignment]  # 32 hexadecimal characters
    user: PydanticObjectId
    path: str
    part_count: int
    parts: list[PartSubdocument] = Field(default_factory=list)
    became: str = ""  # the digest of the file, once it is in the tree
    expires: datetime

    class Settings:
        name = "part_uploads"
        indexes = (
            IndexModel([("expires", ASCENDING)]),
            IndexModel([("user", ASCENDING), ("became", ASCENDING), ("expires", ASCENDING)]),
            IndexModel([("parts.digest", ASCENDING)]),
        )
