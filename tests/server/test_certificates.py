import asyncio
import ssl
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest
import trustme
import uvloop
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from typer.testing import CliRunner

from catalog.commands.cli import app
from catalog.server.certificates import RenewableCertificate, choose, is_real, make_self_signed

PEM = serialization.Encoding.PEM
PASSPHRASE = "open sesame, please"
PKCS8 = serialization.PrivateFormat.PKCS8
TRADITIONAL = serialization.PrivateFormat.TraditionalOpenSSL


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


@pytest.fixture
def put(tmp_path, authority):
    """Write a pair under the given names, and return the certificate."""

    def write(certificate="fullchain.pem", key="privkey.pem", *, key_type=trustme.KeyType.ECDSA, **validity):
        issued = authority.issue_cert("127.0.0.1", key_type=key_type, **validity)
        for number, blob in enumerate(issued.cert_chain_pems):
            blob.write_to_path(tmp_path / certificate, append=number > 0)
        issued.private_key_pem.write_to_path(tmp_path / key)
        return issued

    return write


def encrypt(file, passphrase, form=PKCS8):
    key = serialization.load_pem_private_key(file.read_bytes(), None)
    protection = serialization.BestAvailableEncryption(passphrase.encode())
    file.write_bytes(key.private_bytes(PEM, form, protection))


@asynccontextmanager
async def answering(context):
    async def answer(_reader, writer):
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context) as server:
        yield server.sockets[0].getsockname()[1]


async def seen(port, trust, **context):
    """Shake hands as a client would, and return the server's certificate and the version of TLS."""
    client = ssl.create_default_context()
    client.verify_flags |= ssl.VERIFY_X509_STRICT if context.pop("strictly", False) else 0
    trust(client)
    for name, value in context.items():
        setattr(client, name, value)
    _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=client)
    tls = writer.get_extra_info("ssl_object")
    certificate, version = tls.getpeercert(binary_form=True), tls.version()
    writer.close()
    await writer.wait_closed()
    return x509.load_der_x509_certificate(certificate), version


def serial(issued):
    return x509.load_pem_x509_certificate(issued.cert_chain_pems[0].bytes()).serial_number


@pytest.mark.parametrize("key", ["privkey.pem", "key.pem"])
async def test_a_full_chain_is_served_with_either_name_of_its_key(put, tmp_path, authority, key):
    put("caCert.pem", "privateKey.pem")
    real = put(key=key)

    choice = choose(tmp_path, "")

    assert (choice.certificate, choice.key) == (tmp_path / "fullchain.pem", tmp_path / key)
    assert (choice.warnings, choice.is_self_signed) == ([], False)
    async with answering(choice.context) as port:
        certificate, _ = await seen(port, authority.configure_trust)
    assert certificate.serial_number == serial(real)


@pytest.mark.parametrize("form", [PKCS8, TRADITIONAL])
async def test_a_key_with_a_passphrase_is_opened(put, tmp_path, authority, form):
    real = put()
    encrypt(tmp_path / "privkey.pem", PASSPHRASE, form)

    choice = choose(tmp_path, PASSPHRASE)

    assert choice.warnings == []
    async with answering(choice.context) as port:
        certificate, _ = await seen(port, authority.configure_trust)
    assert certificate.serial_number == serial(real)


def test_a_key_without_a_passphrase_needs_none(put, tmp_path):
    put()

    assert choose(tmp_path, "set for another key").context


async def test_the_self_signed_pair_that_is_made_is_trusted_by_who_is_told_to(tmp_path):
    certificate, key = make_self_signed(tmp_path / "resources", ["catalog.example", "192.0.2.7"])

    choice = choose(tmp_path / "resources", "")

    assert (choice.certificate, choice.key, choice.warnings) == (certificate, key, [])
    assert choice.is_self_signed
    assert key.stat().st_mode & 0o077 == 0
    async with answering(choice.context) as port:
        shown, _ = await seen(port, lambda client: client.load_verify_locations(certificate), strictly=True)
    names = shown.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert "catalog.example" in names.get_values_for_type(x509.DNSName)
    assert "192.0.2.7" in map(str, names.get_values_for_type(x509.IPAddress))


@pytest.mark.parametrize("there", ["caCert.pem", "privateKey.pem"])
def test_a_pair_that_is_there_is_never_replaced(tmp_path, there):
    (tmp_path / there).write_text("mine")

    said = CliRunner().invoke(app, ["certificate", "self-signed", "--folder", str(tmp_path)])

    assert (said.exit_code, said.stderr) == (1, f"{tmp_path / there} is there already: remove it first\n")
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [(there, "mine")]


def test_without_certificates_nothing_is_chosen_and_nothing_is_wrong(tmp_path):
    assert choose(tmp_path, "") == choose(tmp_path / "absent", "") == (None, None, None, [], None)


async def test_old_versions_of_tls_are_turned_away(put, tmp_path, authority):
    put()
    context = choose(tmp_path, "").context

    assert context.minimum_version == ssl.TLSVersion.TLSv1_2
    async with answering(context) as port:
        _, version = await seen(port, authority.configure_trust, maximum_version=ssl.TLSVersion.TLSv1_2)
    assert version == "TLSv1.2"


def spoil_with_another_key(folder, put):
    kept = (folder / "fullchain.pem").read_bytes()
    put()
    (folder / "fullchain.pem").write_bytes(kept)


def spoil_by_age(folder, put):
    put(not_before=datetime(2020, 2, 3, tzinfo=UTC), not_after=datetime(2021, 2, 3, tzinfo=UTC))


def spoil_by_youth(folder, put):
    put(not_before=datetime(2121, 2, 3, tzinfo=UTC), not_after=datetime(2122, 2, 3, tzinfo=UTC))


def spoil_with_a_passphrase(folder, put):
    encrypt(folder / "privkey.pem", PASSPHRASE)


def garbage(name):
    return lambda folder, put: (folder / name).write_bytes(b"\x00garbage")


def unreadable(name):
    def spoil(folder, put):
        (folder / name).unlink()
        (folder / name).mkdir()

    return spoil


def gone(name):
    return lambda folder, put: (folder / name).unlink()


@pytest.mark.parametrize(
    ("spoil", "passphrase", "file", "reason"),
    [
        (spoil_with_another_key, "", "privkey.pem", "is not the private key of"),
        (spoil_by_age, "", "fullchain.pem", "expired on 2021-02-03"),
        (spoil_by_youth, "", "fullchain.pem", "is not valid before 2121-02-03"),
        (spoil_with_a_passphrase, "", "privkey.pem", "is protected by a passphrase, and HTTPSSECRET is empty"),
        (spoil_with_a_passphrase, "a wrong one", "privkey.pem", "is not opened by HTTPSSECRET"),
        (garbage("fullchain.pem"), "", "fullchain.pem", "does not hold a certificate"),
        (garbage("privkey.pem"), "", "privkey.pem", "does not hold a private key"),
        (unreadable("fullchain.pem"), "", "fullchain.pem", "cannot be read (Is a directory)"),
        (unreadable("privkey.pem"), "", "privkey.pem", "cannot be read (Is a directory)"),
        (gone("fullchain.pem"), "", "privkey.pem", "has no certificate beside it (fullchain.pem)"),
        (gone("privkey.pem"), "", "fullchain.pem", "has no private key beside it (privkey.pem or key.pem)"),
    ],
)
def test_a_broken_pair_is_named_with_the_reason_and_the_next_one_serves(put, tmp_path, spoil, passphrase, file, reason):
    put("caCert.pem", "privateKey.pem")
    put()
    spoil(tmp_path, put)

    choice = choose(tmp_path, passphrase)

    assert choice.is_self_signed
    assert len(choice.warnings) == 1
    assert choice.warnings[0].startswith(f"{tmp_path / file} {reason}")


def test_when_every_pair_is_broken_each_is_named_and_none_serves(put, tmp_path):
    for names in (("fullchain.pem", "privkey.pem"), ("caCert.pem", "privateKey.pem")):
        put(*names)
        (tmp_path / names[0]).write_text("garbage")

    choice = choose(tmp_path, "")

    assert (choice.certificate, choice.key, choice.context, len(choice.warnings)) == (None, None, None, 2)


def test_of_two_keys_beside_the_full_chain_the_matching_one_serves(put, tmp_path):
    put()
    put(key="key.pem")

    choice = choose(tmp_path, "")

    assert choice.key == tmp_path / "key.pem"
    assert "privkey.pem is not the private key" in choice.warnings[0]


def test_a_key_too_weak_for_openssl_is_a_broken_pair(tmp_path):
    key = rsa.generate_private_key(65537, 1024)
    weak = x509.CertificateBuilder(x509.Name([]), x509.Name([]), key.public_key(), x509.random_serial_number())
    valid = weak.not_valid_before(datetime.now(UTC)).not_valid_after(datetime(2121, 2, 3, tzinfo=UTC))
    certificate = valid.sign(key, hashes.SHA256())
    (tmp_path / "fullchain.pem").write_bytes(certificate.public_bytes(PEM))
    (tmp_path / "privkey.pem").write_bytes(key.private_bytes(PEM, PKCS8, serialization.NoEncryption()))

    choice = choose(tmp_path, "")

    assert choice.context is None
    assert "cannot be used (" in choice.warnings[0]


@pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_a_renewed_certificate_is_served_without_a_restart_even_with_another_kind_of_key(
    put, tmp_path, authority, loop
):
    async def scene():
        before = put(key_type=trustme.KeyType.RSA)
        renewable = RenewableCertificate(tmp_path, "", choose(tmp_path, ""))
        async with answering(renewable.context) as port:
            shown_before, _ = await seen(port, authority.configure_trust)
            after = put(key_type=trustme.KeyType.ECDSA)
            assert renewable.refresh() == []
            shown_after, _ = await seen(port, authority.configure_trust)
        assert (shown_before.serial_number, shown_after.serial_number) == (serial(before), serial(after))

    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(scene())


async def test_half_a_renewal_keeps_the_certificate_in_use_and_warns_once(put, tmp_path, authority):
    put("caCert.pem", "privateKey.pem")
    before = put()
    key = (tmp_path / "privkey.pem").read_bytes()
    renewable = RenewableCertificate(tmp_path, "", choose(tmp_path, ""))
    put()
    (tmp_path / "privkey.pem").write_bytes(key)

    warnings = renewable.refresh()

    assert "is not the private key" in warnings[0]
    assert renewable.refresh() == []
    async with answering(renewable.context) as port:
        shown, _ = await seen(port, authority.configure_trust)
    assert shown.serial_number == serial(before)


def test_a_real_certificate_that_comes_later_takes_over_from_the_self_signed_one(put, tmp_path):
    make_self_signed(tmp_path)
    renewable = RenewableCertificate(tmp_path, "", choose(tmp_path, ""))
    put()

    assert renewable.refresh() == []
    assert renewable.choice.certificate == tmp_path / "fullchain.pem"


def test_a_certificate_in_use_that_ends_is_told_of_once_a_day_until_it_is_renewed(put, tmp_path):
    put(not_after=datetime.now(UTC) + timedelta(days=60))
    renewable = RenewableCertificate(tmp_path, "", choose(tmp_path, ""))

    def said(days):
        return [renewable.refresh(datetime.now(UTC) + timedelta(days=days, hours=1)) for _ in range(2)]

    before, soon, next_day, over = (said(days) for days in (30, 50, 51, 61))
    put()

    assert before == [[], []]
    assert [len(soon[0]), soon[1], len(next_day[0])] == [1, [], 1]
    assert "in 9 days: renew it" in soon[0][0]
    assert "1 days ago" in over[0][0]
    assert said(0)[0] == []


def shown(folder, env="", code=0):
    file = folder / "variables.env"
    file.write_text(env)
    said = CliRunner().invoke(app, ["certificate", "show", "--env-file", str(file), "--folder", str(folder)])
    assert said.exit_code == code, said.output
    return said.stdout.splitlines()


def test_show_tells_what_the_certificate_that_serves_says(put, tmp_path):
    make_self_signed(tmp_path)
    real = put()
    leaf = x509.load_pem_x509_certificate(real.cert_chain_pems[0].bytes())

    lines = shown(tmp_path)

    assert lines[0] == f"{tmp_path / 'fullchain.pem'} serves, with the key {tmp_path / 'privkey.pem'}."
    assert "  names        127.0.0.1" in lines
    assert f"  subject      {leaf.subject.rfc4514_string()}" in lines
    assert f"  issuer       {leaf.issuer.rfc4514_string()}" in lines
    assert f"  fingerprint  SHA-256 {leaf.fingerprint(hashes.SHA256()).hex(':').upper()}" in lines
    assert lines[-1] == f"Not needed: {tmp_path / 'caCert.pem'}, the self-signed one"


def test_show_tells_how_many_days_are_left(put, tmp_path):
    put(not_after=datetime.now(UTC) + timedelta(days=3, hours=1))

    assert any(line.endswith("(3 days left)") for line in shown(tmp_path))


def test_show_tells_why_another_does_not_serve(put, tmp_path):
    make_self_signed(tmp_path)
    put()
    encrypt(tmp_path / "privkey.pem", PASSPHRASE)

    closed, opened = shown(tmp_path), shown(tmp_path, f"HTTPSSECRET='{PASSPHRASE}'\n")

    assert closed[0].startswith(f"{tmp_path / 'caCert.pem'} serves")
    assert "  issuer       itself: clients must be configured to trust it" in closed
    why = "is protected by a passphrase, and HTTPSSECRET is empty"
    assert closed[-1] == f"Not usable: {tmp_path / 'privkey.pem'} {why}"
    assert opened[0].startswith(f"{tmp_path / 'fullchain.pem'} serves")


def test_show_without_any_tells_what_to_do(tmp_path):
    assert shown(tmp_path, "PROTOCOL=http\n") == [
        "PROTOCOL is http: the server uses plain HTTP and no certificate.",
        f"No certificate of {tmp_path}/ serves: plain HTTP does.",
        f"Not there: {tmp_path / 'fullchain.pem'}, a real one",
        f"Not there: {tmp_path / 'caCert.pem'}; `catalog certificate self-signed` makes one",
    ]


def test_show_fails_when_https_has_no_certificate(tmp_path):
    assert shown(tmp_path, code=1)[0] == f"No certificate of {tmp_path}/ serves: plain HTTP does."


def test_show_tells_of_an_issuer_that_is_missing_in_the_chain(tmp_path):
    root = trustme.CA()
    issued = root.create_child_ca().issue_cert("127.0.0.1")
    leaf, intermediate = (pem.bytes() for pem in issued.cert_chain_pems)
    (tmp_path / "privkey.pem").write_bytes(issued.private_key_pem.bytes())
    (tmp_path / "fullchain.pem").write_bytes(leaf)
    alone = shown(tmp_path)

    (tmp_path / "fullchain.pem").write_bytes(leaf + root.cert_pem.bytes() + intermediate)
    mixed = shown(tmp_path)
    (tmp_path / "fullchain.pem").write_bytes(leaf + intermediate + root.cert_pem.bytes())
    whole = shown(tmp_path)

    assert [line for line in alone if line.startswith("Check: ") and "is not an authority that this machine" in line]
    assert [line for line in mixed if line.startswith("Check: ") and "out of order" in line]
    assert [line for line in whole if line.startswith("Check: ")] == []


async def test_tls_1_2_has_no_cipher_with_cbc(put, tmp_path):
    put()

    ciphers = choose(tmp_path, "").context.get_ciphers()

    assert ciphers
    assert [cipher["name"] for cipher in ciphers if not cipher["aead"]] == []


def test_only_what_somebody_else_has_signed_is_real(put, tmp_path):
    put()
    real = choose(tmp_path, "")
    make_self_signed(tmp_path / "mine")
    for mine, name in (("caCert.pem", "fullchain.pem"), ("privateKey.pem", "privkey.pem")):
        (tmp_path / name).write_bytes((tmp_path / "mine" / mine).read_bytes())

    pretended = choose(tmp_path, "")

    assert (is_real(real), is_real(pretended), pretended.is_self_signed) == (True, False, False)
