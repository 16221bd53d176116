"""What settings must be together: secrets that are long enough for where the server can be reached, and their like."""

import re
from collections.abc import Iterator

from catalog.settings.settings import Settings

# The secrets that let anyone in who guesses them. SMTP_PASSWORD is not among them: a mail provider chose it.
GUARDED = ("httpssecret", "api_token", "jwt_secret", "s3_secret_key", "default_tenant_admin_temporary_password")
SIGNING_BYTES = 32  # the length of a SHA-256, which HS256 needs
GUESSABLE_UNDER = 16  # characters; every secret that stands in a manual has fewer


def problems(settings: Settings) -> Iterator[str]:
    """Sentences that say which setting to change. None of them shows a secret."""
    yield from _mail(settings)
    yield from _storage(settings)
    if settings.backup_every and not settings.backup_to:
        yield "BACKUP_TO is needed beside BACKUP_EVERY: a folder, or s3://bucket/prefix"
    if not settings.on_loopback:
        yield from _secrets(settings)


def weak_secrets(settings: Settings) -> list[str]:
    """The names of the secrets that are accepted on loopback only."""
    weak = [name.upper() for name in GUARDED if is_guessable(getattr(settings, name).get_secret_value())]
    return weak + (["JWT_SECRET"] if _signs_badly(settings) and "JWT_SECRET" not in weak else [])


def is_guessable(secret: str) -> bool:
    """Whether a secret that is set is too short, or a placeholder made longer."""
    return 0 < len(secret) < GUESSABLE_UNDER or "changeme" in re.sub(r"[\s_-]", "", secret.lower())


def _signs_badly(settings: Settings) -> bool:
    return 0 < len(settings.jwt_secret.get_secret_value().encode()) < SIGNING_BYTES


def _mail(settings: Settings) -> Iterator[str]:
    needed = {"SMTP_EMAIL": settings.smtp_email, "PUBLIC_URL": settings.public_url}
    for name, value in needed.items():
        if settings.smtp_server and not value:
            yield f"{name} is needed beside SMTP_SERVER"


def _storage(settings: Settings) -> Iterator[str]:
    if settings.storage == "files":
        return
    for name in ("s3_access_key", "s3_secret_key"):
        if settings.s3_credentials == "keys" and not getattr(settings, name):
            yield f"{name.upper()} should be set, as STORAGE is {settings.storage}"
        if settings.s3_credentials == "aws" and getattr(settings, name):
            yield f"{name.upper()} is set, and S3_CREDENTIALS=aws does not use it: empty it, or set S3_CREDENTIALS=keys"
    if settings.s3_kms_key and not settings.s3_encryption.startswith("aws:kms"):
        yield "S3_KMS_KEY needs S3_ENCRYPTION=aws:kms or aws:kms:dsse"


def _secrets(settings: Settings) -> Iterator[str]:
    if _signs_badly(settings):
        yield (
            f"JWT_SECRET should have at least {SIGNING_BYTES} bytes while HOST {settings.host} can be reached from "
            "other machines: give a longer one, or leave it empty to have one generated"
        )
    for name in GUARDED:
        if is_guessable(getattr(settings, name).get_secret_value()):
            yield (
                f"{name.upper()} is well-known or under {GUESSABLE_UNDER} characters, "
                f"which is not safe while HOST {settings.host} can be reached from other machines"
            )
