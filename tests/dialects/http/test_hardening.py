"""What every answer carries, and what becomes of clients that are slow, endless or malformed."""

import json
import re
import socket
import time
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import pytest

from catalog.dialects.http.exchange import LEAST_PROGRESS
from catalog.server.http.protocol import LARGEST_HEAD
from catalog.server.http.refusals import MOST, PERIOD, RefusalLog
from tests.support.processes import until
from tests.support.serving import SOON, Server

PATIENCE = 1  # seconds, of the impatient server below
ATTEMPTS = 3
"""Of a client that is quick enough, which it is not on a machine that stops for a second."""


# Headers


@pytest.mark.parametrize("url", ["/v1/version", "/v1/models", "/v1/nope", "/health/live", "/metrics"])
async def test_every_answer_is_hardened_and_has_a_request_id(client, url):
    headers = (await client.get(url)).headers

    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert headers["Cache-Control"] == "no-store"
    assert re.fullmatch("[0-9a-f]{32}", headers["X-Request-ID"])
    assert headers.keys().isdisjoint({"server", "x-powered-by", "access-control-allow-origin"})


async def test_what_has_an_etag_may_be_kept_and_is_asked_for_again(client, org):
    made = await client.post("/v1/models", json={"name": "iris"}, headers=org.as_("ada"))

    read = await client.get(f"/v1/models/{made.json()['_id']}", headers=org.as_("ada"))

    assert read.headers["ETag"]
    assert read.headers["Cache-Control"] == "private, no-cache"


@pytest.mark.parametrize("given", ["a", "x" * 64, "A.b_c-9"])
async def test_a_request_id_that_is_fit_is_given_back(client, given):
    for url in ("/v1/version", "/v1/nope"):
        assert (await client.get(url, headers={"X-Request-ID": given})).headers["X-Request-ID"] == given


@pytest.mark.parametrize("given", ["", "x" * 65, "two words", "a\tb", "é", '{"a":1}', "a;b", "../x"])
async def test_a_request_id_that_is_not_is_replaced(client, given):
    answer = await client.get("/v1/version", headers=[(b"X-Request-ID", given.encode())])

    assert re.fullmatch("[0-9a-f]{32}", answer.headers["X-Request-ID"])


# Slow, endless and malformed clients


@pytest.fixture(scope="module")
def impatient(tmp_path_factory):
    with Server(tmp_path_factory.mktemp("catalog"), CLIENT_TIMEOUT=str(PATIENCE), METRICS_ACCESS="loopback") as server:
        yield server


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """One that waits for clients which are slow only because this machine is."""
    with Server(tmp_path_factory.mktemp("catalog"), CLIENT_TIMEOUT="10m") as server:
        yield server


@pytest.fixture(scope="module")
def token(server):
    return server.login().json()["token"]


@pytest.fixture(scope="module")
def token_of_impatient(impatient):
    return impatient.login().json()["token"]


@pytest.fixture
def connection(server):
    with connected(server) as connection:
        yield connection


@pytest.fixture
def connection_to_impatient(impatient):
    with connected(impatient) as connection:
        yield connection


def connected(server):
    address = httpx.URL(server.url)
    return socket.create_connection((address.host, address.port), SOON)


def heard(connection):
    """All that the server says until it hangs up."""
    said = b""
    try:
        while more := connection.recv(65536):
            said += more
    except ConnectionResetError:
        pass
    return said


def refusal(said):
    head, _, body = said.partition(b"\r\n\r\n")
    assert b"connection: close" in head.lower()
    return int(head.split()[1]), json.loads(body)["value"]


def dripped(connection, pieces):
    """Send a piece now and then, and hear what the server says when it has had enough."""
    try:
        for piece in pieces:
            connection.sendall(piece)
            connection.settimeout(PATIENCE / 5)
            try:
                if said := connection.recv(65536):
                    return said + heard(connection)
            except TimeoutError:
                continue
    except (BrokenPipeError, ConnectionResetError):
        pass
    raise AssertionError("the server listened to the end")


def test_a_connection_that_asks_nothing_is_closed(connection_to_impatient):
    assert heard(connection_to_impatient) == b""


def test_headers_that_come_drop_by_drop_are_cut_off(connection_to_impatient):
    connection_to_impatient.sendall(b"GET /v1/version HTTP/1.1\r\nHost: x\r\n")

    said = dripped(connection_to_impatient, (b"X-Drop: 1\r\n" for _ in range(100)))

    assert refusal(said) == (408, 127)


def test_headers_that_come_drop_by_drop_on_a_kept_connection_are_cut_off_too(connection_to_impatient):
    connection_to_impatient.sendall(b"GET /v1/version HTTP/1.1\r\nHost: x\r\n\r\n")
    first = connection_to_impatient.recv(65536)

    connection_to_impatient.sendall(b"GET /v1/version HTTP/1.1\r\n")
    said = dripped(connection_to_impatient, (b"X-Drop: 1\r\n" for _ in range(100)))

    assert first.startswith(b"HTTP/1.1 200")
    assert refusal(said) == (408, 127)


def test_a_body_that_stops_is_refused_in_our_shape(connection_to_impatient):
    connection_to_impatient.sendall(b"POST /v1/login HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")

    assert refusal(heard(connection_to_impatient)) == (408, 127)


def test_a_body_that_comes_drop_by_drop_is_refused(connection_to_impatient):
    connection_to_impatient.sendall(b"POST /v1/login HTTP/1.1\r\nHost: x\r\nContent-Length: 10000\r\n\r\n")

    said = dripped(connection_to_impatient, (b" " for _ in range(100)))

    assert refusal(said) == (408, 127)


def test_an_upload_that_stops_is_refused_and_leaves_nothing(impatient, token_of_impatient):
    with impatient.client(token_of_impatient) as admin:
        admin.post("/v1/models", json={"name": "stopped"}).raise_for_status()
        head = (
            "POST /v1/models/stopped/versions?name=a.bin HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n"
            f"Content-Type: application/octet-stream\r\nAuthorization: {token_of_impatient}\r\n\r\n"
        )
        with connected(impatient) as connection:
            connection.sendall(head.encode() + b"x" * 10_000)
            refused = refusal(heard(connection))

        assert refused == (408, 127)
        assert admin.get("/v1/models/stopped").json()["versions"] == []
    assert [file for file in Path(impatient.folder / "uploads").rglob("*") if file.is_file()] == []


def test_an_upload_may_take_as_long_as_it_likes_while_its_bytes_flow(impatient, token_of_impatient):
    with impatient.client(token_of_impatient) as admin:
        admin.post("/v1/models", json={"name": "flowing"}).raise_for_status()
    pieces = 12
    head = (
        f"POST /v1/models/flowing/versions?name=a.bin HTTP/1.1\r\nHost: x\r\n"
        f"Content-Length: {pieces * LEAST_PROGRESS}\r\nContent-Type: application/octet-stream\r\n"
        f"Authorization: {token_of_impatient}\r\nConnection: close\r\n\r\n"
    )

    def flows():
        with connected(impatient) as connection:
            connection.sendall(head.encode())
            began = time.monotonic()
            with suppress(BrokenPipeError, ConnectionResetError):
                for _ in range(pieces):
                    connection.sendall(b"x" * LEAST_PROGRESS)
                    time.sleep(PATIENCE / 6)  # not to wait for something: this is what the client is like
            assert time.monotonic() - began > 1.5 * PATIENCE
            return heard(connection).startswith(b"HTTP/1.1 200")

    assert any(flows() for _ in range(ATTEMPTS))


def test_an_answer_that_nobody_reads_is_given_up(impatient, token_of_impatient):
    with impatient.client(token_of_impatient) as admin:
        admin.post("/v1/models", json={"name": "unread"}).raise_for_status()
        admin.post("/v1/models/unread/versions?name=a.bin", content=bytes(64 * 2**20)).raise_for_status()
    with asking_for("unread", impatient, token_of_impatient) as connection:
        until(lambda: in_flight(impatient) == 1)

        assert len(heard(connection)) < 64 * 2**20


@contextmanager
def asking_for(model, server, token):
    """A connection with a small buffer that has asked for the first version of a model."""
    address = httpx.URL(server.url)
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.settimeout(SOON)
        connection.connect((address.host, address.port))
        head = f"GET /v1/models/{model}/versions/1 HTTP/1.1\r\nHost: x\r\nAuthorization: {token}\r\n"
        connection.sendall(f"{head}Connection: close\r\n\r\n".encode())
        yield connection


def test_a_slow_reader_is_answered_for_as_long_as_it_reads(impatient, token_of_impatient):
    size, rate = 4 * 2**20, 2**21
    with impatient.client(token_of_impatient) as admin:
        admin.post("/v1/models", json={"name": "slow"}).raise_for_status()
        admin.post("/v1/models/slow/versions?name=a.bin", content=bytes(size)).raise_for_status()

    def reads_all():
        said = bytearray()
        with suppress(ConnectionResetError), asking_for("slow", impatient, token_of_impatient) as connection:
            while more := connection.recv(2**14):
                said += more
                time.sleep(len(more) / rate)  # not to wait for something: this is what the client is like
        return len(said.partition(b"\r\n\r\n")[2]) == size

    assert any(reads_all() for _ in range(ATTEMPTS))


def in_flight(server):
    """How many requests are being answered, the one that asks included."""
    told = httpx.get(f"{server.url}/metrics", timeout=SOON).text
    return int(float(re.findall(r"^catalog_requests_in_flight (\S+)", told, re.MULTILINE)[0]))


def test_headers_without_an_end_are_refused(connection):
    connection.sendall(b"GET /v1/version HTTP/1.1\r\nHost: x\r\n")

    with_an_end = b"X-More: " + b"x" * 1000 + b"\r\n"
    try:
        for _ in range(4 * LARGEST_HEAD // len(with_an_end)):
            connection.sendall(with_an_end)
    except (BrokenPipeError, ConnectionResetError):
        return  # it hung up before we had done: the answer may be lost with that
    assert refusal(heard(connection)) == (431, 129)


def test_headers_that_come_at_once_and_are_too_large_are_refused(connection):
    connection.sendall(b"GET /v1/version HTTP/1.1\r\nHost: x\r\nX-Large: " + b"x" * LARGEST_HEAD + b"\r\n\r\n")

    assert refusal(heard(connection)) == (431, 129)


def test_what_is_not_http_is_told_so_and_logged_with_the_address(server, connection):
    connection.sendall(b"\x16\x03\x01 hello\r\n\r\n")

    said = heard(connection)

    assert refusal(said) == (400, 4)
    assert b"Invalid HTTP request received." in said
    assert "refused a request from 127.0.0.1: Invalid HTTP request received." in server.log.read_text()


def test_more_refusals_than_a_few_are_counted_instead_of_logged(caplog):
    clock = iter([*range(MOST + 5), PERIOD + 1, PERIOD + 1, PERIOD + 1])
    refusals = RefusalLog(lambda: next(clock))

    for number in range(MOST + 3):
        refusals.write(("10.0.0.9", 4000), f"junk {number}")

    assert [record.getMessage() for record in caplog.records][-1] == f"refused a request from 10.0.0.9: junk {MOST - 1}"


# Trailers


CHUNKED = b"POST /v1/models HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n"
BODY = b"11\r\n" + b'{"name": "smug1"}' + b"\r\n0\r\n"
NEXT = b"GET /v1/users HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


def answers(said):
    """The status and the value of each answer on a connection."""
    heads = re.findall(rb"HTTP/1.1 (\d+) ", said)
    values = re.findall(rb'"value":(\d+)', said)
    return [int(head) for head in heads], [int(value) for value in values]


@pytest.mark.parametrize("in_one_packet", [True, False])
def test_a_trailer_signs_nobody_in_neither_now_nor_in_the_next_request(token, connection, in_one_packet):
    trailer = f"Authorization: {token}\r\n\r\n".encode()

    for packet in [CHUNKED + b"\r\n" + BODY + trailer] if in_one_packet else [CHUNKED + b"\r\n" + BODY, trailer]:
        connection.sendall(packet)
    connection.sendall(NEXT)

    assert answers(heard(connection)) == ([401, 401], [3, 3])


@pytest.mark.parametrize(
    "trailer",
    [
        b"Host: evil.example\r\n",
        b"Content-Type: text/plain\r\nX-Request-ID: of-the-trailer\r\n",
        b"Expect: 100-continue\r\n",
        b"X-Forwarded-For: 192.0.2.1\r\n" * 50,
    ],
)
def test_a_trailer_changes_neither_its_request_nor_the_next(token, connection, trailer):
    signed_in = CHUNKED + f"Authorization: {token}\r\n\r\n".encode()
    name = f"with-{hash(trailer):x}".encode()
    body = b'{"name": "%s"}' % name
    connection.sendall(signed_in + b"%x\r\n%s\r\n0\r\n" % (len(body), body) + trailer + b"\r\n" + NEXT)

    said = heard(connection)

    assert answers(said)[0] == [200, 401]
    assert b"of-the-trailer" not in said


@pytest.mark.parametrize("trailer", [b"Content-Length: 1000000\r\n", b"Transfer-Encoding: identity\r\n"])
def test_a_trailer_that_would_frame_the_body_anew_ends_the_connection(connection, trailer):
    connection.sendall(CHUNKED + b"\r\n" + BODY + trailer + b"\r\n" + NEXT)

    assert refusal(heard(connection)) == (400, 4)


def test_a_trailer_that_says_close_closes(connection):
    connection.sendall(CHUNKED + b"\r\n" + BODY + b"Connection: close\r\n\r\n")

    assert answers(heard(connection))[0] == [401]


@pytest.mark.parametrize("endless", [b"X-More: " + b"x" * 1000 + b"\r\n", b"x" * 1000])
def test_trailers_without_an_end_are_refused(connection, endless):
    connection.sendall(CHUNKED + b"\r\n" + BODY + b"X-Begin: ")

    try:
        for _ in range(4 * LARGEST_HEAD // len(endless)):
            connection.sendall(endless)
    except (BrokenPipeError, ConnectionResetError):
        return  # it hung up before we had done
    assert set(answers(heard(connection))[0]) <= {401, 431}


def test_an_address_that_is_too_long_is_refused_in_our_shape(connection):
    connection.sendall(b"GET /v1/models?filter=" + b"x" * LARGEST_HEAD + b" HTTP/1.1\r\nHost: x\r\n\r\n")

    assert refusal(heard(connection)) == (431, 129)


def test_a_body_of_endless_chunks_is_refused_when_it_is_too_large(connection):
    connection.sendall(b"POST /v1/login HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n")
    chunk = b"10000\r\n" + b" " * 65536 + b"\r\n"

    try:
        for _ in range(400):
            connection.sendall(chunk)
    except (BrokenPipeError, ConnectionResetError):
        pass

    assert heard(connection)[:12] in {b"HTTP/1.1 413", b""}  # a reset may take the answer along


# Heads that say too much or too little


def asked(connection, *lines, body=b""):
    """What the server says to a request for its version, made of these lines."""
    connection.sendall("\r\n".join([*lines, "Connection: close", "", ""]).encode() + body)
    return heard(connection)


GET_VERSION = "GET /v1/version HTTP/1.1"


@pytest.mark.parametrize("hosts", [[], ["Host: a", "Host: a"], ["Host: a", "host: b"]])
def test_a_request_names_one_host(connection, hosts):
    said = asked(connection, GET_VERSION, *hosts)

    assert refusal(said) == (400, 4)
    assert b"Host" in said.partition(b"\r\n\r\n")[2]


@pytest.mark.parametrize("second", ["valid", "invalid"])
def test_a_request_has_one_credential(token, connection, second):
    credentials = [f"Authorization: {token}", f"authorization: {token if second == 'valid' else 'Bearer x'}"]

    said = asked(connection, "GET /v1/users HTTP/1.1", "Host: a", *credentials)

    assert refusal(said) == (400, 4)
    assert b"several Authorization headers" in said


def test_http_1_0_needs_no_host(connection):
    assert asked(connection, "GET /v1/version HTTP/1.0").startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("coding", ["gzip, chunked", "gzip,chunked", "identity, chunked"])
def test_a_transfer_coding_other_than_chunked_is_not_implemented(connection, coding):
    head = ["POST /v1/login HTTP/1.1", "Host: a", f"Transfer-Encoding: {coding}"]

    said = asked(connection, *head, body=b"2\r\n{}\r\n0\r\n\r\n")

    assert refusal(said) == (501, 152)


def test_two_lines_of_transfer_codings_are_one_list(connection):
    said = asked(
        connection, "POST /v1/login HTTP/1.1", "Host: a", "Transfer-Encoding: gzip", "Transfer-Encoding: chunked"
    )

    assert refusal(said) == (501, 152)


def test_chunked_may_be_spelt_in_any_case(connection):
    head = ["POST /v1/login HTTP/1.1", "Host: a", "Transfer-Encoding: Chunked"]

    assert asked(connection, *head, body=b"2\r\n{}\r\n0\r\n\r\n").startswith(b"HTTP/1.1 401")


def test_a_refused_head_is_not_taken_for_the_answer_to_the_request_before_it(connection):
    first = b"POST /v1/login HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}"
    connection.sendall(first + b"GET /v1/version HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n")

    said = heard(connection)

    assert not said.startswith(b"HTTP/1.1 400")
