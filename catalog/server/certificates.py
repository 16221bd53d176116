"""The choice of a certificate: a real one, else a self-signed one, else none.

A pair that exists and cannot be used always causes a warning.
"""

import contextlib
import errno
import ipaddress
import os
import socket
import ssl
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID

FULL_CHAIN = "fullchain.pem"
FULL_CHAIN_KEYS = ("privkey.pem", "key.pem")
SELF_SIGNED = "caCert.pem"
SELF_SIGNED_KEY = "privateKey.pem"
TLS_1_2_CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"
"""Forward secret and authenticated: without those of CBC. Those of TLS 1.3 are all of this kind."""

# The longest life that every common client accepts.
SELF_SIGNED_LIFE = timedelta(days=825)

REMINDED_BEFORE = timedelta(days=14)
"""Before the end of a certificate that is in use, or a quarter of its life if that is less."""


class UnusableCertificateError(Exception):
    """Names the file and says why it cannot be used."""


class CertificateChoice(NamedTuple):
    certificate: Path | None  # None: plain HTTP
    key: Path | None
    context: ssl.SSLContext | None
    warnings: list[str]  # one for each pair that cannot be used
    leaf: x509.Certificate | None = None  # the server's own, the first of the chain

    @property
    def is_self_signed(self) -> bool:
        return self.certificate is not None and self.certificate.name == SELF_SIGNED


def is_real(choice: CertificateChoice) -> bool:
    """Whether another party than its owner has signed the certificate, whatever its file is called."""
    return choice.leaf is not None and choice.leaf.issuer != choice.leaf.subject


def names_of(leaf: x509.Certificate | None) -> list[str]:
    """The names and addresses that a certificate is for, in its own order and in lower case."""
    try:
        named = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value if leaf else ()
    except x509.ExtensionNotFound:
        return []
    return [str(name.value).lower() for name in named if isinstance(name, x509.DNSName | x509.IPAddress)]


def choose(folder: Path, passphrase: str) -> CertificateChoice:
    warnings = list(_incomplete_pairs(folder))
    for certificate, key in _pairs(folder):
        try:
            leaf = _leaf(certificate)
            return CertificateChoice(certificate, key, _context(leaf, certificate, key, passphrase), warnings, leaf)
        except UnusableCertificateError as reason:
            warnings.append(str(reason))
    return CertificateChoice(None, None, None, warnings)


def _pairs(folder: Path) -> Iterator[tuple[Path, Path]]:
    ladder = [(FULL_CHAIN, key) for key in FULL_CHAIN_KEYS] + [(SELF_SIGNED, SELF_SIGNED_KEY)]
    for certificate, key in ladder:
        if (folder / certificate).exists() and (folder / key).exists():
            yield folder / certificate, folder / key


def _incomplete_pairs(folder: Path) -> Iterator[str]:
    for certificate, keys in ((FULL_CHAIN, FULL_CHAIN_KEYS), (SELF_SIGNED, (SELF_SIGNED_KEY,))):
        there = [key for key in keys if (folder / key).exists()]
        if (folder / certificate).exists() and not there:
            yield f"{folder / certificate} has no private key beside it ({' or '.join(keys)})"
        if there and not (folder / certificate).exists():
            yield f"{folder / there[0]} has no certificate beside it ({certificate})"


def _context(leaf: x509.Certificate, certificate: Path, key: Path, passphrase: str) -> ssl.SSLContext:
    private = _private_key(key, passphrase)
    try:
        if _public(leaf) != _public(private):
            raise UnusableCertificateError(f"{key} is not the private key of {certificate}")
    except (UnsupportedAlgorithm, ValueError) as error:
        raise UnusableCertificateError(f"{certificate} has a public key of an unknown kind") from error

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(TLS_1_2_CIPHERS)
    context.set_alpn_protocols(["http/1.1"])
    try:
        # Without a callable, OpenSSL would prompt on the terminal and the start would hang.
        context.load_cert_chain(certificate, key, password=lambda: passphrase)
    except (OSError, ValueError) as error:
        raise UnusableCertificateError(f"{certificate} and {key} cannot be used ({_reason(error)})") from error
    return context


def _leaf(certificate: Path) -> x509.Certificate:
    try:
        leaf = x509.load_pem_x509_certificates(_bytes(certificate))[0]
    except ValueError as error:
        raise UnusableCertificateError(f"{certificate} does not hold a certificate in PEM form") from error

    now = datetime.now(UTC)
    if now > leaf.not_valid_after_utc:
        raise UnusableCertificateError(f"{certificate} expired on {leaf.not_valid_after_utc:%Y-%m-%d}")
    if now < leaf.not_valid_before_utc:
        raise UnusableCertificateError(f"{certificate} is not valid before {leaf.not_valid_before_utc:%Y-%m-%d}")
    return leaf


def _private_key(key: Path, passphrase: str) -> PrivateKeyTypes:
    content = _bytes(key)
    encrypted = b"ENCRYPTED" in content
    if encrypted and not passphrase:
        raise UnusableCertificateError(f"{key} is protected by a passphrase, and HTTPSSECRET is empty")
    try:
        return serialization.load_pem_private_key(content, passphrase.encode() if encrypted else None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        why = "is not opened by HTTPSSECRET" if encrypted else "does not hold a private key in PEM form"
        raise UnusableCertificateError(f"{key} {why}") from error


def _public(holder: x509.Certificate | PrivateKeyTypes) -> bytes:
    return holder.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise UnusableCertificateError(f"{file} cannot be read ({_reason(error)})") from error


def _reason(error: OSError | ValueError) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


class RenewableCertificate:
    """A TLS context that follows the files: connections made after a renewal get the new certificate.

    The key may change its type, so a new context replaces the old one for new connections: a context that is loaded
    twice would keep both keys.
    """

    def __init__(self, folder: Path, passphrase: str, choice: CertificateChoice) -> None:
        assert choice.context
        self.folder = folder
        self.passphrase = passphrase
        self.choice = choice
        self.context = choice.context
        self.context.sni_callback = self._use_newest
        self.stamp = _file_states(folder)
        self._reminder = ""
        """What was said last of its end."""

    def refresh(self, now: datetime | None = None) -> list[str]:
        """Check the files again, and return warnings about those that changed, and each day about one that ends.

        Half a renewal (the certificate copied, its key not yet) keeps the certificate in use.
        """
        warnings: list[str] = []
        stamp = _file_states(self.folder)
        if stamp != self.stamp:
            self.stamp = stamp
            choice = choose(self.folder, self.passphrase)
            if choice.context and not (choice.is_self_signed and not self.choice.is_self_signed):
                self.choice = choice
            warnings += choice.warnings
        reminder = _reminder(self.choice, now or datetime.now(UTC))
        if reminder and reminder != self._reminder:
            warnings.append(reminder)
        self._reminder = reminder
        return warnings

    def _use_newest(self, connection: ssl.SSLObject, _name: str | None, _context: ssl.SSLContext) -> None:
        assert self.choice.context
        connection.context = self.choice.context


def _reminder(choice: CertificateChoice, now: datetime) -> str:
    """What to say about a certificate that is in use and ends, or has ended: another sentence each day."""
    assert choice.leaf
    begins, ends = choice.leaf.not_valid_before_utc, choice.leaf.not_valid_after_utc
    if now > ends:
        days = (now - ends).days
        return (
            f"{choice.certificate} expired on {ends:%Y-%m-%d}, {days} days ago: clients refuse it until it is renewed"
        )
    if ends - now > min(REMINDED_BEFORE, (ends - begins) / 4):
        return ""
    return f"{choice.certificate} expires on {ends:%Y-%m-%d}, in {(ends - now).days} days: renew it"


def _file_states(folder: Path) -> list[tuple[str, int, int]]:
    stamp = []
    for name in (FULL_CHAIN, *FULL_CHAIN_KEYS, SELF_SIGNED, SELF_SIGNED_KEY):
        with contextlib.suppress(OSError):
            status = (folder / name).stat()
            stamp.append((name, status.st_mtime_ns, status.st_size))
    return stamp


def make_self_signed(folder: Path, names: Iterable[str] = ()) -> tuple[Path, Path]:
    """Write a self-signed pair for this machine and `names` (host names or addresses), and return both paths.

    Raises FileExistsError where one exists.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = _self_signed(key, dict.fromkeys(["localhost", "127.0.0.1", "::1", socket.gethostname(), *names]))
    written = key.private_bytes(
        Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption_algorithm=serialization.NoEncryption()
    )

    folder.mkdir(parents=True, exist_ok=True)
    if (folder / SELF_SIGNED).exists():
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), folder / SELF_SIGNED)
    _write_new(folder / SELF_SIGNED_KEY, written, 0o600)
    _write_new(folder / SELF_SIGNED, certificate.public_bytes(Encoding.PEM), 0o644)
    return folder / SELF_SIGNED, folder / SELF_SIGNED_KEY


def _self_signed(key: ec.EllipticCurvePrivateKey, names: Iterable[str]) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Catalog")])
    now = datetime.now(UTC)
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    return (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))  # clocks differ
        .not_valid_after(now + SELF_SIGNED_LIFE)
        .add_extension(x509.SubjectAlternativeName([_general_name(name) for name in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(identifier, critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier), critical=False)
        .sign(key, hashes.SHA256())
    )


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _write_new(file: Path, content: bytes, mode: int) -> None:
    with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as writing:  # noqa: PTH123  a mode from the first byte on
        writing.write(content)
