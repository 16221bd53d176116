"""`catalog certificate show`: which certificate would serve, what it says, and why the others would not."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from catalog.server import certificate_chain
from catalog.server.certificates import FULL_CHAIN, SELF_SIGNED, CertificateChoice, is_real, names_of


def described(choice: CertificateChoice, folder: Path) -> list[str]:
    """What a server that started now would serve with, a line each."""
    unusable = [f"Not usable: {warning}" for warning in choice.warnings]
    incomplete = [f"Check: {problem}" for problem in chain_problems(choice)]
    return [*_serving(choice, folder), *incomplete, *unusable, *_idle(choice, folder)]


def chain_problems(choice: CertificateChoice) -> list[str]:
    """What is wrong with the chain that serves. A self-signed certificate has none."""
    return certificate_chain.problems(choice.certificate) if choice.certificate and is_real(choice) else []


def _serving(choice: CertificateChoice, folder: Path) -> Iterator[str]:
    if choice.leaf is None:
        yield f"No certificate of {folder}/ serves: plain HTTP does."
        return
    leaf = choice.leaf
    yield f"{choice.certificate} serves, with the key {choice.key}."
    yield f"  subject      {_name(leaf.subject)}"
    yield f"  names        {', '.join(names_of(leaf)) or '(none: clients will refuse it)'}"
    itself = "itself: clients must be configured to trust it"
    yield f"  issuer       {_name(leaf.issuer) if is_real(choice) else itself}"
    yield f"  valid        {leaf.not_valid_before_utc:%Y-%m-%d} to {leaf.not_valid_after_utc:%Y-%m-%d} ({_left(leaf)})"
    yield f"  fingerprint  SHA-256 {leaf.fingerprint(hashes.SHA256()).hex(':').upper()}"


def _name(name: x509.Name) -> str:
    return name.rfc4514_string() or "(empty)"


def _left(leaf: x509.Certificate) -> str:
    days = (leaf.not_valid_after_utc - datetime.now(UTC)).days
    return "1 day left" if days == 1 else f"{days} days left"


def _idle(choice: CertificateChoice, folder: Path) -> Iterator[str]:
    """The choices that are not available, and those that come after the one in use."""
    if not (folder / FULL_CHAIN).exists():
        yield f"Not there: {folder / FULL_CHAIN}, a real one"
    if choice.leaf and not choice.is_self_signed and (folder / SELF_SIGNED).exists():
        yield f"Not needed: {folder / SELF_SIGNED}, the self-signed one"
    if not (folder / SELF_SIGNED).exists() and choice.leaf is None:
        yield f"Not there: {folder / SELF_SIGNED}; `catalog certificate self-signed` makes one"
