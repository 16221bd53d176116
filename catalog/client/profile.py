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

from catalog.client.errors import Invalid, NotFound

DEFAULT_URL = "http://127.0.0.1:8080"
PROJECT = ".catalog.toml"
FOLDER = "CATALOG_CONFIG"
"""The environment variable that names another folder for the user's files."""

OFFLINE = "CATALOG_OFFLINE"
CHOSEN = "CATALOG_PROFILE"
PROFILES = "profiles.json"

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
    name: str = ""
    """Of the stored profile that it comes from."""

    is_stored: bool = False
    """Whether the token comes from `credentials.json`, where a renewed one is saved."""


def find(
    arguments: Mapping[str, str],
    environ: Mapping[str, str] = os.environ,
    here: Path | None = None,
    name: str = "",
) -> Profile:
    """Collect the profile; `name` is that of a stored one, which then counts more than the environment.

    Raises Invalid for a file that is malformed or contains a secret, NotFound for a profile that is not stored.
    """
    stored = profiles(environ)
    from_environment = {
        each: environ[f"CATALOG_{each.upper()}"] for each in NAMES if environ.get(f"CATALOG_{each.upper()}")
    }
    chosen, in_environment = name, environ.get(CHOSEN, "")
    used = chosen or in_environment or stored.used
    values = stored.get(used) if used else {}
    if chosen and from_environment.get("url", values.get("url")) != values.get("url"):
        from_environment = {each: value for each, value in from_environment.items() if each not in SECRETS}
    sources = [
        {each: value for each, value in arguments.items() if value},
        values if chosen else {},
        from_environment,
        values if in_environment and not chosen else {},
        _project(here or Path.cwd()),
        values if not (chosen or in_environment) else {},
        _toml(folder(environ) / "config.toml"),
    ]
    known = {each: value for source in reversed(sources) for each, value in source.items()}
    found = Profile(**{**known, "url": plain_url(known.get("url", DEFAULT_URL))})  # type: ignore[arg-type]
    # The token of a profile belongs to its server: not if another address is asked for.
    found = replace(found, name=used if values and found.url == plain_url(values.get("url", found.url)) else "")
    if found.token or found.password:  # a password asks for another session than the stored one
        return found
    token = stored_token(found.url, found.name, environ)
    return replace(found, token=token, is_stored=bool(token))


@dataclass(frozen=True)
class StoredProfiles:
    """The profiles of a user by name, and the one that is used by default; empty if none is."""

    profiles: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    used: str = ""

    def get(self, name: str) -> Mapping[str, str]:
        """Raises NotFound, with the names that there are."""
        if name not in self.profiles:
            known = ", ".join(sorted(self.profiles))
            advice = f"There is {known}." if known else "Add one: catalog profile add NAME --url ADDRESS."
            raise NotFound(f"There is no profile {name}", advice=advice)
        return self.profiles[name]


def profiles(environ: Mapping[str, str] = os.environ) -> StoredProfiles:
    """Raises Invalid for a file that cannot be read."""
    file = folder(environ) / PROFILES
    try:
        found = json.loads(file.read_bytes())
        return StoredProfiles({name: dict(values) for name, values in found["profiles"].items()}, str(found["used"]))
    except FileNotFoundError:
        return StoredProfiles()
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise Invalid(f"{file} cannot be read", advice="Repair or remove it.") from None


def save_profile(name: str, values: Mapping[str, str], environ: Mapping[str, str] = os.environ) -> None:
    """Store a profile, or change the given values of one."""
    stored = profiles(environ)
    changed = {**stored.profiles.get(name, {}), **{each: value for each, value in values.items() if value}}
    _save_profiles(replace(stored, profiles={**stored.profiles, name: changed}), environ)


def use_profile(name: str, environ: Mapping[str, str] = os.environ) -> None:
    """Use a profile by default, or none for an empty name. Raises NotFound."""
    stored = profiles(environ)
    if name:
        stored.get(name)
    _save_profiles(replace(stored, used=name), environ)


def remove_profile(name: str, environ: Mapping[str, str] = os.environ) -> None:
    """Remove a profile with its token. Raises NotFound."""
    stored = profiles(environ)
    url = stored.get(name).get("url", DEFAULT_URL)
    left = {each: values for each, values in stored.profiles.items() if each != name}
    save_token(url, "", name, environ)
    _save_profiles(StoredProfiles(left, "" if stored.used == name else stored.used), environ)


def _save_profiles(stored: StoredProfiles, environ: Mapping[str, str]) -> None:
    document = {"used": stored.used, "profiles": stored.profiles}
    _write(folder(environ) / PROFILES, json.dumps(document, indent=2))


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


def plain_url(url: str) -> str:
    """An address without blanks around it, and without the `/v1` of the API that ends some copied ones."""
    return url.strip().rstrip("/").removesuffix("/v1").rstrip("/")


def other_logins(url: str, environ: Mapping[str, str] = os.environ) -> list[str]:
    """The other servers that there is a stored token for."""
    return sorted({key.partition(" ")[0] for key in _tokens(environ)} - {url})


def stored_token(url: str, name: str = "", environ: Mapping[str, str] = os.environ) -> str:
    """The stored token for a server, or for the profile `name` of it; empty if there is none."""
    return str(_tokens(environ).get(_key(url, name), ""))


def save_token(url: str, token: str, name: str = "", environ: Mapping[str, str] = os.environ) -> Path:
    """Store the token for a server, or for the profile `name` of it, or remove it if it is empty.

    Returns the file, which only the user can read.
    """
    tokens = {**_tokens(environ), _key(url, name): token}
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


def _key(url: str, name: str) -> str:
    """Of a token among the credentials. An address has no blank."""
    return f"{url.rstrip('/')} {name}".strip()


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
