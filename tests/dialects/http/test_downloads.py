"""Files on their way out, asked of the small application of `transfers`."""

import hashlib
import random
import re

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.blobs.memory import MemoryStorage
from catalog.blobs.protocol import BLOCK
from tests.support.transfers import BASE64, DATA, DIGEST, application, asking, refusal, serving

LAST_MODIFIED = "Fri, 02 Jan 2026 03:04:05 GMT"


@pytest.fixture
def kept(storage) -> dict[str, bytes]:
    return storage.of("ada").contents


@pytest.fixture
async def client(storage):
    async with asking(application(storage)) as client:
        yield client


@pytest.fixture
def a_file(kept) -> str:
    kept[DIGEST] = DATA
    return f"/files/{DIGEST}"


@pytest.fixture
def a_server(tmp_path):
    with serving(tmp_path) as server:
        yield server


async def test_a_download_says_all_there_is_to_say_of_a_file(client, a_file):
    response = await client.get(a_file)

    assert (response.status_code, response.content) == (200, DATA)
    assert dict(response.headers) == {
        "content-type": "application/zip",
        "content-length": "10",
        "content-disposition": 'attachment; filename="iris.onnx"',
        "x-content-type-options": "nosniff",
        "etag": f'"{DIGEST}"',
        "accept-ranges": "bytes",
        "last-modified": LAST_MODIFIED,
        "cache-control": "private, no-cache",
        "repr-digest": f"sha-256=:{BASE64}:",
    }


async def test_head_says_the_same_without_the_bytes(client, a_file):
    told, whole = await client.head(a_file), await client.get(a_file)

    assert (told.status_code, told.content, dict(told.headers)) == (200, b"", dict(whole.headers))


async def test_a_kept_type_is_given_back_without_additions_and_never_as_something_else(client, a_file):
    for kept_type, given_back in (("text/html", "text/html"), ("a\r\nX-Evil: 1", "application/octet-stream")):
        response = await client.get(a_file, params={"type": kept_type})

        assert response.headers["content-type"] == given_back


@pytest.mark.parametrize(
    ("name", "disposition"),
    [
        ("iris.onnx", 'attachment; filename="iris.onnx"'),
        ("my iris (2).onnx", 'attachment; filename="my iris (2).onnx"'),
        ("più.bin", "attachment; filename=\"pi_.bin\"; filename*=UTF-8''pi%C3%B9.bin"),
        ('a"b\\c.bin', "attachment; filename=\"a_b_c.bin\"; filename*=UTF-8''a%22b%5Cc.bin"),
        ("100%.bin", "attachment; filename=\"100_.bin\"; filename*=UTF-8''100%25.bin"),
        ("a\r\nX-Evil: 1", "attachment; filename=\"a__X-Evil_ 1\"; filename*=UTF-8''a%0D%0AX-Evil%3A%201"),
    ],
)
async def test_any_name_survives_the_way_back(client, a_file, name, disposition):
    response = await client.get(a_file, params={"name": name})

    assert response.headers["content-disposition"] == disposition


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [
        ("bytes=0-3", 0, 3),
        ("bytes=4-", 4, 9),
        ("bytes=-3", 7, 9),
        ("bytes=9-9", 9, 9),
        ("bytes=2-999", 2, 9),
        ("bytes=-999", 0, 9),
        ("Bytes=0-", 0, 9),
    ],
)
async def test_a_range_is_a_part_of_the_file(client, a_file, asked, first, last):
    response = await client.get(a_file, headers={"range": asked})

    assert (response.status_code, response.content) == (206, DATA[first : last + 1])
    assert response.headers["content-range"] == f"bytes {first}-{last}/10"
    assert response.headers["content-length"] == str(last - first + 1)
    assert response.headers["repr-digest"] == f"sha-256=:{BASE64}:"


@pytest.mark.parametrize(
    "asked", ["bytes=0-1,4-5", "bytes=5-2", "bytes=-", "bytes=a-b", "lines=1-2", "nonsense", "bytes=0-" + "9" * 5000]
)
async def test_a_range_that_is_not_understood_is_the_whole_file(client, a_file, asked):
    response = await client.get(a_file, headers={"range": asked})

    assert (response.status_code, response.content) == (200, DATA)


@pytest.mark.parametrize("asked", ["bytes=10-", "bytes=10-20", "bytes=-0"])
async def test_a_range_beyond_the_file_says_how_long_it_is(client, a_file, asked):
    response = await client.get(a_file, headers={"range": asked})

    assert refusal(response) == (416, "range_not_satisfiable", "it has 10 bytes")
    assert response.headers["content-range"] == "bytes */10"


async def test_head_does_not_know_ranges(client, a_file):
    response = await client.head(a_file, headers={"range": "bytes=0-3"})

    assert (response.status_code, response.headers["content-length"]) == (200, "10")


@pytest.mark.parametrize(
    ("condition", "status"),
    [
        (f'"{DIGEST}"', 206),
        (LAST_MODIFIED, 206),
        (f'W/"{DIGEST}"', 200),
        ('"other"', 200),
        ("Fri, 02 Jan 2026 03:04:06 GMT", 200),
    ],
)
async def test_a_resumed_download_goes_on_only_with_the_same_file(client, a_file, condition, status):
    response = await client.get(a_file, headers={"range": "bytes=4-", "if-range": condition})

    assert (response.status_code, response.content) == (status, DATA[4:] if status == 206 else DATA)


@pytest.mark.parametrize("known", [f'"{DIGEST}"', f'W/"{DIGEST}"', f'"other", "{DIGEST}"', "*"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_what_a_client_has_is_not_sent_again(client, a_file, method, known):
    response = await client.request(method, a_file, headers={"if-none-match": known, "range": "bytes=99-"})

    assert (response.status_code, response.content) == (304, b"")
    assert dict(response.headers) == {
        "etag": f'"{DIGEST}"', "last-modified": LAST_MODIFIED, "cache-control": "private, no-cache"
    }  # fmt: skip


async def test_another_version_than_the_client_has_is_sent(client, a_file):
    response = await client.get(a_file, headers={"if-none-match": f'"other", "{DIGEST[:-1]}"'})

    assert (response.status_code, response.content) == (200, DATA)


@pytest.mark.parametrize(("asked", "status"), [(None, 200), ("bytes=-5", 200), ("bytes=0-", 416), ("bytes=-0", 416)])
async def test_an_empty_file_is_given_back(client, kept, asked, status):
    empty = hashlib.sha256().hexdigest()
    kept[empty] = b""

    response = await client.get(f"/files/{empty}?size=0", headers={"range": asked} if asked else {})

    assert response.status_code == status
    assert status == 416 or (response.content, response.headers["content-length"]) == (b"", "0")


async def test_missing_bytes_are_an_answer_and_not_a_broken_stream(client):
    response = await client.get(f"/files/{DIGEST}")

    assert refusal(response) == (500, "generic_download_error", "the bytes of iris.onnx are missing")
    assert "etag" not in response.headers


@settings(max_examples=60, deadline=None)
@given(size=st.integers(0, 3 * BLOCK), first=st.integers(0, 3 * BLOCK), length=st.integers(0, 3 * BLOCK))
async def test_any_range_is_a_slice(size, first, length):
    storage, data = MemoryStorage(), random.Random(size).randbytes(size)
    digest = hashlib.sha256(data).hexdigest()
    storage.of("ada").contents[digest] = data

    async with asking(application(storage)) as client:
        asked = {"range": f"bytes={first}-{first + length}"}
        response = await client.get(f"/files/{digest}?size={size}", headers=asked)

    assert (response.status_code, response.content) == (206, data[first : first + length + 1]) or (
        response.status_code == 416 and first >= size
    )


def test_a_client_that_leaves_during_a_download_ends_the_reading_quietly(a_server):
    blocks = 64
    with httpx.Client(base_url=a_server.url, timeout=60) as client:
        digest = client.post("/files?name=a", content=bytes(blocks * BLOCK)).json()["digest"]
        with a_server.connect() as connection:
            connection.sendall(f"GET /files/{digest}?size={blocks * BLOCK} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            connection.recv(1)
            client.get("/traffic/1").raise_for_status()
        read = client.get("/traffic/0").json()["blocks"]

    assert 0 < read < blocks
    log = a_server.stop()
    assert "Application startup complete" in log
    assert not re.search("error|exception|traceback", log, re.IGNORECASE)
