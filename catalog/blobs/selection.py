"""The storage that the settings name."""

from catalog.blobs.files import FileStorage
from catalog.blobs.protocol import Storage
from catalog.blobs.s3.connection import BucketAddress
from catalog.blobs.s3.storage import S3Storage
from catalog.settings.values import StorageSettings


def select_storage(settings: StorageSettings) -> Storage:
    """Connects to nothing: `check` tells whether the storage can be used."""
    if settings.location == "files":
        return FileStorage(settings.folder)
    return S3Storage(bucket_address(settings), redirects=settings.redirects)


def bucket_address(settings: StorageSettings) -> BucketAddress:
    """The bucket of a location `s3://bucket/prefix`."""
    bucket, _, prefix = settings.location.removeprefix("s3://").partition("/")
    region = settings.region or "us-east-1"
    return BucketAddress(
        endpoint=(settings.endpoint or f"https://s3.{region}.amazonaws.com").rstrip("/"),
        bucket=bucket,
        prefix=prefix.strip("/"),
        region=region,
        access_key=settings.access_key,
        secret_key=settings.secret_key,
        virtual_host=settings.virtual_host,
        encryption=settings.encryption,
        kms_key=settings.kms_key,
        ca=settings.ca,
    )
