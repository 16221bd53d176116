"""The files of the user's folder: `config.toml`, `profiles.json`, and `credentials.json` with a token per server and
profile, which only the user can read. Beside them the `.catalog.toml` of a project.
"""

import json
import os
import tempfile
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import platformdirs

from catalog.client.errors import Invalid, NotFound
from catalog.client.locks import locked

DEFAULT_URL = "http://127.0.0.1:8080"
PROJECT = ".catalog.toml"
FOLDER = "CATALOG_CONFIG"
"""The environment variable that names another folder for the user's files."""

PROFILES = "profiles.json"
CREDENTIALS = "credentials.json"
SETTINGS = "config.toml"
LOCK = ".lock"

NAMES = ("url", "token", "tenant", "username", "password", "ca")
SECRETS = ("token", "password")


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
        found = json.loads(_content(file))
        return StoredProfiles({name: dict(values) for name, values in found["profiles"].items()}, str(found["used"]))
    except FileNotFoundError:
        return StoredProfiles()
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise _unreadable(file, error, "Repair or remove it.") from None


def save_profile(name: str, values: Mapping[str, str], environ: Mapping[str, str] = os.environ) -> None:
    """Store a profile, or change the given values of one; empty ones are removed. Another server ends its session."""
    with _alone(environ) as place:
        stored = profiles(environ)
        before = stored.profiles.get(name, {})
        changed = {each: value for each, value in {**before, **values}.items() if value}
        if before.get("url") != changed.get("url"):
            _save_tokens(
                place, {key: each for key, each in _tokens(environ).items() if not _is_other(key, name, changed)}
            )
        _save_profiles(place, replace(stored, profiles={**stored.profiles, name: changed}))


def use_profile(name: str, environ: Mapping[str, str] = os.environ) -> None:
    """Use a profile by default, or none for an empty name. Raises NotFound."""
    with _alone(environ) as place:
        stored = profiles(environ)
        if name:
            stored.get(name)
        _save_profiles(place, replace(stored, used=name))


def remove_profile(name: str, environ: Mapping[str, str] = os.environ) -> None:
    """Remove a profile with its token. Raises NotFound."""
    with _alone(environ) as place:
        stored = profiles(environ)
        stored.get(name)
        _save_tokens(place, {key: each for key, each in _tokens(environ).items() if not _is_other(key, name, {})})
        left = {each: values for each, values in stored.profiles.items() if each != name}
        _save_profiles(place, StoredProfiles(left, "" if stored.used == name else stored.used))


def _save_profiles(place: Path, stored: StoredProfiles) -> None:
    document = {"used": stored.used, "profiles": stored.profiles}
    _write(place / PROFILES, json.dumps(document, indent=2))


def folder(environ: Mapping[str, str] = os.environ) -> Path:
    return Path(environ.get(FOLDER) or platformdirs.user_config_path("catalog", appauthor=False))


def other_logins(url: str, environ: Mapping[str, str] = os.environ) -> list[str]:
    """The other servers that there is a stored token for."""
    return sorted({key.partition(" ")[0] for key in _tokens(environ)} - {url})


def stored_token(url: str, name: str = "", environ: Mapping[str, str] = os.environ) -> str:
    """The stored token for a server, or for the profile `name` of it; empty if there is none."""
    return _tokens(environ).get(_key(url, name), "")


def save_token(url: str, token: str, name: str = "", environ: Mapping[str, str] = os.environ) -> Path:
    """Store the token for a server, or for the profile `name` of it, or remove it if it is empty.

    Returns the file, which only the user can read.
    """
    with _alone(environ) as place:
        return _save_tokens(place, {**_tokens(environ), _key(url, name): token})


def save_defaults(values: Mapping[str, str], environ: Mapping[str, str] = os.environ) -> None:
    """Save the default server, tenant and username in the user's configuration."""
    with _alone(environ) as place:
        file = place / SETTINGS
        values = {**settings_of(file), **values}
        lines = (f"{name} = {json.dumps(value, ensure_ascii=False)}\n" for name, value in values.items() if value)
        _write(file, "".join(lines))


def save_login(
    url: str,
    token: str,
    name: str = "",
    *,
    tenant: str = "",
    username: str = "",
    environ: Mapping[str, str] = os.environ,
) -> Path:
    """Store a session in the profile `name`, or as the default, and return the file of its token."""
    file = save_token(url, token, name, environ)
    about = {"url": url, "tenant": tenant, "username": username}
    if name:
        save_profile(name, about, environ)
    else:
        save_defaults(about, environ)
    return file


def exposed_file(environ: Mapping[str, str] = os.environ) -> Path | None:
    """The file of tokens, if other users of this machine may read it."""
    file = folder(environ) / CREDENTIALS
    try:
        return file if os.name == "posix" and file.stat().st_mode & 0o077 else None
    except OSError:
        return None


@contextmanager
def _alone(environ: Mapping[str, str]) -> Iterator[Path]:
    """Lock the folder: every program reads a file whole and writes it back whole."""
    place = folder(environ)
    try:
        place.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:  # without those of the folders above it
        raise error.with_traceback(None) from None
    with locked(place / LOCK):
        yield place


def _write(file: Path, text: str) -> Path:
    """Write a file atomically, readable by this user only."""
    handle, temporary = tempfile.mkstemp(dir=file.parent)  # created with mode 0600
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as writing:
            writing.write(text)
        return Path(temporary).replace(file)
    except OSError as error:  # a full disk names no file
        error.filename = error.filename or str(file)
        raise
    finally:
        Path(temporary).unlink(missing_ok=True)


def _key(url: str, name: str) -> str:
    """Of a token among the credentials. An address has no blank."""
    return f"{url.rstrip('/')} {name}".strip()


def _is_other(key: str, name: str, values: Mapping[str, str]) -> bool:
    """Whether a token is that of the profile `name`, for another server than that of its `values`."""
    url, _, of = key.partition(" ")
    return of == name and url != values.get("url", "").rstrip("/")


def _save_tokens(place: Path, tokens: Mapping[str, str]) -> Path:
    return _write(place / CREDENTIALS, json.dumps({key: each for key, each in tokens.items() if each}))


def _tokens(environ: Mapping[str, str]) -> dict[str, str]:
    file = folder(environ) / CREDENTIALS
    try:
        found = json.loads(_content(file))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise _unreadable(file, error, "Remove it and sign in again.") from None
    return {key: str(each) for key, each in found.items()} if isinstance(found, dict) else {}


def project(here: Path) -> dict[str, str]:
    """The nearest `.catalog.toml`, in this folder or one above it."""
    for parent in (here, *here.parents):
        file = parent / PROJECT
        if values := settings_of(file):
            if secrets := [name for name in SECRETS if name in values]:
                raise Invalid(
                    f"{file} has a {secrets[0]}", advice="Projects are shared: remove it, and use `catalog login`."
                )
            return values
    return {}


def settings_of(file: Path) -> dict[str, str]:
    try:
        values = tomllib.loads(_content(file).decode())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise _unreadable(file, error, "Repair or remove it.") from None
    unknown = values.keys() - set(NAMES)
    if unknown or not all(isinstance(value, str) for value in values.values()):
        raise Invalid(f"{file}: only {', '.join(NAMES)} can be set, each to a string")
    return values


def _content(file: Path) -> bytes:
    """Raises FileNotFoundError also in a folder that may not be entered: it is that of another user."""
    try:
        return file.read_bytes()
    except PermissionError as error:
        if os.access(file.parent, os.X_OK):
            raise
        raise FileNotFoundError(error.errno, error.strerror, str(file)) from None


def _unreadable(file: Path, error: Exception, advice: str) -> Invalid:
    """The error for a file of the user's. Its content may be a secret, and is not shown."""
    if isinstance(error, OSError):
        return Invalid(f"{file} cannot be read ({error.strerror})", advice=f"{FOLDER} names another folder.")
    reason = error if isinstance(error, tomllib.TOMLDecodeError) else "it is damaged"
    return Invalid(f"{file} cannot be read ({reason})", advice=advice)
