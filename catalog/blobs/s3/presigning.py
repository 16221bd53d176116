"""Addresses that a client may fetch without a key of its own: Signature Version 4, in the query.

The client library signs a bare address only; a download also needs to say what the answer's
file name and type are, and those have to be signed with it.
"""

from datetime import UTC, datetime
from hashlib import sha256
from hmac import digest
from urllib.parse import quote, urlsplit

from catalog.blobs.s3.store import Place

LONGEST = 7 * 24 * 3600
"""Seconds; the protocol allows no more."""


def presigned_get(place: Place, key: str, seconds: int, answer: dict[str, str], now: datetime | None = None) -> str:
    """The address of GET for `key` below the prefix. `answer`: S3's response-content-type and the like."""
    moment = (now or datetime.now(UTC)).strftime("%Y%m%dT%H%M%SZ")
    scope = f"{moment[:8]}/{place.region}/s3/aws4_request"
    host = urlsplit(place.endpoint).netloc
    base = urlsplit(place.endpoint).path.rstrip("/")
    path = quote("/".join(filter(None, (f"{base}/{place.bucket}", place.prefix, key))), safe="/~")
    query = encoded(
        {
            "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
            "X-Amz-Credential": f"{place.access_key}/{scope}",
            "X-Amz-Date": moment,
            "X-Amz-Expires": str(min(seconds, LONGEST)),
            "X-Amz-SignedHeaders": "host",
            **answer,
        }
    )
    request = f"GET\n{path}\n{query}\nhost:{host}\n\nhost\nUNSIGNED-PAYLOAD"
    to_sign = f"AWS4-HMAC-SHA256\n{moment}\n{scope}\n{sha256(request.encode()).hexdigest()}"
    signature = digest(signing_key(place, moment[:8]), to_sign.encode(), "sha256").hex()
    return f"{urlsplit(place.endpoint).scheme}://{host}{path}?{query}&X-Amz-Signature={signature}"


def attachment(name: str) -> str:
    """What makes a browser save the answer, under `name` in whatever letters (RFC 6266)."""
    return f"attachment; filename*=UTF-8''{quote(name, safe='', errors='replace')}"


def encoded(values: dict[str, str]) -> str:
    return "&".join(f"{quote(name, safe='~')}={quote(value, safe='~')}" for name, value in sorted(values.items()))


def signing_key(place: Place, day: str) -> bytes:
    key = f"AWS4{place.secret_key}".encode()
    for part in (day, place.region, "s3", "aws4_request"):
        key = digest(key, part.encode(), "sha256")
    return key
