"""Files on their way in, asked of the small application of `transfers`."""

import hashlib
import random
import re
from base64 import b64encode

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.blobs.memory import MemoryStorage
from catalog.blobs.protocol import BLOCK
from catalog.dialects.http.transfers.uploads import DESCRIPTION_LIMIT
from catalog.domain.files.filenames import LONGEST_NAME, file_name
from catalog.errors import Refused
from tests.support.transfers import BASE64, DATA, DIGEST, application, asking, refusal, serving

BOUNDARY = "the-boundary"
FORM = {"content-type": f"multipart/form-data; boundary={BOUNDARY}"}
LIMIT = 1000


@pytest.fixture
def kept(storage) -> dict[str, bytes]:
    return storage.of("ada").contents


@pytest.fixture
async def client(storage):
    async with asking(application(storage)) as client:
        yield client


@pytest.fixture
async def limited(storage):
    async with asking(application(storage, LIMIT)) as client:
        yield client


@pytest.fixture
def a_server(tmp_path):
    with serving(tmp_path) as server:
        yield server


def part(data: bytes = b"", disposition: str = 'form-data; name="file"; filename="iris.onnx"', *headers: str) -> bytes:
    lines = [f"--{BOUNDARY}", f"Content-Disposition: {disposition}", *headers, "", ""]
    return "\r\n".join(lines).encode() + data + b"\r\n"


def form(*parts: bytes) -> bytes:
    return b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()


def description(text: bytes) -> bytes:
    return part(text, 'form-data; name="description"')


async def in_pieces(data: bytes, by: int):
    for at in range(0, len(data), by):
        yield data[at : at + by]


async def sent(client, body: bytes, **headers) -> dict:
    response = await client.post("/files", content=body, headers=FORM | headers)
    assert response.status_code == 200, response.text
    return response.json()


# Forms


async def test_a_form_brings_a_file_its_name_its_type_and_its_description(client, kept):
    body = form(part(DATA, 'form-data; name="file"; filename="iris.onnx"', "Content-Type: Application/ZIP; x=y"))

    answer = await sent(client, body)

    assert answer == {
        "name": "iris.onnx", "mimetype": "application/zip", "encoding": "7bit", "digest": DIGEST, "size": len(DATA),
        "announced": "", "description": "",
    }  # fmt: skip
    assert kept == {DIGEST: DATA}


@pytest.mark.parametrize("order", ["before", "after"])
async def test_a_description_may_stand_before_or_after_the_file(client, order):
    parts = [description("più iris".encode()), part(DATA)]

    answer = await sent(client, form(*(parts if order == "before" else reversed(parts))))

    assert (answer["description"], answer["digest"]) == ("più iris", DIGEST)


async def test_other_parts_flow_past_and_the_first_file_counts(client, kept):
    stranger = part(b"x" * 3 * BLOCK, 'form-data; name="other"; filename="big.bin"')

    answer = await sent(client, form(stranger, part(DATA), stranger, part(b"second"), description(b"d")))

    assert (answer["digest"], answer["description"], list(kept)) == (DIGEST, "d", [DIGEST])


@pytest.mark.parametrize(
    ("headers", "mimetype", "encoding"),
    [
        ([], "application/octet-stream", "7bit"),
        (["Content-Type: nonsense"], "application/octet-stream", "7bit"),
        (["Content-Type: text/html\x0b<script>/x"], "application/octet-stream", "7bit"),
        ([f"Content-Type: a/{'b' * 200}"], "application/octet-stream", "7bit"),
        (["Content-Transfer-Encoding: BINARY"], "application/octet-stream", "binary"),
        (["Content-Transfer-Encoding: rot13"], "application/octet-stream", "7bit"),
        (["content-type: application/vnd.x+json; charset=utf-8"], "application/vnd.x+json", "7bit"),
    ],
)
async def test_a_declared_type_and_encoding_are_kept_when_they_are_ones(client, headers, mimetype, encoding):
    answer = await sent(client, form(part(DATA, 'form-data; name="file"; filename="a"', *headers)))

    assert (answer["mimetype"], answer["encoding"]) == (mimetype, encoding)


@pytest.mark.parametrize(
    ("disposition", "name"),
    [
        ('filename="../../etc/passwd"', "passwd"),
        (r'filename="iris\"', "iris"),
        (r'filename="C:\fakepath\iris.onnx"', "iris.onnx"),
        (r'filename="\\server\share\iris.onnx"', "iris.onnx"),
        ('filename="folder/"', "folder"),
        ('filename="a%22b%0D%0Ac.txt"', 'a"bc.txt'),
        (r'filename="a\"b.txt"', 'a"b.txt'),
        ('filename="100%25 sure.txt"', "100%25 sure.txt"),
        ('filename="\x01a\x7fb\tc"', "abc"),
        ('filename="gnp\u202etxt.exe"', "gnptxt.exe"),
        ('filename="🌸 iris;=.onnx"', "🌸 iris;=.onnx"),
        ("filename=plain.bin", "plain.bin"),
        ("FILENAME=plain.bin", "plain.bin"),
        ("filename=old.bin; filename*=UTF-8''%e2%82%ac%20rates.bin", "€ rates.bin"),
        ("filename*=utf-8'en'..%2F..%2Fpasswd", "passwd"),
        ("filename=old.bin; filename*=EBCDIC''%ff", "old.bin"),
        ('filename="' + "é" * 300 + '.onnx"', "é" * 125 + ".onnx"),
        ('filename="' + "x" * 300 + '"', "x" * 255),
        ('filename="a.' + "x" * 300 + '"', "a." + "x" * 253),
    ],
)
async def test_a_file_name_is_kept_as_the_client_wrote_it_but_harmless(client, disposition, name):
    answer = await sent(client, form(part(DATA, f'form-data; name="file"; {disposition}')))

    assert answer["name"] == name


@pytest.mark.parametrize("name", ["", ".", "..", "../..", "/", "\\", " ", "\x01", "%0D%0A"])
async def test_a_file_name_of_which_nothing_is_left_is_refused(client, kept, name):
    body = form(part(DATA, f'form-data; name="file"; filename="{name}"'))

    status, fault, details = refusal(await client.post("/files", content=body, headers=FORM))

    assert (status, fault) == (400, "post_request_error")
    assert "name" in details
    assert kept == {}


@pytest.mark.parametrize(
    ("body", "details"),
    [
        (b"", "Missing file"),
        (form(), "Missing file"),
        (form(description(b"x")), 'Missing file: the form has the parts "description"; send it as "file"'),
        (form(part(DATA, 'form-data; name="wrong"; filename="a.txt"')),
         'Missing file: the form has the parts "wrong"; send it as "file"'),
        (form(part(DATA, 'form-data; name="file"')), 'Missing file: the part "file" has no file name'),
    ],
)  # fmt: skip
async def test_a_form_without_a_file_is_told_what_is_missing(client, body, details):
    response = await client.post("/files", content=body, headers=FORM)

    assert refusal(response) == (400, "post_request_error", details)


@pytest.mark.parametrize(
    "body",
    [
        b"this is no form",
        f"--{BOUNDARY}\r\nbad header\r\n\r\n".encode(),
        part(DATA, f'form-data; name="file"; filename="{"x" * 5000}"'),
        part(DATA, "form-data", *[f"X-{number}: y" for number in range(9)]),
    ],
)
async def test_what_is_not_a_form_is_a_malformed_body(client, kept, body):
    status, fault, details = refusal(await client.post("/files", content=body, headers=FORM))

    assert (status, fault) == (400, "malformed_body")
    assert details
    assert kept == {}


@pytest.mark.parametrize("content_type", ["multipart/form-data", f"multipart/form-data; boundary={'b' * 300}"])
async def test_a_form_needs_a_boundary(client, content_type):
    response = await client.post("/files", content=form(part(DATA)), headers={"content-type": content_type})

    assert refusal(response)[:2] == (400, "malformed_body")


@pytest.mark.parametrize("order", ["before", "after"])
async def test_a_description_has_a_limit(client, kept, order):
    parts = [description(b"x" * (DESCRIPTION_LIMIT + 1)), part(DATA)]
    body = form(*(parts if order == "before" else reversed(parts)))

    response = await client.post("/files", content=body, headers=FORM)

    assert refusal(response)[:2] == (413, "body_too_large")
    assert kept == {}


@pytest.mark.parametrize("by", [1, 7, 4096])
@pytest.mark.parametrize("missing", range(1, len(form(part(DATA))) - 2, 5))
async def test_a_form_without_its_end_is_cut_off(client, kept, missing, by):
    body = form(part(DATA))[: -2 - missing]

    response = await client.post("/files", content=in_pieces(body, by), headers=FORM)

    assert refusal(response)[:2] == (400, "upload_cut_off")
    assert kept == {}


plain_names = st.text(min_size=1, max_size=60).filter(lambda name: "%" not in name and unharmed(name))


def unharmed(name: str) -> bool:
    try:
        return file_name(name) == name
    except Refused:
        return False


def as_browsers_write(name: str) -> str:
    return name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")


almost_boundaries = st.sampled_from([b"\r\n--", f"\r\n--{BOUNDARY[:-1]}".encode(), f"--{BOUNDARY}".encode(), b"\r"])
contents = st.lists(st.binary(max_size=300) | almost_boundaries, max_size=8).map(b"".join)


@settings(max_examples=150, deadline=None)
@given(name=plain_names, data=contents, by=st.integers(1, 400), text=st.text(max_size=50))
async def test_any_name_and_any_bytes_chunked_anyhow_come_out_the_same(name, data, by, text):
    storage = MemoryStorage()
    disposition = f'form-data; name="file"; filename="{as_browsers_write(name)}"'
    body = form(part(data, disposition), description(text.encode()))

    async with asking(application(storage)) as client:
        answer = await sent(client, in_pieces(body, by))

    assert (answer["name"], answer["description"]) == (name, text)
    assert list(storage.of("ada").contents.values()) == [data]


@given(st.text(alphabet=st.characters(), max_size=400))
def test_whatever_a_client_calls_its_file_the_name_kept_is_harmless(given_name):
    try:
        name = file_name(given_name)
    except Refused:
        return

    assert name not in {"", ".", ".."}
    assert not re.search(r"[/\\\x00-\x1f\x7f\ud800-\udfff]", name)
    assert 0 < len(name.encode()) <= LONGEST_NAME
    assert file_name(name) == name.strip()


@pytest.mark.parametrize("name", ["iris.onnx", "più 🌸.bin", 'a"b.bin', "100%.bin", "it's.bin"])
async def test_a_form_written_by_httpx_is_understood(client, name):
    files = {"file": (name, DATA, "application/zip")}

    response = await client.post("/files", files=files, data={"description": "one"})

    answer = response.json()
    assert (answer["name"], answer["digest"], answer["description"]) == (name, DIGEST, "one")


# The body alone


@pytest.mark.parametrize(
    ("query", "headers", "name"),
    [
        ("?name=iris.onnx", {}, "iris.onnx"),
        ("?name=..%2F..%2Fetc%2Fpasswd", {}, "passwd"),
        ("?name=pi%C3%B9.bin", {}, "più.bin"),
        ("", {"content-disposition": 'attachment; filename="iris.onnx"'}, "iris.onnx"),
        ("", {"content-disposition": "attachment; filename*=UTF-8''pi%C3%B9.bin"}, "più.bin"),
        ("", {"content-disposition": 'attachment; filename="più.bin"'.encode()}, "più.bin"),
        ("", {"content-disposition": 'attachment; filename="più.bin"'.encode("latin-1")}, "più.bin"),
        ("?name=other", {"content-disposition": 'attachment; filename="iris.onnx"'}, "iris.onnx"),
    ],
)
async def test_a_body_alone_is_a_file_named_beside_it(client, kept, query, headers, name):
    response = await client.post(f"/files{query}", content=DATA, headers=headers)

    assert (response.status_code, response.json()["name"]) == (200, name)
    assert kept == {DIGEST: DATA}


@pytest.mark.parametrize(
    ("declared", "mimetype"),
    [
        ("application/zip", "application/zip"),
        ("application/x-www-form-urlencoded", "application/octet-stream"),
        ("multipart/mixed; boundary=x", "multipart/mixed"),
        (None, "application/octet-stream"),
    ],
)
async def test_the_type_of_a_body_alone_is_its_own(client, declared, mimetype):
    headers = {"content-type": declared} if declared else {}

    response = await client.post("/files?name=a&description=one", content=DATA, headers=headers)

    answer = response.json()
    assert (answer["mimetype"], answer["encoding"], answer["description"]) == (mimetype, "7bit", "one")


async def test_a_body_without_a_name_is_told_how_to_give_one(client, kept):
    status, fault, details = refusal(await client.post("/files", content=DATA))

    assert (status, fault) == (400, "post_request_error")
    assert "Content-Disposition" in details
    assert "?name=" in details
    assert kept == {}


async def test_a_request_without_a_body_is_missing_a_file(client):
    assert refusal(await client.post("/files")) == (400, "post_request_error", "Missing file")


async def test_an_empty_file_is_a_file(client, kept):
    empty = hashlib.sha256().hexdigest()

    assert (await client.post("/files?name=empty", content=b"")).json()["digest"] == empty
    assert (await sent(client, form(part(b""))))["digest"] == empty
    assert kept == {empty: b""}


async def test_fewer_bytes_than_announced_are_an_upload_cut_off(client, kept):
    headers = {"content-length": "100"}

    response = await client.post("/files?name=a", content=in_pieces(DATA, 3), headers=headers)

    assert refusal(response) == (400, "upload_cut_off", "after 10 of 100 bytes")
    assert kept == {}


@pytest.mark.parametrize("headers", [FORM, {}])
async def test_a_client_that_goes_away_is_an_upload_cut_off(storage, kept, headers):
    events = iter([{"type": "http.request", "body": part(DATA), "more_body": True}, {"type": "http.disconnect"}])
    answer = []

    async def receive():
        return next(events)

    async def send(event):
        answer.append(event)

    request = httpx.Request("POST", "http://catalog/files?name=a", headers=headers)
    scope = {"type": "http", "method": "POST", "path": "/files", "query_string": b"name=a", "root_path": ""}
    await application(storage)(scope | {"headers": request.headers.raw}, receive, send)

    assert answer[0]["status"] == 400
    assert b"upload_cut_off" in answer[1]["body"]
    assert kept == {}


# Limits, and digests of the client


@pytest.mark.parametrize("size", [0, LIMIT - 1, LIMIT])
async def test_a_file_within_the_limit_is_kept_however_it_comes(limited, size):
    data = b"x" * size

    assert (await limited.post("/files?name=a", content=data)).json()["size"] == size
    assert (await sent(limited, form(description(b"y" * DESCRIPTION_LIMIT), part(data))))["size"] == size


@pytest.mark.parametrize("announced", [True, False])
@pytest.mark.parametrize("is_form", [True, False])
async def test_a_file_over_the_limit_is_refused_however_it_comes(limited, kept, is_form, announced):
    data = b"x" * (LIMIT + 1)
    body, headers = (form(part(data)), FORM) if is_form else (data, {})

    response = await limited.post("/files?name=a", content=body if announced else in_pieces(body, 64), headers=headers)

    assert refusal(response) == (413, "body_too_large", "at most 1000 bytes")
    assert kept == {}


@pytest.mark.parametrize("headers", [FORM, {}])
async def test_a_size_announced_over_the_limit_is_refused_before_a_byte_is_read(limited, headers):
    read = []

    async def body():
        read.append("a byte")
        yield b"x"

    response = await limited.post("/files?name=a", content=body(), headers=headers | {"content-length": "1000000"})

    assert refusal(response)[:2] == (413, "body_too_large")
    assert read == []


async def test_an_endless_form_around_a_small_file_is_refused(limited):
    response = await limited.post(
        "/files",
        content=in_pieces(form(part(DATA), part(b"x" * 10 * DESCRIPTION_LIMIT, 'form-data; name="x"')), 4096),
        headers=FORM,
    )

    assert refusal(response)[:2] == (413, "body_too_large")


@pytest.mark.parametrize(
    ("query", "headers"),
    [
        ("", {"repr-digest": f"sha-256=:{BASE64}:"}),
        ("", {"repr-digest": f"md5=:AAAA:, sha-256=:{BASE64}:"}),
        ("", {"content-digest": f"sha-256=:{BASE64}:"}),
        ("", {"digest": f"SHA-256={BASE64}"}),
        ("", {"digest": f"sha-256={DIGEST}"}),
        (f"&sha256={DIGEST.upper()}", {}),
        (f"&sha256={DIGEST}", {"repr-digest": f"sha-256=:{BASE64}:"}),
    ],
)
async def test_a_client_may_announce_the_digest_of_its_file(client, query, headers):
    response = await client.post(f"/files?name=a{query}", content=DATA, headers=headers)

    assert response.json()["announced"] == DIGEST


@pytest.mark.parametrize("headers", [{}, {"repr-digest": "sha-512=:AAAA:"}, {"digest": "md5=AAAA"}])
async def test_other_algorithms_are_nothing_announced(client, headers):
    response = await client.post("/files?name=a", content=DATA, headers=headers)

    assert response.json()["announced"] == ""


@pytest.mark.parametrize("wrong", ["sha-256", "sha-256=", "sha-256=:AAAA:", "sha-256=::", f"sha-256=:{DIGEST[:-1]}:"])
@pytest.mark.parametrize("header", ["Repr-Digest", "Content-Digest", "Digest"])
async def test_a_malformed_digest_is_refused_by_the_name_of_its_header(client, kept, header, wrong):
    response = await client.post("/files?name=a", content=DATA, headers={header: wrong})

    status, fault, details = refusal(response)
    assert (status, fault) == (400, "post_request_error")
    assert details.startswith(f"{header}:")
    assert kept == {}


async def test_a_malformed_digest_in_the_query_is_refused_too(client):
    response = await client.post("/files?name=a&sha256=12", content=DATA)

    assert refusal(response)[2].startswith("?sha256:")


async def test_digests_that_differ_are_refused(client):
    headers = {"repr-digest": f"sha-256=:{BASE64}:"}

    response = await client.post(f"/files?name=a&sha256={'0' * 64}", content=DATA, headers=headers)

    assert refusal(response) == (400, "post_request_error", "the digests in Repr-Digest, ?sha256 differ")


async def test_the_digest_of_a_whole_form_is_not_that_of_its_file(client):
    other = {"content-digest": f"sha-256=:{b64encode(bytes(32)).decode()}:"}

    assert (await sent(client, form(part(DATA)), **other))["announced"] == ""
    assert (await sent(client, form(part(DATA)), **{"repr-digest": f"sha-256=:{BASE64}:"}))["announced"] == DIGEST


# Behind a real server


def test_a_large_file_goes_up_and_comes_down_in_little_memory(a_server):
    pattern, repeats = random.Random(1).randbytes(BLOCK), 200
    size, whole = BLOCK * repeats, hashlib.sha256()

    def body():
        yield part()[:-2]
        for number in range(repeats):
            block = number.to_bytes(4) + pattern[4:]
            whole.update(block)
            yield block
        yield f"\r\n--{BOUNDARY}--\r\n".encode()

    with httpx.Client(base_url=a_server.url, timeout=60) as client:
        client.post("/files", content=form(part(DATA)), headers=FORM).raise_for_status()
        at_rest = a_server.memory("VmRSS")
        answer = client.post("/files", content=body(), headers=FORM).json()
        with client.stream("GET", f"/files/{answer['digest']}?size={size}") as response:
            down = hashlib.sha256()
            for chunk in response.iter_bytes():
                down.update(chunk)

    assert (answer["size"], answer["digest"], down.hexdigest()) == (size, whole.hexdigest(), whole.hexdigest())
    assert a_server.memory("VmHWM") - at_rest < 100


@pytest.mark.parametrize("is_form", [True, False])
def test_a_client_that_cuts_off_its_upload_leaves_nothing_and_no_error(a_server, is_form):
    kind = f"Content-Type: {FORM['content-type']}" if is_form else "Content-Type: application/zip"
    head = f"POST /files?name=a HTTP/1.1\r\nHost: catalog\r\nContent-Length: 99999999\r\n{kind}\r\n\r\n"

    with httpx.Client(base_url=a_server.url, timeout=60) as client:
        with a_server.connect() as connection:
            connection.sendall(head.encode() + part(b"x" * 5 * BLOCK))
            client.get("/traffic/1").raise_for_status()
        client.get("/traffic/0").raise_for_status()

    assert a_server.files() == []
    log = a_server.stop()
    assert "Application startup complete" in log
    assert not re.search("error|exception|traceback", log, re.IGNORECASE)


@pytest.mark.parametrize(
    ("parts", "limit"),
    [
        ([part(b"", 'form-data; name="x"')] * 5000, "100 parts"),
        ([part(b"", 'form-data; name="x"', f"X-Long: {'x' * 3000}")] * 50, "16384 bytes"),
    ],
    ids=["parts", "headers"],
)
@pytest.mark.parametrize("has_file", [False, True])
async def test_a_form_has_few_parts_and_short_headers(client, kept, parts, limit, has_file):
    file = [part(DATA)] if has_file else []

    status, fault, details = refusal(await client.post("/files", content=form(*file, *parts), headers=FORM))

    assert (status, fault) == (413, "body_too_large")
    assert limit in details
    assert kept == {}
