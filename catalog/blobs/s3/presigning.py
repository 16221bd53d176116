"""URLs from which a client may download without credentials: Signature Version 4, in the query.

The client library signs a bare URL only. A download also sets the file name and the media type of the
response, and both have to be signed.
"""

from datetime import UTC, datetime
from hashlib import sha256
from hmac import digest
from urllib.parse import quote, urlsplit

from catalog.blobs.s3.connection import BucketAddress
from catalog.blobs.s3.credentials import Keys

LONGEST = 7 * 24 * 3600
"""Seconds; the protocol allows no more."""


def presigned_get(
    address: BucketAddress, keys: Keys, key: str, seconds: int, answer: dict[str, str], now: datetime | None = None
) -> str:
    """Return the URL to GET `key` below the prefix. `answer` has query parameters such as response-content-type."""
    moment = (now or datetime.now(UTC)).strftime("%Y%m%dT%H%M%SZ")
    scope = f"{moment[:8]}/{address.region}/s3/aws4_request"
    where = urlsplit(address.url)
    host = where.netloc
    path = quote("/".join((where.path.rstrip("/"), *filter(None, (address.prefix, key)))), safe="/~")
    query = encoded(
        {
            "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
            "X-Amz-Credential": f"{keys.access_key}/{scope}",
            "X-Amz-Date": moment,
            "X-Amz-Expires": str(min(seconds, LONGEST)),
            "X-Amz-SignedHeaders": "host",
            **({"X-Amz-Security-Token": keys.token} if keys.token else {}),
            **answer,
        }
    )
    request = f"GET\n{path}\n{query}\nhost:{host}\n\nhost\nUNSIGNED-PAYLOAD"
    to_sign = f"AWS4-HMAC-SHA256\n{moment}\n{scope}\n{sha256(request.encode()).hexdigest()}"
    signature = digest(signing_key(keys.secret_key, address.region, moment[:8]), to_sign.encode(), "sha256").hex()
    return f"{where.scheme}://{host}{path}?{query}&X-Amz-Signature={signature}"


def attachment(name: str) -> str:
    """Return a Content-Disposition that makes a browser save the response as `name`, in any script (RFC 6266)."""
    return f"attachment; filename*=UTF-8''{quote(name, safe='', errors='replace')}"


def encoded(values: dict[str, str]) -> str:
    return "&".join(f"{quote(name, safe='~')}={quote(value, safe='~')}" for name, value in sorted(values.items()))


def signing_key(secret_key: str, region: str, day: str) -> bytes:
    key = f"AWS4{secret_key}".encode()
    for part in (day, region, "s3", "aws4_request"):
        key = digest(key, part.encode(), "sha256")
    return key
