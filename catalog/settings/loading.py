"""Reads the settings: the environment takes precedence over `init/variables.env`, which takes precedence over defaults.

A wrong value stops the start with one sentence that names the variable and never shows a secret.
"""

import difflib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dotenv.parser import Binding, parse_stream
from pydantic import ValidationError

from catalog.settings.aliases import ALIASES, translated
from catalog.settings.checks import problems
from catalog.settings.secret_files import FILES, SecretFileError, with_contents
from catalog.settings.settings import Settings

FILE = Path("init/variables.env")


class SettingsError(Exception):
    """The server cannot start with these settings. The sentence says what to change, and shows no secret."""


def load(file: Path = FILE, environ: Mapping[str, str] = os.environ) -> Settings:
    """Read the settings. The file may be missing. An empty value means the default.

    Raises SettingsError.
    """
    known = {name.upper() for name in Settings.model_fields} | ALIASES.keys() | FILES.keys()
    written = read_file(file, known)
    return _checked({**_fields(written), **_fields({name: environ[name] for name in known & environ.keys()})})


def with_values(settings: Settings, values: Mapping[str, str]) -> Settings:
    """The settings with some values replaced. Raises SettingsError."""
    return _checked({**dict(settings), **_fields(values)})


def _fields(values: Mapping[str, str]) -> dict[str, Any]:
    try:
        values = with_contents(values)
    except SecretFileError as error:
        raise SettingsError(str(error)) from None
    filled = {name: value.strip() for name, value in values.items() if value.strip()}
    return {name.lower(): value for name, value in translated(filled).items()}


def _checked(fields: dict[str, Any]) -> Settings:
    try:
        settings = Settings(**fields)
    except ValidationError as error:
        # Not chained: pydantic's report shows values, and a value may be a secret.
        raise SettingsError(_sentence(error)) from None
    for problem in problems(settings):
        raise SettingsError(problem)
    return settings


def _sentence(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    words = first["msg"].removeprefix("Value error, ").removeprefix("Input ").removeprefix("String ")
    return f"{str(first['loc'][0]).upper()} {words}" if first["loc"] else words


def read_file(file: Path, known: set[str]) -> dict[str, str]:
    try:
        with file.open(encoding="utf-8-sig") as lines:
            bindings = list(parse_stream(lines))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{file} cannot be read ({reason(error)})") from None

    for binding in bindings:
        _check_line(binding, file, known)
    return {binding.key: binding.value or "" for binding in bindings if binding.key}


def _check_line(binding: Binding, file: Path, known: set[str]) -> None:
    before = binding.original.string
    number = binding.original.line + before[: len(before) - len(before.lstrip())].count("\n")
    if binding.error or (binding.key and binding.value is None):
        raise SettingsError(f"{file}, line {number} is not of the form NAME=value")

    if binding.key and binding.key not in known:
        near = difflib.get_close_matches(binding.key.upper(), sorted(known), n=1)
        hint = f": did you mean {near[0]}?" if near else ""
        raise SettingsError(f"{file}, line {number} sets {binding.key}, which is not a setting{hint}")


def reason(error: OSError | UnicodeDecodeError) -> str:
    return (error.strerror or "it cannot be opened") if isinstance(error, OSError) else "it is not UTF-8 text"
