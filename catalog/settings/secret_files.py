"""Secrets that are kept in files of their own, as Docker, Kubernetes and systemd hand them over: API_TOKEN_FILE."""

from collections.abc import Mapping
from pathlib import Path

SECRETS = (
    "HTTPSSECRET",
    "API_TOKEN",
    "JWT_SECRET",
    "DATABASE",
    "S3_ACCESS_KEY",
    "S3_SECRET_KEY",
    "DEFAULT_TENANT_ADMIN_TEMPORARY_PASSWORD",
    "SMTP_PASSWORD",
)
FILES = {f"{name}_FILE": name for name in SECRETS}
"""The names of settings that name a file, and those that it stands for."""


class NoSecret(Exception):  # noqa: N818  the sentence it reads as matters more than the suffix
    """Names the setting, and never shows what is in the file."""


def with_contents(given: Mapping[str, str]) -> dict[str, str]:
    """What one source sets, each `..._FILE` replaced by what its file holds, without the end of the line.

    Raises NoSecret.
    """
    named = {name: given[name].strip() for name in FILES.keys() & given.keys() if given[name].strip()}
    for name in sorted(named):
        if given.get(FILES[name], "").strip():
            raise NoSecret(f"{FILES[name]} and {name} are both set: leave one of them out")
    contents = {FILES[name]: _content(name, Path(named[name])) for name in sorted(named)}
    return {name: value for name, value in given.items() if name not in FILES} | contents


def _content(name: str, file: Path) -> str:
    try:
        content = file.read_text(encoding="utf-8-sig").strip()
    except OSError as error:
        raise NoSecret(f"{name}: {file} cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise NoSecret(f"{name}: {file} is not UTF-8 text") from None
    if not content:
        raise NoSecret(f"{name}: {file} is empty")
    if "\n" in content:
        raise NoSecret(f"{name}: {file} holds more than one line")
    return content
