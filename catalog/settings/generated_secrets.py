"""The secrets that the first start generates, in `DATA_PATH/secrets.env`."""

import logging
import secrets
from contextlib import suppress
from pathlib import Path

from catalog.atomic_files import new_file
from catalog.settings.loading import SettingsError, read_file, reason, with_values
from catalog.settings.settings import Settings

logger = logging.getLogger(__name__)

GENERATED = ("API_TOKEN", "JWT_SECRET")


def with_secrets(settings: Settings) -> tuple[Settings, Path | None]:
    """Fill in an empty API_TOKEN or JWT_SECRET, and return the file that has them (None: both were set).

    The first start writes `DATA_PATH/secrets.env`, which is never overwritten: servers that
    start at the same time get the same secrets.

    Raises SettingsError.
    """
    missing = [name for name in GENERATED if not getattr(settings, name.lower()).get_secret_value()]
    if not missing:
        return settings, None

    file = settings.data_path / "secrets.env"
    try:
        _generate(file)
        _close_to_others(file)
    except OSError as error:
        raise SettingsError(f"DATA_PATH: {file} cannot be written ({reason(error)})") from None

    written = read_file(file, set(GENERATED))
    for name in missing:
        if not written.get(name, "").strip():
            raise SettingsError(f"{name} is not in {file}: add it, or remove the file to have new secrets generated")
    return with_values(settings, {name: written[name] for name in missing}), file


def read_secrets(settings: Settings) -> dict[str, str]:
    """The secrets that an earlier start has generated, if there was one.

    Raises SettingsError.
    """
    return read_file(settings.data_path / "secrets.env", set(GENERATED))


def _generate(file: Path) -> None:
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if file.exists():
        return

    # Of two servers that start at once, the first one's secrets stay.
    with suppress(FileExistsError), new_file(file) as writing:
        writing.writelines(f"{name}={secrets.token_urlsafe(32)}\n".encode() for name in GENERATED)


def _close_to_others(file: Path) -> None:
    if file.is_file() and file.stat().st_mode & 0o077:
        file.chmod(0o600)
        logger.warning("%s could be read by other users of this machine; it no longer can", file)
