"""The URI of the plugin. It takes precedence over the environment, which takes precedence over the defaults."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import SplitResult, parse_qsl, urlsplit

SCHEME = "modelregistry"
SCHEMES = (SCHEME, f"{SCHEME}+http", f"{SCHEME}+https")

VARIABLES = {
    "host": "MODEL_REGISTRY_HOST",
    "port": "MODEL_REGISTRY_PORT",
    "author": "MODEL_REGISTRY_AUTHOR",
    "is-secure": "MODEL_REGISTRY_SECURE",
    "user-token": "MODEL_REGISTRY_TOKEN",
    "custom-ca": "MODEL_REGISTRY_CA",
}
"""The variables of the environment, by the names of the parameters (and parts) of the URI."""

PARAMETERS = ("author", "is-secure", "user-token", "custom-ca")
BOOLEANS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


class AddressError(ValueError):
    """The URI or the environment does not say where the registry is. The text is one sentence."""


@dataclass(frozen=True, slots=True)
class RegistryAddress:
    """The address of the registry, and the credentials for it."""

    url: str  # http(s)://host:port, with a prefix if there is one
    author: str = ""
    user_token: str = ""  # a token, or the path of a file that has it
    custom_ca: str = ""  # the path of a CA bundle

    @property
    def token(self) -> str | None:
        """The token now: a file is read each time, because it may be renewed."""
        if not self.user_token:
            return None
        if os.sep in self.user_token and (file := Path(self.user_token)).is_file():
            return file.read_text().strip()
        return self.user_token


def parse(uri: str, environment: Mapping[str, str] = os.environ) -> RegistryAddress:
    """Raises AddressError."""
    parts = urlsplit(uri)
    if parts.scheme not in SCHEMES:
        raise AddressError(f"{uri!r} is not a URI such as {SCHEME}://host:port")
    parameters = _parameters(parts)

    def value(name: str, default: str = "") -> str:
        return parameters.get(name) or environment.get(VARIABLES[name]) or default

    is_secure = _is_secure(parts.scheme, parameters.get("is-secure"), value("is-secure", "true"))
    host = parts.hostname or environment.get(VARIABLES["host"], "")
    if not host:
        raise AddressError(f"{uri!r} names no host, and {VARIABLES['host']} is not set")
    port = _port(parts) or environment.get(VARIABLES["port"]) or ("443" if is_secure else "80")
    if not port.isascii() or not port.isdigit():
        raise AddressError(f"the port {port!r} is not a number")
    shown_host = f"[{host}]" if ":" in host else host
    url = f"{'https' if is_secure else 'http'}://{shown_host}:{port}{parts.path.rstrip('/')}"
    return RegistryAddress(url, value("author"), value("user-token"), value("custom-ca"))


def _parameters(parts: SplitResult) -> dict[str, str]:
    parameters = dict(parse_qsl(parts.query, keep_blank_values=True))
    if unknown := sorted(parameters.keys() - set(PARAMETERS)):
        raise AddressError(f"{unknown[0]!r} is not a parameter of the URI; there are {', '.join(PARAMETERS)}")
    return parameters


def _port(parts: SplitResult) -> str:
    try:
        return str(parts.port) if parts.port is not None else ""
    except ValueError:
        raise AddressError(f"{parts.netloc.rpartition('@')[2]!r} has no valid port") from None


def _is_secure(scheme: str, parameters: str | None, known: str) -> bool:
    """The scheme takes precedence over the environment, and must not contradict the rest of the URI."""
    by_scheme = {f"{SCHEME}+http": False, f"{SCHEME}+https": True}.get(scheme)
    if by_scheme is None:
        return _boolean(known)
    if parameters and _boolean(parameters) is not by_scheme:
        raise AddressError(f"the scheme {scheme} and is-secure={parameters} say the opposite")
    return by_scheme


def _boolean(text: str) -> bool:
    if text.lower() not in BOOLEANS:
        raise AddressError(f"is-secure: true or false is needed, not {text!r}")
    return BOOLEANS[text.lower()]
