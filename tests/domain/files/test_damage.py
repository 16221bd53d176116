"""Bytes that a disk has lost or changed: noticed, never handed out as whole, and replaced by the next upload."""

import hashlib
import os
import subprocess
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from catalog.blobs.files import FileStorage
from catalog.blobs.protocol import Blob, StorageUnavailableError
from catalog.domain.cleanup import sweep
from catalog.domain.files import blob_records
from catalog.domain.files.blob_records import BlobCondition
from catalog.store.clock import now
from catalog.store.documents.tenants import RegisteredTenant
from tests.dialects.v1.test_folders import closed, filled
from tests.dialects.v1.test_tus import Tus
from tests.dialects.v1.test_versions import refusal, uploaded, versions_of
from tests.support.app import OURS, client_of_app, in_database
from tests.support.contents import broken_after, chunked, some_bytes, whole
from tests.support.tenants import Organisation, organisation_of_a_test

DATA = some_bytes(300_000)
DIGEST = hashlib.sha256(DATA).hexdigest()
UPLOAD = "f" * 32


def flipped(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def cut(path: Path) -> None:
    """Lose bytes as a disk does: the time of the last change stays."""
    before = path.stat()
    os.truncate(path, 5)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def grown(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"more")


DAMAGES = [flipped, cut, grown, Path.unlink]
SEEN_BY_SIZE = [cut, grown, Path.unlink]


@pytest.fixture
async def org(client) -> AsyncIterator[Organisation]:
    async with organisation_of_a_test(client, "ada", "bob") as made:
        yield made


@pytest.fixture
def on_disk(settings, org) -> Path:
    """Where the file of the tests is kept."""
    return settings.upload_path / org.name / DIGEST[:2] / DIGEST


@pytest.fixture
def tenant(app, org):
    return app.state.database.tenant(RegisteredTenant(id=org.name, database=org.database))


@pytest.fixture
def blobs(settings, org):
    return FileStorage(settings.upload_path).of(org.name)


@pytest.fixture
async def url(client, org) -> str:
    """Where the versions of a model are that has the file."""
    url = await versions_of(client, org, "models")
    await uploaded(client, org, url, DATA, "iris.bin")
    return url


# Replaced


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("way", ["put", "finish"])
async def test_bytes_that_are_sent_again_replace_damaged_ones(tmp_path, damage, way):
    blobs = FileStorage(tmp_path).of("acme")
    await blobs.put(chunked(DATA))
    damage(tmp_path / "acme" / DIGEST[:2] / DIGEST)

    if way == "put":
        await blobs.put(chunked(DATA))
    else:
        await blobs.append(UPLOAD, 0, chunked(DATA))
        await blobs.finish(UPLOAD)

    assert await whole(blobs, DIGEST) == DATA


async def test_somebody_who_reads_while_bytes_are_replaced_reads_to_the_end(tmp_path):
    blobs = FileStorage(tmp_path).of("acme")
    await blobs.put(chunked(DATA * 10))
    digest = hashlib.sha256(DATA * 10).hexdigest()
    reading = blobs.read(digest)
    first = await anext(reading)

    await blobs.put(chunked(DATA * 10))

    assert first + b"".join([block async for block in reading]) == DATA * 10


async def test_an_upload_that_breaks_off_leaves_what_was_there(tmp_path):
    blobs = FileStorage(tmp_path).of("acme")
    await blobs.put(chunked(DATA))

    with suppress(ConnectionError):
        await blobs.put(broken_after(DATA, ConnectionError("unplugged")))

    assert await whole(blobs, DIGEST) == DATA


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("way", ["a version", "a file of a folder"])
async def test_pushing_a_file_again_repairs_every_version_that_has_it(client, org, url, on_disk, damage, way):
    damage(on_disk)

    if way == "a version":
        await uploaded(client, org, url, DATA, "again.bin")
    else:
        await filled(client, org, await versions_of(client, org, "datasets"), {"a": DATA})

    assert (await client.get(f"{url}/1", headers=org.as_("ada"))).content == DATA


# Not trusted


async def offered(client, org, url):
    """What a client is told that has the bytes and would rather not send them."""
    head = await client.head(f"/v1/blobs/sha256:{DIGEST}", headers=org.as_("ada"))
    body = {"digest": f"sha256:{DIGEST}", "size": len(DATA), "name": "iris.bin"}
    answer = await client.post(url, json=body, headers=org.as_("ada"))
    return head.status_code, answer.status_code, answer.json().get("value")


@pytest.mark.parametrize("damage", SEEN_BY_SIZE)
async def test_bytes_that_are_not_whole_are_asked_for(client, org, url, on_disk, damage):
    damage(on_disk)

    assert await offered(client, org, url) == (404, 403, 117)


async def test_bytes_that_were_found_damaged_are_asked_for_until_they_are_sent(
    client, org, url, on_disk, tenant, blobs
):
    flipped(on_disk)
    found = await blob_records.verify(tenant, Blob(DIGEST, len(DATA)))

    before = await offered(client, org, url)
    await uploaded(client, org, url, DATA, "again.bin")
    after = await offered(client, org, url)

    assert (found, before, after) == (BlobCondition.DAMAGED, (404, 403, 117), (200, 200, None))
    assert await blob_records.verify(tenant, Blob(DIGEST, len(DATA))) is BlobCondition.INTACT


async def test_bytes_that_were_sent_again_meanwhile_are_not_marked(client, org, url, tenant, blobs):
    long_ago = now() - timedelta(hours=1)

    await blob_records.mark_damaged(tenant, DIGEST, long_ago)

    assert await blob_records.is_intact(tenant, Blob(DIGEST, len(DATA)))


@pytest.mark.parametrize(
    ("damage", "condition"),
    [(flipped, BlobCondition.DAMAGED), (cut, BlobCondition.DAMAGED), (Path.unlink, BlobCondition.MISSING)],
)
async def test_bytes_that_come_back_by_themselves_are_trusted_again(url, on_disk, tenant, blobs, damage, condition):
    good, blob = on_disk.read_bytes(), Blob(DIGEST, len(DATA))
    damage(on_disk)

    found = await blob_records.verify(tenant, blob)
    on_disk.write_bytes(good)
    again = await blob_records.verify(tenant, blob)

    assert (found, again, await blob_records.is_intact(tenant, blob)) == (condition, BlobCondition.INTACT, True)


@pytest.mark.parametrize(
    ("damage", "condition"), [(flipped, "damaged"), (cut, "damaged"), (Path.unlink, "missing"), (Path.stat, "intact")]
)
async def test_a_reader_has_the_files_of_a_version_compared_with_their_digests(client, org, on_disk, damage, condition):
    folder = await versions_of(client, org, "datasets")
    await closed(client, org, folder, {"a": DATA, "b": b"b"})
    damage(on_disk)

    made = await client.post("/v1/tokens", json={"name": "ci", "scopes": ["read"]}, headers=org.as_("bob"))
    answer = await client.get(f"{folder}/1/verify", headers={"Authorization": made.json()["token"]})
    offered_now = await client.head(f"/v1/blobs/sha256:{DIGEST}", headers=org.as_("bob"))

    assert answer.json()["intact"] == (condition == "intact")
    assert {file["path"]: file["condition"] for file in answer.json()["files"]} == {"a": condition, "b": "intact"}
    assert offered_now.status_code == (200 if condition == "intact" else 404)


async def test_the_sweep_marks_bytes_that_are_not_as_many_as_they_were(client, org, url, on_disk, tenant, blobs):
    cut(on_disk)

    looked_at = await sweep.sweep(tenant, grace=timedelta(), dry_run=True)
    unmarked = await tenant.blob_records.records.find_one({"_id": DIGEST})
    swept = await sweep.sweep(tenant, grace=timedelta())
    marked = await tenant.blob_records.records.find_one({"_id": DIGEST})

    assert (looked_at.damaged, swept.damaged, swept.blobs) == (1, 1, 0)
    assert unmarked.get("damaged") is None
    assert marked["damaged"] is not None


# Not handed out


@pytest.mark.parametrize("damage", SEEN_BY_SIZE)
async def test_a_file_that_is_not_whole_is_no_success_on_any_route(client, org, url, on_disk, damage):
    folder = await versions_of(client, org, "datasets")
    await closed(client, org, folder, {"a": DATA, "b": b"b"})
    made = await client.post(f"{url}/1/link", json={"expires_in": 60}, headers=org.as_("ada"))
    damage(on_disk)

    answers = {
        (method, address): await client.request(method, address, headers=org.as_("bob") | more)
        for address, more in {
            f"{url}/1": {},
            f"{url}/1?archive=tar": {},
            f"{url}/1?_range=1": {"Range": "bytes=1-2"},
            f"{folder}/1": {},
            f"{folder}/1/files/a": {},
            made.json()["url"]: {},
        }.items()
        for method in ("GET", "HEAD")
    }

    assert {answer.status_code for answer in answers.values()} == {500}
    assert {answer.json()["value"] for (method, _), answer in answers.items() if method == "GET"} == {2}
    assert (await client.head(f"{folder}/1/files/b", headers=org.as_("bob"))).status_code == 200


async def test_a_client_that_has_the_file_is_told_so_whatever_became_of_it_here(client, org, url, on_disk):
    on_disk.unlink()

    answer = await client.get(f"{url}/1", headers=org.as_("bob") | {"If-None-Match": f'"{DIGEST}"'})

    assert answer.status_code == 304


# A disk that takes nothing


@pytest.fixture
def read_only(tmp_path):
    """A folder, and what makes it read-only: a file system of its own where we may mount one, else its permissions."""
    folder = tmp_path / "uploads"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=8m", "uploads", folder]
    mounted = os.geteuid() == 0 and subprocess.run(mount, check=False, capture_output=True).returncode == 0

    def now_read_only():
        if mounted:
            subprocess.run(["mount", "-o", "remount,ro", folder], check=True)
        else:
            for each in [folder, *folder.rglob("*")]:
                each.chmod(0o500 if each.is_dir() else 0o400)

    yield folder, now_read_only
    if mounted:
        subprocess.run(["umount", "-l", folder], check=True)
    else:
        for each in [folder, *(path for path in folder.rglob("*") if path.is_dir())]:
            each.chmod(0o700)


async def test_a_read_only_disk_is_said_by_uploads_and_by_readiness_and_what_is_there_is_read(
    org, settings, mongo, read_only
):
    folder, now_read_only = read_only
    elsewhere = settings.model_copy(update={"upload_path": folder})

    async with client_of_app(elsewhere, in_database(mongo, f"{OURS}-catalogue"), started=True) as client:
        url = await versions_of(client, org, "models")
        await uploaded(client, org, url, DATA)
        tus = Tus(replace(org, client=client))
        begun = await tus.begin(3, item=url.split("/")[3])
        now_read_only()
        form = await client.post(url, files={"file": ("a", b"new")}, headers=org.as_("ada"))
        part = await tus.append(begun.headers["location"], 0, b"new")
        ready = await client.get("/health/ready")
        read = await client.get(f"{url}/1", headers=org.as_("ada"))

    assert refusal(form)[:2] == refusal(part)[:2] == (503, 123)
    assert any(why in refusal(form)[2] for why in ("read-only file system", "permission denied"))
    assert (ready.status_code, ready.json()["storage"]) == (503, "away")
    assert read.content == DATA


@pytest.mark.parametrize("verb", ["put", "append", "size", "read", "drop"])
async def test_a_folder_that_became_a_file_is_a_storage_that_does_not_answer(tmp_path, verb):
    (tmp_path / "acme").touch()
    blobs = FileStorage(tmp_path).of("acme")
    asked = {
        "put": lambda: blobs.put(chunked(DATA)),
        "append": lambda: blobs.append(UPLOAD, 0, chunked(DATA)),
        "size": lambda: blobs.size(DIGEST),
        "read": lambda: whole(blobs, DIGEST),
        "drop": lambda: blobs.drop(DIGEST),
    }

    with pytest.raises(StorageUnavailableError, match=r"^the disk says: (not a directory|file exists)$"):
        await asked[verb]()


async def test_files_and_folders_are_for_the_servers_user_alone(tmp_path):
    old = os.umask(0o022)
    try:
        blobs = FileStorage(tmp_path / "uploads").of("acme")
        await blobs.put(chunked(DATA))
        await blobs.append(UPLOAD, 0, chunked(b"half"))
        await blobs.append("e" * 32, 0, chunked(b"whole"))
        await blobs.finish("e" * 32)
    finally:
        os.umask(old)

    found = [tmp_path / "uploads", *(tmp_path / "uploads").rglob("*")]
    assert {path.stat().st_mode & 0o777 for path in found if path.is_dir()} == {0o700}
    assert {path.stat().st_mode & 0o777 for path in found if path.is_file()} == {0o600}
