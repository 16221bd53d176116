"""The store itself: how it is reached, and its failures in our words."""

import errno
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta

from obstore.exceptions import BaseError
from obstore.store import S3Store

from catalog.blobs.protocol import StorageAway, StorageUnusable

FULL = {"507", "QuotaExceeded", "XMinioStorageFull", "XMinioAdminBucketQuotaExceeded", "InsufficientCapacity"}
KEY_REFUSED = {"401", "InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidToken", "ExpiredToken"}
ELSEWHERE = {"301", "PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException"}


@dataclass(frozen=True)
class Place:
    """A bucket, and how to get into it."""

    endpoint: str  # https://host:port
    bucket: str
    prefix: str  # of every key; may be empty
    region: str
    access_key: str = field(repr=False)
    secret_key: str = field(repr=False)


def connected(place: Place) -> S3Store:
    """A handle on the bucket. Nothing is sent yet.

    The keys are handed over when they are asked for, so that neither the handle's `repr` nor its
    configuration shows them, and no variable of the environment is mixed with them.
    """

    def keys() -> dict[str, str | None]:
        return {
            "access_key_id": place.access_key,
            "secret_access_key": place.secret_key,
            "token": None,
            "expires_at": None,
        }

    return S3Store(
        place.bucket,
        prefix=place.prefix or None,
        endpoint=place.endpoint,
        region=place.region,
        virtual_hosted_style_request=False,
        credential_provider=keys,  # type: ignore[arg-type]
        client_options={
            "allow_http": place.endpoint.startswith("http://"),
            "connect_timeout": timedelta(seconds=5),
            # Silence is what counts: a whole download may take a slow client all day.
            "read_timeout": timedelta(seconds=60),
            "timeout": timedelta(days=1),
        },
        retry_config={
            "max_retries": 5,
            "retry_timeout": timedelta(seconds=60),
            "backoff": {
                "init_backoff": timedelta(milliseconds=100),
                "max_backoff": timedelta(seconds=5),
                "base": 2,
            },
        },
    )


@contextmanager
def in_our_words() -> Iterator[None]:
    """Raises StorageAway, or OSError (ENOSPC) when the store has no room, instead of the client's errors.

    The client's FileNotFoundError, for an object that is not there, is the caller's to catch inside.
    """
    try:
        yield
    except FileNotFoundError:
        raise StorageAway("the bucket is gone") from None
    except BaseError as error:
        told = codes(error)
        if told & FULL:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)) from None
        raise StorageAway(brief(told)) from None


def codes(error: Exception) -> set[str]:
    """The HTTP status and the S3 code of a failure: 404 and NoSuchBucket. Nothing when there was no answer."""
    text = str(error)
    return {*re.findall(r"status code: (\d{3})", text)[:1], *re.findall(r"<Code>(\w+)</Code>", text)[:1]}


def brief(told: set[str]) -> str:
    return f"the store answers {' '.join(sorted(told))}" if told else "the store cannot be reached"


def unusable(place: Place, error: Exception) -> StorageUnusable:
    """Why the server cannot start, of what the first call met."""
    told = codes(error)
    if isinstance(error, FileNotFoundError) or "NoSuchBucket" in told:
        return StorageUnusable(f"STORAGE: there is no bucket {place.bucket} at {place.endpoint}; make it first")
    if told & KEY_REFUSED:
        return StorageUnusable(f"S3_ACCESS_KEY or S3_SECRET_KEY: {place.endpoint} refuses the key ({brief(told)})")
    if told & ELSEWHERE:
        return StorageUnusable(f"S3_REGION {place.region} is not that of the bucket {place.bucket} ({brief(told)})")
    if "403" in told:
        return StorageUnusable(
            f"S3_ACCESS_KEY may not list, read, write and delete in the bucket {place.bucket} ({brief(told)})"
        )
    return StorageUnusable(f"S3_ENDPOINT {place.endpoint} does not answer as an S3 store ({brief(told)})")
