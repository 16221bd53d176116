"""The storage that the settings name."""

from catalog.blobs.files import FileStorage
from catalog.blobs.protocol import Storage
from catalog.blobs.s3.storage import S3Storage
from catalog.blobs.s3.store import Place
from catalog.settings.settings import Settings


def storage_of(settings: Settings) -> Storage:
    """Costs nothing and touches nothing: `check` tells whether it can be used."""
    if settings.storage == "files":
        return FileStorage(settings.upload_path)
    bucket, _, prefix = settings.storage.removeprefix("s3://").partition("/")
    region = settings.s3_region or "us-east-1"
    place = Place(
        endpoint=(settings.s3_endpoint or f"https://s3.{region}.amazonaws.com").rstrip("/"),
        bucket=bucket,
        prefix=prefix.strip("/"),
        region=region,
        access_key=settings.s3_access_key,
        secret_key=settings.s3_secret_key.get_secret_value(),
    )
    return S3Storage(place, redirects=settings.s3_downloads == "redirect")
