"""What is particular to blobs in an S3-compatible store, and what is done when it is unwell."""

import asyncio
import errno
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import boto3
import httpx
import pytest
from botocore.config import Config
from obstore.exceptions import GenericError

from catalog.blobs.protocol import BLOCK, Blob, StorageSetupError, StorageUnavailableError, WrongDigestError
from catalog.blobs.s3 import connection, credentials
from catalog.blobs.s3 import incoming as incoming_module
from catalog.blobs.s3 import parts as parts_module
from catalog.blobs.s3.connection import BucketAddress, setup_error
from catalog.blobs.s3.credentials import Keys
from catalog.blobs.s3.multipart import PART
from catalog.blobs.s3.presigning import presigned_get
from catalog.blobs.s3.storage import S3Blobs, S3Storage
from catalog.blobs.selection import select_storage
from catalog.settings.loading import load
from tests.support.contents import broken_after, chunked, some_bytes, whole
from tests.support.s3_server import KEY, REGION, SECRET, s3_server
from tests.support.serving import SOON, Server, serve

NO_FILE = Path("no-such-file.env")
BIG = [PART - 1, PART, PART + 1, 2 * PART + 5]
UPLOAD = "f" * 32


@pytest.fixture(scope="module")
def bucket(s3) -> str:
    return s3.bucket()


@pytest.fixture
def client(s3):
    """Another's eyes on the store."""
    client = boto3.client(
        "s3",
        endpoint_url=s3.url,
        region_name=REGION,
        aws_access_key_id=KEY,
        aws_secret_access_key=SECRET,
        config=Config(signature_version="s3v4", s3={"addressing_style": "path"}),
    )
    yield client
    client.close()


@pytest.fixture
def storage(s3, bucket, request) -> S3Storage:
    """With a prefix of its own for each test."""
    name = sha256(request.node.name.encode()).hexdigest()[:12]
    return select_storage(load(NO_FILE, s3.settings(f"s3://{bucket}/{name}/catalog")).storage_settings)


@pytest.fixture
def blobs(storage) -> S3Blobs:
    return storage.of("ada")


def kept_under(client, bucket: str, prefix: str) -> list[str]:
    found = client.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", [])
    return [each["Key"].removeprefix(prefix) for each in found]


def prefix_of(storage: S3Storage) -> str:
    return f"{storage._address.prefix}/"


def unfinished(client, bucket: str, storage: S3Storage) -> list[dict]:
    return client.list_multipart_uploads(Bucket=bucket, Prefix=prefix_of(storage)).get("Uploads", [])


async def test_an_object_stands_under_prefix_tenant_and_digest(storage, blobs, client, bucket):
    small = await blobs.put(chunked(b"iris"))
    large = await blobs.put(chunked(some_bytes(PART + 1)))

    names = sorted(f"ada/{kept.digest[:2]}/{kept.digest}" for kept in (small, large))
    assert kept_under(client, bucket, prefix_of(storage)) == names


@pytest.mark.parametrize("size", [4, PART + 1])
@pytest.mark.parametrize("way", ["put", "finish"])
async def test_bytes_that_are_sent_again_replace_damaged_ones(storage, blobs, client, bucket, size, way):
    data = some_bytes(size)
    kept = await blobs.put(chunked(data))
    [key] = kept_under(client, bucket, prefix_of(storage))
    client.put_object(Bucket=bucket, Key=f"{prefix_of(storage)}{key}", Body=b"!" + data[1:])
    damaged = await whole(blobs, kept.digest)

    if way == "put":
        await blobs.put(chunked(data))
    else:
        await blobs.append(UPLOAD, 0, chunked(data))
        await blobs.finish(UPLOAD)

    assert damaged != data
    assert await whole(blobs, kept.digest) == data


@pytest.mark.parametrize("size", BIG)
async def test_around_the_size_of_a_part_everything_is_whole(blobs, size):
    data = some_bytes(size)

    kept = await blobs.put(chunked(data, by=999_983))

    assert kept == Blob(sha256(data).hexdigest(), size)
    assert await whole(blobs, kept.digest) == data
    assert [leftover async for leftover in blobs.leftovers()] == []


async def test_what_no_store_copies_at_once_is_sent_in_pieces_and_joined(storage, blobs, client, bucket, monkeypatch):
    monkeypatch.setattr(incoming_module, "SEGMENT", PART)
    data = some_bytes(3 * PART + 3)

    kept = await blobs.put(chunked(data, by=999_983))

    assert await whole(blobs, kept.digest) == data
    assert kept_under(client, bucket, prefix_of(storage)) == [f"ada/{kept.digest[:2]}/{kept.digest}"]


@pytest.mark.parametrize("size", BIG)
async def test_an_interrupted_upload_leaves_neither_object_nor_parts(storage, blobs, client, bucket, size):
    with pytest.raises(ConnectionError, match="unplugged"):
        await blobs.put(broken_after(some_bytes(size), ConnectionError("unplugged")))

    assert kept_under(client, bucket, prefix_of(storage)) == []
    assert unfinished(client, bucket, storage) == []


async def test_a_cancelled_upload_leaves_neither_object_nor_parts(storage, blobs, client, bucket):
    stuck = asyncio.Event()

    async def never_ending():
        async for chunk in chunked(some_bytes(2 * PART + 5)):
            yield chunk
        stuck.set()
        await asyncio.Event().wait()

    upload = asyncio.create_task(blobs.put(never_ending()))
    await stuck.wait()
    upload.cancel()

    with pytest.raises(asyncio.CancelledError):
        await upload
    assert kept_under(client, bucket, prefix_of(storage)) == []
    assert unfinished(client, bucket, storage) == []


async def test_an_upload_in_parts_is_pieces_named_by_their_offset(storage, blobs, client, bucket, monkeypatch):
    monkeypatch.setattr(parts_module, "PART", BLOCK)

    await blobs.append(UPLOAD, 0, chunked(some_bytes(2 * BLOCK), by=BLOCK))
    await blobs.append(UPLOAD, 2 * BLOCK, chunked(b"more"))

    assert kept_under(client, bucket, f"{prefix_of(storage)}ada/uploads/{UPLOAD}/") == [
        f"{offset:020}" for offset in (0, BLOCK, 2 * BLOCK)
    ]


async def test_what_a_killed_upload_left_is_a_leftover_that_can_be_discarded(storage, blobs, client, bucket):
    for piece in range(2):
        key = f"{prefix_of(storage)}ada/incoming/{UPLOAD}/{piece:020}"
        client.put_object(Bucket=bucket, Key=key, Body=b"12345")

    [left] = [leftover async for leftover in blobs.leftovers()]
    await blobs.discard(left.name)

    assert left[:2] == (f"incoming/{UPLOAD}", 10)
    assert [kept async for kept in blobs.listing()] == []
    assert kept_under(client, bucket, prefix_of(storage)) == []


async def test_a_finish_that_was_cut_off_before_it_forgot_the_parts_can_be_repeated(storage, blobs, client, bucket):
    await blobs.append(UPLOAD, 0, chunked(b"whole"))
    piece = f"{prefix_of(storage)}ada/uploads/{UPLOAD}/{0:020}"
    first = await blobs.finish(UPLOAD)
    client.put_object(Bucket=bucket, Key=piece, Body=b"whole")

    assert await blobs.finish(UPLOAD) == first
    assert kept_under(client, bucket, f"{prefix_of(storage)}ada/uploads/{UPLOAD}/") == ["kept"]


async def test_a_tenant_that_is_forgotten_leaves_what_is_made_after_it(storage, client, bucket):
    for number in range(5):
        await storage.of("ada").put(chunked(b"%d" % number))
    await storage.of("adam").put(chunked(b"stays"))

    await storage.forget("ada")

    assert [key.partition("/")[0] for key in kept_under(client, bucket, prefix_of(storage))] == ["adam"]


async def test_nothing_that_is_shown_has_the_secret(storage, s3, bucket):
    settings = load(NO_FILE, s3.settings(f"s3://{bucket}"))

    shown = [
        settings,
        storage,
        storage._address,
        storage.of("ada"),
        storage._bucket.store,
        storage._bucket.store.config,
    ]

    assert not [each for each in shown if SECRET in repr(each)]


# Addresses for clients


async def test_an_address_gives_the_bytes_under_their_name_without_a_key(s3, bucket):
    settings = {**s3.settings(f"s3://{bucket}/signed"), "S3_DOWNLOADS": "redirect"}
    blobs = select_storage(load(NO_FILE, settings).storage_settings).of("ada")
    kept = await blobs.put(chunked(b"iris"))

    address = await blobs.presigned(kept.digest, seconds=60, name='ïris "1".onnx', mimetype="application/onnx")
    async with httpx.AsyncClient(timeout=SOON) as anybody:
        answer = await anybody.get(address)

    assert (answer.status_code, answer.content) == (200, b"iris")
    assert answer.headers["content-type"] == "application/onnx"
    assert answer.headers["content-disposition"] == "attachment; filename*=UTF-8''%C3%AFris%20%221%22.onnx"
    assert SECRET not in address


async def test_there_is_no_address_unless_the_setting_says_so(blobs):
    kept = await blobs.put(chunked(b"iris"))

    assert await blobs.presigned(kept.digest, seconds=60, name="iris", mimetype="text/plain") is None


@pytest.mark.parametrize("endpoint", ["http://127.0.0.1:9000", "https://s3.example.org"])
def test_the_signature_is_the_one_that_aws_own_client_makes(endpoint):
    place = BucketAddress(endpoint, "models", "a/prefix", "eu-west-1", "AKIA1234", "secret/key+1")
    answer = {
        "response-content-disposition": "attachment; filename*=UTF-8''%C3%A4%20b",
        "response-content-type": "text/plain; charset=utf-8",
    }

    client = boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name="eu-west-1",
        aws_access_key_id="AKIA1234",
        aws_secret_access_key="secret/key+1",
        config=Config(signature_version="s3v4", s3={"addressing_style": "path"}),
    )
    theirs = client.generate_presigned_url(
        "get_object",
        {
            "Bucket": "models",
            "Key": "a/prefix/ada/aa/1",
            "ResponseContentDisposition": answer["response-content-disposition"],
            "ResponseContentType": answer["response-content-type"],
        },
        ExpiresIn=900,
    )
    client.close()
    expected = parse_qs(urlsplit(theirs).query)
    signed_at = datetime.strptime(expected["X-Amz-Date"][0], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    ours = presigned_get(place, Keys("AKIA1234", "secret/key+1"), "ada/aa/1", 900, answer, signed_at)
    assert urlsplit(ours)[:3] == urlsplit(theirs)[:3]
    assert parse_qs(urlsplit(ours).query) == expected


@pytest.mark.parametrize("way", ["put", "finish"])
async def test_an_announced_digest_is_sent_to_its_name_and_another_one_is_never_completed(
    storage, blobs, client, bucket, way
):
    data, wrong = some_bytes(2 * PART + 5), "0" * 64
    digest = sha256(data).hexdigest()

    async def send(announced):
        if way == "put":
            return await blobs.put(chunked(data), Blob(announced, len(data)))
        await blobs.append(UPLOAD, 0, chunked(data))
        return await blobs.finish(UPLOAD, announced)

    with pytest.raises(WrongDigestError):
        await send(wrong)
    await blobs.abandon(UPLOAD)
    nothing = kept_under(client, bucket, prefix_of(storage)), unfinished(client, bucket, storage)
    kept = await send(digest)
    await blobs.abandon(UPLOAD)
    after = kept_under(client, bucket, prefix_of(storage)), unfinished(client, bucket, storage)

    assert nothing == ([], [])
    assert kept == Blob(digest, len(data))
    assert after == ([f"ada/{digest[:2]}/{digest}"], [])
    tag = client.head_object(Bucket=bucket, Key=f"{prefix_of(storage)}{after[0][0]}")["ETag"]
    assert tag.endswith('-3"')  # in three parts, and not copied as a whole


async def test_an_upload_that_breaks_off_leaves_nothing_at_its_name(storage, blobs, client, bucket):
    data = some_bytes(2 * PART)

    with pytest.raises(ConnectionError):
        await blobs.put(broken_after(data, ConnectionError("unplugged")), Blob("0" * 64, 3 * PART))

    assert (kept_under(client, bucket, prefix_of(storage)), unfinished(client, bucket, storage)) == ([], [])


async def test_a_store_encrypts_as_it_is_told(s3, bucket, client):
    values = s3.settings(f"s3://{bucket}/encrypted") | {"S3_ENCRYPTION": "aws:kms", "S3_KMS_KEY": "the-key"}
    blobs = select_storage(load(NO_FILE, values).storage_settings).of("ada")
    large = some_bytes(PART + 1)

    digests = [(await blobs.put(chunked(data))).digest for data in (b"small", large)]
    digests.append((await blobs.put(chunked(large + b"!"), Blob(sha256(large + b"!").hexdigest(), PART + 2))).digest)

    for digest in digests:
        found = client.head_object(Bucket=bucket, Key=f"encrypted/ada/{digest[:2]}/{digest}")
        assert (found["ServerSideEncryption"], found["SSEKMSKeyId"]) == ("aws:kms", "the-key")


# Where credentials come from

PROFILES = """
[default]
aws_access_key_id = DEFAULT
aws_secret_access_key = default%secret

[work]
aws_access_key_id = WORK
aws_secret_access_key = s
aws_session_token = t

[role]
role_arn = arn:aws:iam::1:role/x
"""
IN_ENVIRONMENT = {"AWS_ACCESS_KEY_ID": "ENV", "AWS_SECRET_ACCESS_KEY": "s", "AWS_SESSION_TOKEN": "t"}


@pytest.fixture(autouse=True)
def none_of_the_machine(monkeypatch):
    for name in (*IN_ENVIRONMENT, "AWS_PROFILE", *credentials.ROLES):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def profiles(tmp_path) -> dict[str, str]:
    (tmp_path / "credentials").write_text(PROFILES)
    return {"AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "credentials")}


def test_credentials_are_found_in_the_order_of_awss_own_clients(profiles, tmp_path):
    nowhere = {"AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "none")}
    found = [
        credentials.find("KEY", "secret", profiles | IN_ENVIRONMENT),
        credentials.find("", "", profiles | IN_ENVIRONMENT | {"AWS_PROFILE": "work"}),
        credentials.find("", "", profiles | {"AWS_PROFILE": "work"}),
        credentials.find("", "", profiles),
        credentials.find("", "", profiles | {"AWS_WEB_IDENTITY_TOKEN_FILE": "/token"}),
        credentials.find("", "", nowhere),
    ]

    assert found == [
        Keys("KEY", "secret"),
        Keys("ENV", "s", "t"),
        Keys("WORK", "s", "t", is_lasting=False),
        Keys("DEFAULT", "default%secret", is_lasting=False),
        None,
        None,
    ]


@pytest.mark.parametrize("profile", ["role", "unknown"])
def test_a_profile_without_keys_stops_the_start(profiles, profile):
    with pytest.raises(StorageSetupError, match=f"AWS_PROFILE {profile} has no aws_access_key_id"):
        credentials.find("", "", profiles | {"AWS_PROFILE": profile})


async def test_the_keys_of_a_profile_sign_requests_and_addresses(profiles, monkeypatch):
    for name, value in (profiles | {"AWS_PROFILE": "work"}).items():
        monkeypatch.setenv(name, value)
    async with a_store_that_answers(answered("200 OK")) as (described, asked):
        address = replace(described._address, access_key="", secret_key="")
        storage = S3Storage(address, redirects=True)

        await storage.of("ada").put(chunked(b"iris"))
        url = await storage.of("ada").presigned("a" * 64, seconds=60, name="iris", mimetype="text/plain")

    assert "credential=work/" in asked[0]
    assert "x-amz-security-token: t" in asked[0]
    assert parse_qs(urlsplit(url).query)["X-Amz-Security-Token"] == ["t"]


async def test_a_role_of_the_container_signs_requests_and_no_addresses(monkeypatch, tmp_path):
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    (tmp_path / "token").write_text("who-i-am")
    role = b'{"AccessKeyId":"ROLE","SecretAccessKey":"s","Token":"t","Expiration":"2100-01-01T00:00:00Z"}'
    async with a_store_that_answers(answered("200 OK", role)) as (described, asked):
        monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{described._address.endpoint}/role")
        monkeypatch.setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", str(tmp_path / "token"))
        address = replace(described._address, access_key="", secret_key="")

        await S3Storage(address).of("ada").put(chunked(b"iris"))
        with pytest.raises(StorageSetupError, match="S3_DOWNLOADS=redirect needs keys"):
            await S3Storage(address, redirects=True).check()

    assert asked[0].startswith("get /role ")
    assert "credential=role/" in asked[1]


def test_the_bucket_is_in_the_host_if_that_is_set():
    place = BucketAddress("https://s3.example.org", "models", "p", "eu-west-1", "", "", virtual_host=True)

    url = urlsplit(presigned_get(place, Keys("A", "s"), "ada/aa/1", 900, {}))

    assert (url.netloc, url.path) == ("models.s3.example.org", "/p/ada/aa/1")


async def test_requests_name_the_bucket_in_the_host_if_that_is_set():
    async with a_store_that_answers(answered("200 OK")) as (described, asked):
        endpoint = described._address.endpoint.replace("127.", "")
        address = replace(described._address, bucket="127", endpoint=endpoint, virtual_host=True)

        await S3Storage(address).of("ada").put(chunked(b"iris"))

    assert asked[0].startswith("put /ada/")
    assert "host: 127.0.0.1:" in asked[0]


@pytest.mark.parametrize(("text", "why"), [(None, "cannot be read"), ("a certificate", "holds no certificate in PEM")])
async def test_a_file_of_certificates_that_is_none_stops_the_start(s3, bucket, tmp_path, text, why):
    file = tmp_path / "ca.pem"
    if text:
        file.write_text(text)
    values = s3.settings(f"s3://{bucket}") | {"S3_CA": str(file)}

    with pytest.raises(StorageSetupError, match=f"S3_CA .* {why}"):
        await select_storage(load(NO_FILE, values).storage_settings).check()


# A store that is unwell


@asynccontextmanager
async def a_store_that_answers(*answers: bytes) -> AsyncIterator[tuple[S3Storage, list[str]]]:
    """One answer after the other, and the last one to everything after; with what it was asked."""
    asked: list[str] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = next((int(line.split(":")[1]) for line in head.split("\r\n") if line.startswith("content-length")), 0)
        await reader.readexactly(length)
        asked.append(head)
        writer.write(answers[min(len(asked), len(answers)) - 1])
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        yield S3Storage(BucketAddress(url, "models", "", REGION, KEY, SECRET)), asked


def answered(status: str, body: bytes = b"") -> bytes:
    return f'HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nETag: "1"\r\nConnection: close\r\n\r\n'.encode() + body


def refusal(status: str, code: str) -> bytes:
    body = f"<Error><Code>{code}</Code><Message>{KEY}</Message></Error>".encode()
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body


async def test_a_store_that_has_a_bad_moment_is_asked_again():
    well = b'HTTP/1.1 200 OK\r\nETag: "1"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n'
    async with a_store_that_answers(refusal("503 Slow Down", "SlowDown"), well) as (storage, asked):
        kept = await storage.of("ada").put(chunked(b"iris"))

    assert kept.size == 4
    assert len(asked) == 2


@pytest.mark.parametrize(
    ("status", "code", "told"),
    [
        ("503 Slow Down", "SlowDown", "the store answers 503 SlowDown"),
        ("403 Forbidden", "AccessDenied", "the store answers 403 AccessDenied"),
        ("404 Not Found", "NoSuchBucket", "the bucket is gone"),
    ],
)
async def test_a_store_that_refuses_for_good_is_away(status, code, told):
    async with a_store_that_answers(refusal(status, code)) as (storage, _):
        with pytest.raises(StorageUnavailableError, match=f"^{told}$") as away:
            await storage.of("ada").put(chunked(b"iris"))

    assert KEY not in str(away.value)
    assert away.value.__suppress_context__


async def test_a_bucket_that_is_gone_is_a_store_that_is_away_and_not_a_file_that_is_missing():
    async with a_store_that_answers(refusal("404 Not Found", "NoSuchBucket")) as (storage, _):
        with pytest.raises(StorageUnavailableError, match="the bucket is gone"):
            await whole(storage.of("ada"), "0" * 64)


async def test_a_store_that_is_not_there_is_away(monkeypatch):
    monkeypatch.setitem(connection.RETRIES["backoff"], "init_backoff", timedelta(milliseconds=1))
    async with a_store_that_answers(b"") as (storage, _):
        pass
    blobs = storage.of("ada")

    for asked in (
        blobs.put(chunked(b"iris")),
        blobs.put(chunked(some_bytes(PART + 1))),
        blobs.append(UPLOAD, 0, chunked(b"iris")),
        blobs.size("0" * 64),
        blobs.drop("0" * 64),
        whole(blobs, "0" * 64),
    ):
        with pytest.raises(StorageUnavailableError, match=r"^the store cannot be reached$"):
            await asked


NOTHING_THERE = refusal("404 Not Found", "NoSuchKey")


async def test_a_store_that_is_well_is_read_each_time_that_it_is_probed_and_written_now_and_then():
    well = b'HTTP/1.1 200 OK\r\nETag: "1"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n'
    async with a_store_that_answers(NOTHING_THERE, well, NOTHING_THERE) as (storage, asked):
        for _ in range(3):
            await storage.probe()

    assert [head.split()[0] for head in asked] == ["get", "put", "get", "get"]


async def test_a_store_that_may_be_read_and_not_written_is_away_each_time_that_it_is_probed():
    refused = refusal("403 Forbidden", "AccessDenied")
    async with a_store_that_answers(NOTHING_THERE, refused, NOTHING_THERE, refused) as (storage, asked):
        for _ in range(2):
            with pytest.raises(StorageUnavailableError, match=r"^the store answers 403 AccessDenied$"):
                await storage.probe()

    assert len(asked) == 4


async def test_a_full_store_is_probed_without_complaint():
    full = refusal("507 Insufficient Storage", "XMinioStorageFull")
    async with a_store_that_answers(NOTHING_THERE, full) as (storage, _):
        await storage.probe()


@pytest.mark.parametrize(
    ("status", "code"),
    [("507 Insufficient Storage", "XMinioStorageFull"), ("403 Forbidden", "QuotaExceeded"), ("507 Full", "Full")],
)
async def test_a_full_store_is_a_full_disk(status, code):
    async with a_store_that_answers(refusal(status, code)) as (storage, _):
        with pytest.raises(OSError, match="No space left") as full:
            await storage.of("ada").put(chunked(b"iris"))

    assert full.value.errno == errno.ENOSPC


async def test_a_download_that_is_cut_off_goes_on_where_it_was():
    head = 'HTTP/1.1 {} \r\nETag: "1"\r\nLast-Modified: Mon, 23 Nov 2026 14:00:00 GMT\r\nContent-Length: {}\r\n{}\r\n'
    data = some_bytes(3 * BLOCK)
    half = head.format("206 Partial", len(data), f"Content-Range: bytes 0-{len(data) - 1}/{len(data)}\r\n").encode()
    rest = head.format(
        "206 Partial", len(data) - BLOCK, f"Content-Range: bytes {BLOCK}-{len(data) - 1}/{len(data)}\r\n"
    ).encode()
    async with a_store_that_answers(half + data[:BLOCK], rest + data[BLOCK:]) as (storage, asked):
        assert await whole(storage.of("ada"), "0" * 64, 0, len(data)) == data

    assert len(asked) == 2


# At the start


@pytest.mark.parametrize(
    ("status", "code", "told"),
    [
        ("404 Not Found", "NoSuchBucket", "STORAGE: there is no bucket models at "),
        ("403 Forbidden", "InvalidAccessKeyId", "S3_ACCESS_KEY or S3_SECRET_KEY: .* refuses the key"),
        ("403 Forbidden", "SignatureDoesNotMatch", "S3_ACCESS_KEY or S3_SECRET_KEY: .* refuses the key"),
        (
            "403 Forbidden",
            "AccessDenied",
            "S3_ACCESS_KEY: it may not list, read, write and delete in the bucket models",
        ),
        ("403 Forbidden", "RequestTimeTooSkewed", "S3_ENDPOINT http://.* has another time than this machine"),
        ("400 Bad Request", "AuthorizationHeaderMalformed", "S3_REGION us-east-1 is not that of the bucket models"),
        ("405 Method Not Allowed", "", "S3_ENDPOINT http://.* does not answer as an S3 store"),
    ],
)
async def test_a_start_says_in_a_sentence_what_is_wrong_with_the_store(status, code, told):
    async with a_store_that_answers(refusal(status, code)) as (storage, _):
        with pytest.raises(StorageSetupError, match=told) as unusable:
            await storage.check()

    assert "\n" not in str(unusable.value)
    assert SECRET not in str(unusable.value)


async def test_a_start_names_the_source_of_a_key_that_is_refused(monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY)
    async with a_store_that_answers(refusal("400 Bad Request", "ExpiredToken")) as (storage, _):
        elsewhere = S3Storage(replace(storage._address, access_key="", secret_key=""))
        with pytest.raises(StorageSetupError, match=r"^AWS_ACCESS_KEY_ID: .* refuses the key .*ExpiredToken"):
            await elsewhere.check()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("InvalidCertificate(UnknownIssuer)", "authority that is not trusted here: S3_CA"),
        ("InvalidCertificate(Other(OtherError(CaUsedAsEndEntity)))", "a server needs one of its own"),
        ("InvalidMessage(InvalidContentType)", "begin with http://"),
    ],
)
def test_a_start_says_what_is_wrong_with_a_certificate(words, told):
    address = BucketAddress("https://store", "models", "", REGION, KEY, SECRET)

    assert told in str(setup_error(address, GenericError(f"error sending request\n{words}")))


async def test_a_bucket_that_is_not_there_stops_the_start(s3):
    storage = select_storage(load(NO_FILE, s3.settings("s3://nobody-made-this")).storage_settings)

    with pytest.raises(StorageSetupError, match="no bucket nobody-made-this"):
        await storage.check()


async def test_a_key_that_a_real_store_refuses_stops_the_start():
    with s3_server(INITIAL_NO_AUTH_ACTION_COUNT="1") as strict:
        storage = select_storage(load(NO_FILE, strict.settings(f"s3://{strict.bucket()}")).storage_settings)

        with pytest.raises(StorageSetupError, match="refuses the key"):
            await storage.check()


async def test_a_store_that_is_not_there_stops_the_start():
    async with a_store_that_answers(b"") as (storage, _):
        pass

    with pytest.raises(StorageSetupError, match=r"S3_ENDPOINT http://127.0.0.1:.* cannot be reached"):
        await storage.check()


# The whole server


def test_a_version_goes_into_the_store_and_comes_back_and_a_store_that_is_away_is_a_503(tmp_path):
    with s3_server() as store:
        bucket = store.bucket()
        with Server(tmp_path, PROTOCOL="http", **store.settings(f"s3://{bucket}/catalog")) as server:
            with server.client(server.login().json()["token"]) as client:
                client.post("/v1/models", json={"name": "iris", "visibility": "private"}).raise_for_status()
                url = "/v1/models/iris/versions"
                client.post(url, content=some_bytes(PART + 1), params={"name": "iris.bin"}).raise_for_status()
                came_back = client.get(f"{url}/1")
                os.kill(store.pid, signal.SIGKILL)
                away = client.post(url, content=b"iris", params={"name": "iris.bin"})
            log = server.log.read_text()

    assert came_back.content == some_bytes(PART + 1)
    assert (away.status_code, away.json()["value"]) == (503, 123)
    assert int(away.headers["retry-after"]) > 0
    assert SECRET not in log
    assert KEY not in log
    assert not list((tmp_path / "uploads").glob("*"))


def test_a_server_whose_bucket_is_missing_does_not_start_and_says_so(tmp_path, s3):
    ended = serve(tmp_path, PROTOCOL="http", **s3.settings("s3://nobody-made-this"))

    assert ended.returncode == 1
    assert ended.stderr.splitlines()[-1] == f"STORAGE: there is no bucket nobody-made-this at {s3.url}; create it first"
    assert "Traceback" not in ended.stderr
