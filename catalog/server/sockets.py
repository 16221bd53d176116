"""The sockets that the server listens on, and the certificate that it uses there."""

import contextlib
import errno
import logging
import socket
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import NamedTuple

from catalog.server.certificates import RenewableCertificate, choose
from catalog.settings.settings import Settings

logger = logging.getLogger(__name__)

RESOURCES = Path("resources")
BACKLOG = 2048
GRACE = 30  # seconds that requests in flight have to finish after the signal to stop
ANY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  shown, not listened on


class ListenError(Exception):
    """The server cannot listen as it is set up. The message names the setting to change."""


class LoadedCertificate(NamedTuple):
    """The certificate of a start. Without `tls` it serves plain HTTP."""

    tls: RenewableCertificate | None
    warnings: Sequence[str] = ()


class Listeners(NamedTuple):
    """The sockets of the server. Without `tls`, `main` is plain HTTP."""

    main: socket.socket
    plain: socket.socket | None
    """Redirects to HTTPS, where HTTP_REDIRECT is set."""
    tls: RenewableCertificate | None
    reserved: socket.socket | None = None
    """Bound to HTTPS_PORT while there is no certificate, and not listening yet: clients are refused there."""


@contextlib.contextmanager
def listen(settings: Settings, certificate: LoadedCertificate) -> Generator[Listeners]:
    """Listen for as long as the context lasts. Logs warnings about the certificate and ports.

    Raises ListenError.
    """
    tls = certificate.tls
    for warning in certificate.warnings:
        logger.warning("%s", warning)
    with _listen(settings, is_tls=tls is not None) as main, contextlib.ExitStack() as others:
        plain = reserved = None
        if settings.http_redirect and tls is None:
            logger.warning("HTTP_REDIRECT is set, but there is no HTTPS to redirect to")
        if settings.http_redirect and tls:
            plain = others.enter_context(_listen(settings, is_tls=False))
        if settings.protocol == "https" and tls is None:
            reserved = _reserve(settings)
            if reserved:
                others.enter_context(reserved)
        yield Listeners(main, plain, tls, reserved)


def refuse_taken_ports(settings: Settings, certificate: LoadedCertificate) -> None:
    """Look whether `listen` can have its ports, without listening: before anything else is started.

    Raises ListenError.
    """
    is_tls = certificate.tls is not None
    for is_https in {is_tls, is_tls and not settings.http_redirect}:
        _bound(settings, is_tls=is_https).close()


def load_certificate(settings: Settings) -> LoadedCertificate:
    """Raises ListenError when other machines can reach HOST and PROTOCOL is https, but no certificate is usable: plain
    HTTP in its place would send passwords in clear text.
    """
    if settings.protocol == "http":
        return LoadedCertificate(None)
    passphrase = settings.httpssecret.get_secret_value()
    choice = choose(RESOURCES, passphrase)
    warnings = list(choice.warnings)
    if choice.context is None and not settings.on_loopback:
        raise ListenError(_no_certificate(settings.host, warnings))
    if choice.context is None:
        warnings.append(f"no certificate in {RESOURCES}/: serving plain HTTP")
    elif choice.is_self_signed:
        warnings.append(f"the certificate is self-signed: clients must be configured to trust {choice.certificate}")
    return LoadedCertificate(RenewableCertificate(RESOURCES, passphrase, choice) if choice.context else None, warnings)


def _no_certificate(host: str, reasons: Sequence[str]) -> str:
    why = "; ".join(reasons) or f"there is none in {RESOURCES}/"
    return (
        f"PROTOCOL is https, and no certificate can be used ({why}). HOST {host} can be reached from other machines, "
        "so plain HTTP is not served in its place: repair the certificate, create one with `catalog certificate "
        "self-signed`, or set PROTOCOL=http when a proxy has the certificate"
    )


def base_url(settings: Settings, listeners: Listeners) -> str:
    """The URL for clients on this machine."""
    host = client_host(settings.host)
    shown = f"[{host}]" if ":" in host else host
    return f"{'https' if listeners.tls else 'http'}://{shown}:{listeners.main.getsockname()[1]}"


def client_host(host: str) -> str:
    return ANY_ADDRESS.get(host, host)


def _listen(settings: Settings, *, is_tls: bool) -> socket.socket:
    listener = _bound(settings, is_tls=is_tls)
    try:
        listener.listen(BACKLOG)  # which may find the port taken, too
    except OSError as error:
        listener.close()
        raise _taken(settings, error, is_tls=is_tls) from error
    return listener


def _bound(settings: Settings, *, is_tls: bool) -> socket.socket:
    """Raises ListenError."""
    bound = socket.socket(_family(settings))
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if bound.family == socket.AF_INET6:
            bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, not _is_dual_stack(settings))
        bound.bind((settings.host, _port(settings, is_tls=is_tls)[1]))
    except OSError as error:
        bound.close()
        raise _taken(settings, error, is_tls=is_tls) from error
    return bound


def _port(settings: Settings, *, is_tls: bool) -> tuple[str, int]:
    """The setting of a port, and its value."""
    return ("HTTPS_PORT", settings.https_port) if is_tls else ("HTTP_PORT", settings.http_port)


def _taken(settings: Settings, error: OSError, *, is_tls: bool) -> ListenError:
    name, port = _port(settings, is_tls=is_tls)
    why = (error.strerror or "").partition(" (")[0].lower()
    if error.errno == errno.EADDRINUSE:
        why += f" by another program, perhaps a catalog that runs already: stop that one, or set {name} to another port"
    return ListenError(f"{name} {port} of HOST {settings.host} cannot be listened on: {why}")


def _reserve(settings: Settings) -> socket.socket | None:
    """A socket for HTTPS, on which all workers listen once there is a certificate. None when HTTPS_PORT is taken."""
    try:
        return _bound(settings, is_tls=True)
    except ListenError:
        logger.warning("HTTPS_PORT %d is taken: a certificate that comes later needs a restart", settings.https_port)
        return None


def _family(settings: Settings) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in settings.host else socket.AF_INET


def _is_dual_stack(settings: Settings) -> bool:
    """Whether IPv4 clients are served as well: on `::`, unless the system cannot."""
    return settings.host == "::" and socket.has_dualstack_ipv6()
