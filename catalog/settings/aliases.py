"""Names and spellings of other registries for the same settings."""

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


def translated(values: Mapping[str, str]) -> dict[str, str]:
    """Settings by our names, which take precedence where both are set."""
    ours = {ALIASES[name]: value for name, value in values.items() if name in ALIASES}
    ours |= _respelled(values)
    return ours | {name: value for name, value in values.items() if name not in ALIASES}


def _respelled(values: Mapping[str, str]) -> dict[str, str]:
    ours = {}
    if (endpoint := values.get("MINIO_ENDPOINT")) and "://" not in endpoint:
        ours["S3_ENDPOINT"] = f"http://{endpoint}"
    if bucket := values.get("MINIO_BUCKET"):
        ours["STORAGE"] = f"s3://{bucket}"
    if url := values.get("MONGODB_URL"):
        ours["DATABASE"] = _with_name(url, values.get("MONGODB_DB", ""))
    elif "MONGODB_DB" in values:
        ours["DATABASE"] = "embedded"  # a name without a server
    return ours


def _with_name(uri: str, name: str) -> str:
    """Add the name of a database. Users stay in `admin`, where the driver would otherwise look in that database."""
    parts = urlsplit(uri)
    if not name or parts.path.strip("/"):
        return uri
    query = parts.query
    if "@" in parts.netloc and "authsource" not in query.lower():
        query = f"{query}&authSource=admin".lstrip("&")
    return parts._replace(path=f"/{name}", query=query).geturl()
