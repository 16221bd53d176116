"""Credentials of the store: the keys of the settings, or those that AWS's tools use.

Without keys, the sources are asked in the order of AWS's own clients: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; the
profile AWS_PROFILE, or `default`, of AWS_SHARED_CREDENTIALS_FILE (~/.aws/credentials); then a web identity
(AWS_WEB_IDENTITY_TOKEN_FILE, AWS_ROLE_ARN) and the roles of a container and of a machine, which the client of the store
asks by itself, and renews.
"""

import os
from collections.abc import Callable, Mapping
from configparser import ConfigParser, Error
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple, TypedDict

from catalog.blobs.protocol import StorageSetupError

READ_AGAIN = timedelta(minutes=5)
"""How long the keys of a profile are used: another program may renew them in the file."""

ROLES = ("AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI")


class Keys(NamedTuple):
    access_key: str
    secret_key: str
    token: str = ""  # of temporary keys
    is_lasting: bool = True


class Credential(TypedDict):
    """As the client of the store takes it."""

    access_key_id: str
    secret_access_key: str
    token: str | None
    expires_at: datetime | None


def find(access_key: str, secret_key: str, environment: Mapping[str, str] = os.environ) -> Keys | None:
    """The keys to use now. None: the store's client asks for those of a role.

    Raises StorageSetupError for a profile that is named and has no keys.
    """
    if access_key:
        return Keys(access_key, secret_key)
    if environment.get("AWS_ACCESS_KEY_ID"):
        token = environment.get("AWS_SESSION_TOKEN", "")
        return Keys(environment["AWS_ACCESS_KEY_ID"], environment.get("AWS_SECRET_ACCESS_KEY", ""), token)
    profile, file = environment.get("AWS_PROFILE", ""), _file(environment)
    if not profile and any(environment.get(name) for name in ROLES):
        return None
    keys = _of_profile(file, profile or "default")
    if keys is None and profile:
        raise StorageSetupError(
            f"AWS_PROFILE {profile} has no aws_access_key_id and aws_secret_access_key in {file}: a profile that "
            "assumes a role or signs in is not supported, set keys or use the role of the machine"
        )
    return keys


def sources(access_key: str, secret_key: str) -> Callable[[], Credential] | None:
    """What the store's client asks for keys. None: it finds those of a role by itself."""
    with suppress(StorageSetupError):  # `S3Storage.check` tells it
        if find(access_key, secret_key) is None:
            return None

    def current() -> Credential:
        keys = find(access_key, secret_key)
        if keys is None:
            raise StorageSetupError("the keys of the storage are gone from the profile")
        expires = None if keys.is_lasting else datetime.now(UTC) + READ_AGAIN
        return {
            "access_key_id": keys.access_key,
            "secret_access_key": keys.secret_key,
            "token": keys.token or None,
            "expires_at": expires,
        }

    return current


def description(access_key: str, environment: Mapping[str, str] = os.environ) -> str:
    """Where the keys come from, for the operator."""
    keys = find(access_key, "", environment)
    if access_key:
        return "S3_ACCESS_KEY"
    if keys and keys.is_lasting:
        return "AWS_ACCESS_KEY_ID"
    if keys:
        return f"the profile {environment.get('AWS_PROFILE', 'default')} of {_file(environment)}"
    return next((name for name in ROLES if environment.get(name)), "the role of this machine")


def problem(failure: str, access_key: str) -> str:
    """What is wrong with the credentials of a role, if the first call to the store failed on them; else nothing."""
    asked = ("169.254.", "credential", "Credential", "AssumeRole", "latest/api/token", "metadata")
    if access_key or not any(word in failure for word in asked):
        return ""
    return (
        f"S3_CREDENTIALS is aws, and {description('')} gives no credentials: set AWS_ACCESS_KEY_ID, AWS_PROFILE or a "
        "role, or S3_CREDENTIALS=keys with S3_ACCESS_KEY and S3_SECRET_KEY"
    )


def _file(environment: Mapping[str, str]) -> Path:
    return Path(environment.get("AWS_SHARED_CREDENTIALS_FILE") or "~/.aws/credentials").expanduser()


def _of_profile(file: Path, profile: str) -> Keys | None:
    """Raises StorageSetupError for a file that cannot be read."""
    parser = ConfigParser(interpolation=None)
    try:
        parser.read_string(file.read_text())
    except FileNotFoundError:
        return None
    except (OSError, Error, UnicodeDecodeError) as error:
        raise StorageSetupError(f"{file} cannot be read as AWS credentials: {type(error).__name__}") from None
    if not parser.has_option(profile, "aws_access_key_id"):
        return None
    section = parser[profile]
    token = section.get("aws_session_token", "")
    return Keys(section["aws_access_key_id"], section.get("aws_secret_access_key", ""), token, is_lasting=False)
