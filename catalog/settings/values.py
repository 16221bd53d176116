"""Groups of settings, as plain values for the layers below the application."""

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class StorageSettings:
    location: str  # `files`, or `s3://bucket/prefix`
    folder: Path  # of `files`
    endpoint: str
    region: str
    access_key: str
    secret_key: str = field(repr=False)
    virtual_host: bool
    encryption: str
    kms_key: str
    ca: Path | None  # certificates
    redirects: bool  # whether clients fetch from the storage itself


@dataclass(frozen=True, kw_only=True)
class MailSettings:
    server: str  # as `SmtpServer.parse` takes it
    username: str
    password: str = field(repr=False)
    sender: str
    tag: str
