"""Whether clients can follow the chain of a certificate to an authority that they trust."""

import ssl
import warnings
from itertools import pairwise
from pathlib import Path

import certifi
from cryptography import x509


def problems(file: Path) -> list[str]:
    """What is wrong with the certificates of a PEM file, from the server's own to the last: a sentence each.

    A server sends its own certificate and all that lead to an authority of the clients. Browsers fetch one that is
    missing, other clients do not.
    """
    chain = x509.load_pem_x509_certificates(file.read_bytes())
    found = [
        f"{file} is out of order: {_name(issuer.subject)} follows {_name(issued.subject)}, which "
        f"{_name(issued.issuer)} has issued"
        for issued, issuer in pairwise(chain)
        if issued.issuer != issuer.subject
    ]
    last = chain[-1]
    if last.issuer != last.subject and last.issuer not in _authorities():
        found.append(
            f"{file} ends with a certificate that {_name(last.issuer)} has issued, which is not an authority that this "
            "machine trusts: add its certificate to the file, unless it is an authority of your own that the clients "
            "have"
        )
    return found


def _authorities() -> set[x509.Name]:
    """The authorities that Python and this machine trust."""
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of old roots that are not as RFC 5280 wants them
        return {x509.load_der_x509_certificate(each).subject for each in context.get_ca_certs(binary_form=True)}


def _name(name: x509.Name) -> str:
    return name.rfc4514_string() or "(empty)"
