"""The server and the user: from arguments, else the environment, else `.catalog.toml`, else the user's configuration.

The `.catalog.toml` of a project names `url`, `tenant` and `username`; a token or a password in it is refused, as
projects are shared. The user's folder has `config.toml`, and `credentials.json` with a token per server, which only the
user can read.
"""

import json
import os
import tempfile
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import platformdirs

from catalog.client.errors import Invalid

DEFAULT_URL = "http://127.0.0.1:8080"
PROJECT = ".catalog.toml"
FOLDER = "CATALOG_CONFIG"
"""The environment variable that names another folder for the user's files."""

OFFLINE = "CATALOG_OFFLINE"

NAMES = ("url", "token", "tenant", "username", "password", "ca")
SECRETS = ("token", "password")


@dataclass(frozen=True, kw_only=True)
class Profile:
    url: str = DEFAULT_URL
    token: str = field(default="", repr=False)
    tenant: str = ""
    username: str = ""
    password: str = field(default="", repr=False)
    ca: str = ""
    is_stored: bool = False
    """Whether the token comes from `credentials.json`, where a renewed one is saved."""


def find(arguments: Mapping[str, str], environ: Mapping[str, str] = os.environ, here: Path | None = None) -> Profile:
    """Collect the profile. Raises Invalid for a file that is malformed or contains a secret."""
    user_folder = folder(environ)
    sources = [
        {name: value for name, value in arguments.items() if value},
        {name: environ[f"CATALOG_{name.upper()}"] for name in NAMES if environ.get(f"CATALOG_{name.upper()}")},
        _project(here or Path.cwd()),
        _toml(user_folder / "config.toml"),
    ]
    known = {name: value for source in reversed(sources) for name, value in source.items()}
    found = Profile(**known)  # type: ignore[arg-type]
    if found.token or found.password:  # a password asks for another session than the stored one
        return found
    stored = stored_token(found.url, environ)
    return replace(found, token=stored, is_stored=bool(stored))


def is_offline(environ: Mapping[str, str] = os.environ) -> bool:
    """Whether CATALOG_OFFLINE asks for no requests. Raises Invalid."""
    text = environ.get(OFFLINE, "").strip().lower()
    if text in {"", "0", "false", "no", "off"}:
        return False
    if text in {"1", "true", "yes", "on"}:
        return True
    raise Invalid(f"{OFFLINE} is {text!r}", advice="Set it to 1 or 0.")


def folder(environ: Mapping[str, str] = os.environ) -> Path:
    return Path(environ.get(FOLDER) or platformdirs.user_config_path("catalog", appauthor=False))


def stored_token(url: str, environ: Mapping[str, str] = os.environ) -> str:
    """The stored token for a server; empty if there is none."""
    return str(_tokens(environ).get(url.rstrip("/"), ""))


def save_token(url: str, token: str, environ: Mapping[str, str] = os.environ) -> Path:
    """Store the token for a server, or remove it if it is empty; return the file, which only the user can read."""
    tokens = {**_tokens(environ), url.rstrip("/"): token}
    stored = {each: value for each, value in tokens.items() if value}
    return _write(folder(environ) / "credentials.json", json.dumps(stored))


def save_defaults(values: Mapping[str, str], environ: Mapping[str, str] = os.environ) -> None:
    """Save the default server, tenant and username in the user's configuration."""
    file = folder(environ) / "config.toml"
    values = {**_toml(file), **values}
    _write(file, "".join(f"{name} = {json.dumps(value)}\n" for name, value in values.items() if value))


def _write(file: Path, text: str) -> Path:
    """Write a file atomically, readable by this user only."""
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle, temporary = tempfile.mkstemp(dir=file.parent)  # created with mode 0600
    with os.fdopen(handle, "w") as writing:
        writing.write(text)
    return Path(temporary).replace(file)


def _tokens(environ: Mapping[str, str]) -> dict[str, Any]:
    file = folder(environ) / "credentials.json"
    try:
        found = json.loads(file.read_bytes())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError):
        raise Invalid(f"{file} cannot be read", advice="Remove it and sign in again.") from None
    return found if isinstance(found, dict) else {}


def _project(here: Path) -> dict[str, str]:
    """The nearest `.catalog.toml`, in this folder or one above it."""
    for parent in (here, *here.parents):
        file = parent / PROJECT
        if file.is_file():
            values = _toml(file)
            if secrets := [name for name in SECRETS if name in values]:
                raise Invalid(
                    f"{file} has a {secrets[0]}", advice="Projects are shared: remove it, and use `catalog login`."
                )
            return values
    return {}


def _toml(file: Path) -> dict[str, str]:
    try:
        values = tomllib.loads(file.read_text())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise Invalid(f"{file} cannot be read ({error})") from None
    unknown = values.keys() - set(NAMES)
    if unknown or not all(isinstance(value, str) for value in values.values()):
        raise Invalid(f"{file}: only {', '.join(NAMES)} can be set, each to a string")
    return values
