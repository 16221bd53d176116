"""Write `docs/settings.md` from the settings themselves: `python -m catalog.settings.reference docs/settings.md`."""

import sys
from pathlib import Path

from catalog.settings.aliases import ALIASES
from catalog.settings.secret_files import FILES
from catalog.settings.settings import table

SECTIONS = {
    "VERSION": "Addresses and protocol",
    "API_TOKEN": "Tokens of sign-in",
    "DATABASE": "Where data is stored",
    "MAX_UPLOAD_SIZE": "Uploads, trash and garbage collection",
    "LIMIT_NAME": "Limits",
    "LOG": "Journal, logs and traces",
    "CLIENT_TIMEOUT": "Timeouts",
    "DEFAULT_TENANT": "The default tenant",
    "MIN_PASSWORD_STRENGTH": "Passwords and mail",
    "TRUSTED_PROXIES": "Proxies, browsers and processes",
}
"""The heading that stands before a setting. The order is that of the settings."""

INTRODUCTION = """\
# Settings

<!-- Written by `make docs` from catalog/settings. -->

The server takes each setting from the environment, else from `init/variables.env`, else from the default below. An
empty value counts as not set. An invalid value stops the start with one sentence that names the setting. `catalog env`
prints the current settings, with secrets as `****`; `catalog serve --env-file FILE` reads another file.

- A *duration* is a number with `s`, `m`, `h` or `d` (`45s`, `30m`, `12h`, `7d`); a bare number is seconds.
- A *size* is a number with `K`, `M`, `G` or `T` (`500M`, `10G`; powers of 1024); a bare number is bytes.
- A *list* separates its elements by commas.
- A *switch* is `true` or `false`.
"""

FILES_SECTION = """
## Secrets in files

Docker, Kubernetes and systemd pass secrets as files. Each of these settings holds the path of a file:
{files}.
For example, `API_TOKEN_FILE=/run/secrets/api_token` reads API_TOKEN from that file. The file holds one line. The start
fails if the file cannot be read, is empty or has several lines, or if the secret itself is set as well. The server
reads the files only at the start.
"""

ALIASES_SECTION = """
## Names of other registries

The server also accepts these names. If both names are set, the name of this catalog takes precedence.

| name | setting |
|---|---|
"""


def markdown() -> str:
    lines = [INTRODUCTION]
    for setting in table():
        if heading := SECTIONS.get(setting.name):
            lines.append(f"\n## {heading}\n\n| name | default | meaning |\n|---|---|---|\n")
        lines.append(f"| {setting.name} | {setting.default or '(none)'} | {setting.meaning} |\n")
    files = ", ".join(f"`{name}`" for name in FILES)
    aliases = "".join(f"| {name} | {setting} |\n" for name, setting in ALIASES.items())
    return "".join(lines) + FILES_SECTION.format(files=files) + ALIASES_SECTION + aliases


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(markdown())
