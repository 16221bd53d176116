"""The sockets that the server listens on, and the certificate that it shows there."""

import contextlib
import logging
import socket
from collections.abc import Generator
from pathlib import Path
from typing import NamedTuple

from catalog.certificates import Renewable, choose
from catalog.settings import Settings

logger = logging.getLogger(__name__)

RESOURCES = Path("resources")
BACKLOG = 2048
ANY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  shown, not listened on


class CannotListen(Exception):  # noqa: N818  the sentence it reads as matters more than the suffix
    """Names the setting to change."""


class Doors(NamedTuple):
    """Where the catalog is, and with HTTP_REDIRECT plain HTTP beside it. Without `tls`, `main` is plain HTTP."""

    main: socket.socket
    plain: socket.socket | None
    tls: Renewable | None


@contextlib.contextmanager
def opened(settings: Settings) -> Generator[Doors]:
    """Listen for as long as the context lasts, with a warning for all that is not as it should be.

    Raises CannotListen.
    """
    tls = certificate(settings, warn=True)
    with _listen(settings, is_tls=tls is not None) as main:
        if settings.http_redirect and tls is None:
            logger.warning("HTTP_REDIRECT is set, and there is no HTTPS to send anyone on to")
        if settings.http_redirect and tls:
            with _listen(settings, is_tls=False) as plain:
                yield Doors(main, plain, tls)
        else:
            yield Doors(main, None, tls)


def certificate(settings: Settings, *, warn: bool) -> Renewable | None:
    """What to show to whoever connects; None is plain HTTP."""
    if settings.protocol == "http":
        return None
    passphrase = settings.httpssecret.get_secret_value()
    choice = choose(RESOURCES, passphrase)
    said = list(choice.warnings)
    if choice.context is None:
        said.append(f"no certificate in {RESOURCES}/: serving plain HTTP")
    elif choice.is_self_signed:
        said.append(f"the certificate is self-signed: clients have to be told to trust {choice.certificate}")
    for warning in said if warn else ():
        logger.warning("%s", warning)
    return Renewable(RESOURCES, passphrase, choice) if choice.context else None


def address(settings: Settings, doors: Doors) -> str:
    """What a client on this machine types."""
    host = local(settings.host)
    shown = f"[{host}]" if ":" in host else host
    return f"{'https' if doors.tls else 'http'}://{shown}:{doors.main.getsockname()[1]}"


def local(host: str) -> str:
    return ANY_ADDRESS.get(host, host)


def _listen(settings: Settings, *, is_tls: bool) -> socket.socket:
    name, port = ("HTTPS_PORT", settings.https_port) if is_tls else ("HTTP_PORT", settings.http_port)
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        return socket.create_server((settings.host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        why = (error.strerror or "").partition(" (")[0].lower()
        raise CannotListen(f"{name} {port} of HOST {settings.host} cannot be listened on: {why}") from error
