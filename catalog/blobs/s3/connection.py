"""The connection to the store, and the translation of its errors."""

import errno
import os
import re
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from obstore.exceptions import BaseError
from obstore.store import S3Store

from catalog.blobs.protocol import StorageSetupError, StorageUnavailableError
from catalog.blobs.s3 import credentials

if TYPE_CHECKING:
    from obstore.store import RetryConfig, S3Config

FULL = {"507", "QuotaExceeded", "XMinioStorageFull", "XMinioAdminBucketQuotaExceeded", "InsufficientCapacity"}
KEY_REFUSED = {"401", "InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidToken", "ExpiredToken"}
CLOCK_WRONG = {"RequestTimeTooSkewed", "RequestExpired"}
ELSEWHERE = {"301", "PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException"}

TLS_PROBLEMS = {
    "UnknownIssuer": "its certificate is of an authority that is not trusted here: S3_CA names the certificate of it",
    "CaUsedAsEndEntity": "its certificate is that of an authority (CA:TRUE): a server needs one of its own",
    "NotValidForName": "its certificate is of another host",
    "Expired": "its certificate has expired",
    "InvalidContentType": "it does not use TLS: begin with http://",
}
"""The problem, by a text in the error of the client."""

RETRIES: "RetryConfig" = {
    "max_retries": 5,
    "retry_timeout": timedelta(seconds=60),
    "backoff": {"init_backoff": timedelta(milliseconds=100), "max_backoff": timedelta(seconds=5), "base": 2},
}
"""How a request that fails is sent again. The pauses grow, and are random."""


@dataclass(frozen=True)
class BucketAddress:
    """A bucket, its address and the key to it."""

    endpoint: str  # https://host:port
    bucket: str
    prefix: str  # of every key; may be empty
    region: str
    access_key: str = field(repr=False)  # empty: the credentials are where AWS's tools have them, see `credentials`
    secret_key: str = field(repr=False)
    virtual_host: bool = False  # https://bucket.host instead of https://host/bucket
    encryption: str = ""  # AES256, aws:kms or aws:kms:dsse
    kms_key: str = ""
    ca: Path | None = None  # certificates that are trusted as well, in PEM

    @property
    def url(self) -> str:
        """Where the objects of the bucket are."""
        scheme, _, rest = self.endpoint.partition("://")
        return f"{scheme}://{self.bucket}.{rest}" if self.virtual_host else f"{self.endpoint}/{self.bucket}"


def connect(address: BucketAddress) -> S3Store:
    """Return a handle on the bucket. Nothing is sent yet.

    The client asks for the keys when it needs them, so neither the handle's `repr` nor its
    configuration shows them, and variables of the environment do not mix with them. Without keys it finds
    credentials by itself: a web identity, or the role of the container or the machine.
    """
    sources, trusted = credentials.sources(address.access_key, address.secret_key), certificates(address.ca)
    config: S3Config = {
        "endpoint": address.url if address.virtual_host else address.endpoint,
        "region": address.region,
        "virtual_hosted_style_request": address.virtual_host,
    }
    if address.encryption:
        config["server_side_encryption"] = address.encryption
    if address.kms_key:
        config["sse_kms_key_id"] = address.kms_key
    return S3Store(
        address.bucket,
        prefix=address.prefix or None,
        config=config,
        credential_provider=sources,  # type: ignore[arg-type]
        client_options={
            **({"root_certificate": trusted} if trusted else {}),
            "allow_http": address.endpoint.startswith("http://"),
            "connect_timeout": timedelta(seconds=5),
            # The limit is on silence: a download to a slow client may take all day.
            "read_timeout": timedelta(seconds=60),
            "timeout": timedelta(days=1),
        },
        retry_config=RETRIES,
    )


def certificates(ca: Path | None) -> bytes:
    """The PEM text of the certificates in the file S3_CA; empty if it has none."""
    if ca is None:
        return b""
    try:
        text = ca.read_text()
        ssl.create_default_context(cadata=text or None)
    except (OSError, ValueError):
        return b""
    return text.encode()


def refuse_unusable(address: BucketAddress, *, redirects: bool) -> None:
    """Raises StorageSetupError for what can be known before anything is sent."""
    keys = credentials.find(address.access_key, address.secret_key)
    if address.ca and not os.access(address.ca, os.R_OK):
        raise StorageSetupError(f"S3_CA {address.ca} cannot be read")
    if address.ca and not certificates(address.ca):
        raise StorageSetupError(f"S3_CA {address.ca} holds no certificate in PEM")
    if redirects and keys is None:
        raise StorageSetupError(
            "S3_DOWNLOADS=redirect needs keys to sign addresses with, and the credentials are those of a role: set "
            "S3_DOWNLOADS=proxy"
        )


@contextmanager
def translated_errors() -> Iterator[None]:
    """Raise StorageUnavailableError, or OSError (ENOSPC) when the store is full, instead of the client's errors.

    A caller that expects a missing object catches the client's FileNotFoundError inside.
    """
    try:
        yield
    except FileNotFoundError:
        raise StorageUnavailableError("the bucket is gone") from None
    except BaseError as error:
        answered = codes(error)
        if answered & FULL:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)) from None
        raise StorageUnavailableError(brief(answered)) from None


def codes(error: Exception) -> set[str]:
    """Return the HTTP status and the S3 code of a failure, such as 404 and NoSuchBucket; nothing without a response."""
    text = str(error)
    return {*re.findall(r"status code: (\d{3})", text)[:1], *re.findall(r"<Code>(\w+)</Code>", text)[:1]}


def brief(answered: set[str]) -> str:
    return f"the store answers {' '.join(sorted(answered))}" if answered else "the store cannot be reached"


def setup_error(address: BucketAddress, error: Exception) -> StorageSetupError:
    """Return why the server cannot start, from the failure of the first call."""
    answered = codes(error)
    if isinstance(error, FileNotFoundError) or "NoSuchBucket" in answered:
        return StorageSetupError(f"STORAGE: there is no bucket {address.bucket} at {address.endpoint}; create it first")
    problem = _refusal(address, answered) if answered else _silence(address, str(error))
    return StorageSetupError(
        problem or f"S3_ENDPOINT {address.endpoint} does not answer as an S3 store ({brief(answered)})"
    )


def _silence(address: BucketAddress, failure: str) -> str:
    """Why there is no answer; nothing where that is not known."""
    why = next((why for word, why in TLS_PROBLEMS.items() if word in failure), "")
    return f"S3_ENDPOINT {address.endpoint}: {why}" if why else credentials.problem(failure, address.access_key)


def _refusal(address: BucketAddress, answered: set[str]) -> str:
    """What is wrong with the request, by the codes of the answer; nothing where that is not known."""
    answer, key = brief(answered), credentials.description(address.access_key)
    if answered & KEY_REFUSED:
        named = "S3_ACCESS_KEY or S3_SECRET_KEY" if address.access_key else key
        return f"{named}: {address.endpoint} refuses the key ({answer})"
    if answered & CLOCK_WRONG:
        return f"S3_ENDPOINT {address.endpoint} has another time than this machine ({answer})"
    if answered & ELSEWHERE:
        return f"S3_REGION {address.region} is not that of the bucket {address.bucket} ({answer})"
    if "403" in answered:
        return f"{key}: it may not list, read, write and delete in the bucket {address.bucket} ({answer})"
    return ""
