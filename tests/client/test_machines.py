"""What goes wrong on other people's machines is said in one sentence that says what to do."""

import errno
import http.server
import io
import os
import ssl
import sys
import threading
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
import trustme

from catalog.client import AsyncCatalog, Catalog, locks, profile
from catalog.client.errors import CatalogError, Invalid, NotACatalog, NotSignedIn, Unavailable, Untrusted
from catalog.client.session import Session
from catalog.client.transport.diagnosis import as_catalog_error
from catalog.client.transport.proxies import proxy_of
from catalog.commands.terminal.streams import program_streams

DEAD = "http://127.0.0.1:9"
VARIABLES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


class Refuses(http.server.BaseHTTPRequestHandler):
    """Answers every request with 401, as a catalog does to a stranger."""

    def do_GET(self):
        body = b'{"value": 3, "message": "Authentication failed"}'
        self.send_response(401)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Request-Id", "r1")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@contextmanager
def listening(context=None):
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Refuses) as server:
        server.handle_error = lambda *_: None  # a client that ends the handshake is part of the tests
        if context:
            server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


@pytest.fixture(scope="module")
def plain():
    with listening() as port:
        yield port


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


@pytest.fixture(scope="module")
def encrypted(authority):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("models.example.org").configure_cert(context)
    with listening(context) as port:
        yield port


@pytest.fixture(autouse=True)
def machine(tmp_path, monkeypatch):
    """A machine without proxies, with an empty configuration."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("CATALOG_CONFIG", str(tmp_path / "config"))
    monkeypatch.setenv("CATALOG_CACHE", str(tmp_path / "cache"))
    return monkeypatch


def failure(url, **arguments):
    return failure_of(lambda catalog: catalog.models.get("iris"), url, **arguments)


def failure_of(operation, url, *, token="t", **arguments):
    catalog = Catalog(url, token=token, **arguments)
    catalog._session.jitter = lambda: -1.0  # no pauses between attempts
    with pytest.raises(CatalogError) as caught:
        operation(catalog)
    return caught.value


def test_a_wrong_scheme_is_told_with_the_right_address(plain, encrypted):
    no_tls, tls = failure(f"https://127.0.0.1:{plain}"), failure(f"http://127.0.0.1:{encrypted}")

    assert isinstance(no_tls, NotACatalog)
    assert (
        str(no_tls)
        == f"https://127.0.0.1:{plain} speaks plain HTTP, not TLS. Use the address http://127.0.0.1:{plain}."
    )
    assert isinstance(tls, NotACatalog)
    assert str(tls).endswith(f"speaks TLS, not plain HTTP. Use the address https://127.0.0.1:{encrypted}.")


def test_a_certificate_for_another_name_has_another_remedy_than_an_unknown_one(encrypted, authority, tmp_path):
    url, ours, theirs = f"https://localhost:{encrypted}", tmp_path / "ours.pem", tmp_path / "theirs.pem"
    authority.cert_pem.write_to_path(str(ours))
    trustme.CA().cert_pem.write_to_path(str(theirs))

    unknown, unsigned, other_name = failure(url), failure(url, ca=str(theirs)), failure(url, ca=str(ours))

    assert {type(each) for each in (unknown, unsigned, other_name)} == {Untrusted}
    assert "CATALOG_CA" in unknown.advice
    assert f"is not signed by {theirs}" in unsigned.message
    assert "is for another name" in other_name.message
    assert "ca= is no remedy" in other_name.advice


def test_loopback_and_what_no_proxy_names_are_reached_directly(machine, plain):
    machine.setenv("http_proxy", DEAD)
    machine.setenv("no_proxy", "10.0.0.0/8, fd00::/8,.example.org,192.168.1.5")

    direct = ["localhost", "127.0.0.1", "[::1]", "10.1.2.3", "[fd00::1]", "models.example.org", "192.168.1.5"]
    assert [proxy_of(f"http://{host}:8080") for host in direct] == [None] * len(direct)
    assert str(proxy_of("http://192.168.1.6:8080")) == f"{DEAD} (HTTP_PROXY)"
    assert isinstance(failure(f"http://127.0.0.1:{plain}"), NotSignedIn)


def test_a_proxy_that_does_not_answer_is_named_without_its_password(machine):
    machine.setenv("http_proxy", "http://ada:secret@127.0.0.1:9")

    lost = failure("http://models.example.org")

    assert isinstance(lost, Unavailable)
    assert lost.message.startswith("The proxy http://127.0.0.1:9 (HTTP_PROXY) does not answer on the way to")
    assert lost.advice == "If models.example.org is reached without a proxy, put it into NO_PROXY."
    assert "secret" not in str(lost)


@pytest.mark.parametrize("client", [Catalog, AsyncCatalog])
def test_a_proxy_that_cannot_be_used_is_told(machine, client):
    machine.setenv("all_proxy", "socks5://127.0.0.1:9")

    with pytest.raises(
        Invalid, match=r"socks5://127.0.0.1:9 \(ALL_PROXY\) cannot be used .*pip install 'httpx\[socks\]'"
    ):
        client("http://models.example.org")
    assert client("http://127.0.0.1:8080").url == "http://127.0.0.1:8080"  # needs none


@pytest.mark.parametrize("url", [" http://127.0.0.1:8080/v1\n", "http://127.0.0.1:8080/", "http://127.0.0.1:8080/v1/"])
def test_an_address_may_be_copied_with_more_than_it_needs(url):
    assert Catalog(url).url == "http://127.0.0.1:8080"


@pytest.mark.parametrize("url", ["http://my models:8080", "127.0.0.1:8080", "ftp://models"])
def test_what_is_no_address_is_told(url):
    with pytest.raises(Invalid, match="is not the address of a catalog"):
        Catalog(url)


def test_who_is_signed_in_at_another_address_is_told_which(plain):
    profile.save_token(f"http://localhost:{plain}", "t")

    refused = failure(f"http://127.0.0.1:{plain}", token="")

    assert isinstance(refused, NotSignedIn)
    assert f"You are signed in to http://localhost:{plain} only" in refused.advice


def test_a_token_of_no_known_kind_and_a_users_token_for_the_operator_are_told(plain):
    url = f"http://127.0.0.1:{plain}"

    assert "API_TOKEN is for the operator's commands alone" in failure(url, token="t").advice
    assert "This is for the operator" in failure_of(lambda catalog: catalog.tenants.get("acme"), url).advice
    assert "catalog login" in failure(url, token="cat_acme_x").advice


@pytest.mark.parametrize("token", ["cat_acme_s3cr\net", "cat_acme_s3crët", "cat_acme_s3cr\x00et"])
def test_a_token_that_cannot_be_one_is_never_shown(token):
    with pytest.raises(Invalid) as caught:
        Session(DEAD, token=token)

    assert "s3cr" not in str(caught.value)


def test_blanks_around_a_token_do_not_matter():
    assert Session(DEAD, token=" cat_acme_secret\n").token == "cat_acme_secret"


def test_an_unknown_reason_is_still_a_sentence():
    assert str(as_catalog_error(ValueError("odd"), DEAD)) == f"{DEAD} does not answer (odd). Try again in a moment."


def test_a_machine_that_has_no_such_name_is_told():
    error = httpx.ConnectError("[Errno -2] Name or service not known")

    assert str(as_catalog_error(error, "http://models")) == "There is no machine of the name models. Check the address."


@pytest.mark.parametrize(
    "url", ["http://ada:s3cret@127.0.0.1:9", "ada:s3cret@127.0.0.1", "http://127.0.0.1:9?t=s3cret"]
)
def test_a_secret_in_an_address_is_refused_and_not_shown(machine, url):
    machine.setenv("CATALOG_URL", url)

    for find in (Catalog, lambda: Catalog(url)):
        with pytest.raises(Invalid) as caught:
            find()

        assert "s3cret" not in str(caught.value)


def test_the_folder_of_another_user_counts_as_no_configuration(machine, tmp_path):
    machine.setattr(Path, "read_bytes", denied)

    machine.setattr(os, "access", lambda path, mode: False)
    assert profile.find({}, here=tmp_path).url == profile.DEFAULT_URL
    machine.setattr(os, "access", lambda path, mode: True)
    with pytest.raises(Invalid, match=r"profiles.json cannot be read .* CATALOG_CONFIG names another folder"):
        profile.find({}, here=tmp_path)


def denied(path):
    raise PermissionError(errno.EACCES, "Permission denied", str(path))


def test_a_text_that_is_not_utf_8_is_told_without_the_text_around_it(plain):
    refused = failure_of(lambda catalog: catalog.models.create("s3cret\udcff"), f"http://127.0.0.1:{plain}")

    assert str(refused) == "A name or a value is not UTF-8: it has the sign '\\udcff'"


def test_file_systems_without_locks_do_without(machine, tmp_path):
    def no_locks(*_):
        raise OSError(errno.ENOLCK, "No locks available")

    machine.setattr(locks.fcntl, "flock", no_locks)

    assert profile.save_token(DEAD, "t").exists()


# The command line


def test_what_an_encoding_lacks_is_escaped_as_json_has_it(machine):
    narrow = io.TextIOWrapper(io.BytesIO(), encoding="cp1252", newline="\n")

    machine.setattr(sys, "stdout", narrow)
    with program_streams():
        sys.stdout.write('"Müller 東 😀"')

    assert narrow.buffer.getvalue() == '"Müller \\u6771 \\ud83d\\ude00"'.encode("cp1252")


def test_a_full_disk_behind_standard_output_is_one_sentence(machine, capsys):
    with Path("/dev/full").open("w") as full:
        machine.setattr(sys, "stdout", full)

        with pytest.raises(SystemExit) as ended, program_streams():
            sys.stdout.write("x")

    assert ended.value.code == 1
    assert capsys.readouterr().err == "Standard output: No space left on device\n"


def test_a_stream_without_a_file_behind_it_reads_and_writes_nothing(machine):
    for name in ("stdin", "stdout", "stderr"):
        machine.setattr(sys, name, None)

    with program_streams():
        sys.stdout.write("x")
        text = sys.stdin.read()
    for name in ("stdin", "stdout", "stderr"):
        getattr(sys, name).close()

    assert text == ""


def test_help_for_a_reader_that_has_gone_is_no_failure(machine):
    def help_():
        try:
            raise BrokenPipeError
        except OSError:
            sys.exit(1)

    machine.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO()))

    with pytest.raises(SystemExit) as ended, program_streams():
        help_()

    assert ended.value.code == 0


def test_a_folder_without_rights_is_one_sentence_with_the_variable(tmp_path, capsys):
    error = PermissionError(errno.EACCES, "Permission denied", str(tmp_path / "config" / "credentials.json"))

    with pytest.raises(SystemExit) as ended, program_streams():
        raise error

    assert ended.value.code == 1
    assert capsys.readouterr().err.startswith(f"{error.filename}: Permission denied. CATALOG_CONFIG and CATALOG_CACHE")
