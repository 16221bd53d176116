"""Secrets in files of their own, as Docker, Kubernetes and systemd provide them: API_TOKEN_FILE."""

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
"""The settings that name a file, and the settings that its content replaces."""


class SecretFileError(Exception):
    """Names the setting, and never shows what is in the file."""


def with_contents(values: Mapping[str, str]) -> dict[str, str]:
    """The values of one source, with each `..._FILE` replaced by the content of its file, without the end of the line.

    Raises SecretFileError.
    """
    files = {name: values[name].strip() for name in FILES.keys() & values.keys() if values[name].strip()}
    for name in sorted(files):
        if values.get(FILES[name], "").strip():
            raise SecretFileError(f"{FILES[name]} and {name} are both set: leave one of them out")
    contents = {FILES[name]: _content(name, Path(files[name])) for name in sorted(files)}
    return {name: value for name, value in values.items() if name not in FILES} | contents


def _content(name: str, file: Path) -> str:
    try:
        content = file.read_text(encoding="utf-8-sig").strip()
    except OSError as error:
        raise SecretFileError(f"{name}: {file} cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise SecretFileError(f"{name}: {file} is not UTF-8 text") from None
    if not content:
        raise SecretFileError(f"{name}: {file} is empty")
    if "\n" in content:
        raise SecretFileError(f"{name}: {file} holds more than one line")
    return content
