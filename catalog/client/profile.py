"""Which server, and who: what is given, else the environment, else the project's `.catalog.toml`, else the user's own.

A project's file names `url`, `tenant` and `username`; a token or a password in it is refused, as projects are shared.
The user's own files stand in one folder: `config.toml`, and `credentials.json` with the tokens by server, which nobody
else may read.
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
"""The variable that names another folder for the user's own files."""

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
    is_kept: bool = False
    """Whether the token is the one of this machine's files, where a renewed one belongs."""


def find(given: Mapping[str, str], environ: Mapping[str, str] = os.environ, here: Path | None = None) -> Profile:
    """Raises Invalid for a file that is none, or that has a secret."""
    own = folder(environ)
    sources = [
        {name: value for name, value in given.items() if value},
        {name: environ[f"CATALOG_{name.upper()}"] for name in NAMES if environ.get(f"CATALOG_{name.upper()}")},
        _project(here or Path.cwd()),
        _toml(own / "config.toml"),
    ]
    known = {name: value for source in reversed(sources) for name, value in source.items()}
    found = Profile(**known)  # type: ignore[arg-type]
    if found.token or found.password:  # whoever gives a password wants to be somebody else
        return found
    kept = token_of(found.url, environ)
    return replace(found, token=kept, is_kept=bool(kept))


def folder(environ: Mapping[str, str] = os.environ) -> Path:
    return Path(environ.get(FOLDER) or platformdirs.user_config_path("catalog", appauthor=False))


def token_of(url: str, environ: Mapping[str, str] = os.environ) -> str:
    """The one that was kept for a server; empty for none."""
    return str(_tokens(environ).get(url.rstrip("/"), ""))


def keep_token(url: str, token: str, environ: Mapping[str, str] = os.environ) -> Path:
    """Keep a token for a server, or forget it when it is empty, and return the file, which nobody else may read."""
    tokens = {**_tokens(environ), url.rstrip("/"): token}
    kept = {each: value for each, value in tokens.items() if value}
    return _written(folder(environ) / "credentials.json", json.dumps(kept))


def keep_defaults(values: Mapping[str, str], environ: Mapping[str, str] = os.environ) -> None:
    """Write down in the user's own configuration which server is meant from now on, and who."""
    file = folder(environ) / "config.toml"
    said = {**_toml(file), **values}
    _written(file, "".join(f"{name} = {json.dumps(value)}\n" for name, value in said.items() if value))


def _written(file: Path, text: str) -> Path:
    """Whole or not at all, for this user alone."""
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle, temporary = tempfile.mkstemp(dir=file.parent)  # made with mode 0600
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
    """What the nearest `.catalog.toml` says, of this folder or one above it."""
    for parent in (here, *here.parents):
        file = parent / PROJECT
        if file.is_file():
            said = _toml(file)
            if secrets := [name for name in SECRETS if name in said]:
                raise Invalid(
                    f"{file} has a {secrets[0]}", advice="Projects are shared: remove it, and use `catalog login`."
                )
            return said
    return {}


def _toml(file: Path) -> dict[str, str]:
    try:
        said = tomllib.loads(file.read_text())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise Invalid(f"{file} cannot be read ({error})") from None
    unknown = said.keys() - set(NAMES)
    if unknown or not all(isinstance(value, str) for value in said.values()):
        raise Invalid(f"{file}: only {', '.join(NAMES)} can be set, each to a text")
    return said
