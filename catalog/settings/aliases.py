"""The names that other registries give to the same settings, and how they write them."""

from collections.abc import Mapping
from urllib.parse import urlsplit

ALIASES = {
    "MINIO_ENDPOINT": "S3_ENDPOINT",
    "MINIO_ACCESS_KEY": "S3_ACCESS_KEY",
    "MINIO_SECRET_KEY": "S3_SECRET_KEY",
    "MINIO_BUCKET": "STORAGE",
    "MONGODB_URL": "DATABASE",
    "MONGODB_DB": "DATABASE",
    "REGISTRY_PORT": "HTTP_PORT",
}


def in_our_words(given: Mapping[str, str]) -> dict[str, str]:
    """Settings by our names; where ours is given too, it is the one that counts."""
    ours = {ALIASES[name]: value for name, value in given.items() if name in ALIASES}
    ours |= _written_otherwise(given)
    return ours | {name: value for name, value in given.items() if name not in ALIASES}


def _written_otherwise(given: Mapping[str, str]) -> dict[str, str]:
    ours = {}
    if (endpoint := given.get("MINIO_ENDPOINT")) and "://" not in endpoint:
        ours["S3_ENDPOINT"] = f"http://{endpoint}"
    if bucket := given.get("MINIO_BUCKET"):
        ours["STORAGE"] = f"s3://{bucket}"
    if url := given.get("MONGODB_URL"):
        ours["DATABASE"] = _with_name(url, given.get("MONGODB_DB", ""))
    elif "MONGODB_DB" in given:
        ours["DATABASE"] = "embedded"  # a name alone says nothing of a server
    return ours


def _with_name(uri: str, name: str) -> str:
    """A name in the address also is where users are looked for, which for theirs is `admin`."""
    parts = urlsplit(uri)
    if not name or parts.path.strip("/"):
        return uri
    query = parts.query
    if "@" in parts.netloc and "authsource" not in query.lower():
        query = f"{query}&authSource=admin".lstrip("&")
    return parts._replace(path=f"/{name}", query=query).geturl()
